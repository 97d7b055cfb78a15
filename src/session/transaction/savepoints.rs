use super::TransactionError;

/// The savepoints of a transaction, the oldest first.
///
/// Branches don't get the names that a client chose: databases have different ideas of which names are the same (to some `a`
/// and `A` are), and one of which they think so would take the place of another. They get `mark1`, `mark2` …, each once.
#[derive(Debug, Default)]
pub(super) struct Savepoints {
    /// The names of the client, and those in the branches.
    set: Vec<(Box<str>, Box<str>)>,
    /// How many there have been.
    count: u64,
}

impl Savepoints {
    /// Names for the next one: its name in the branches. It is there when it is [added](Self::add).
    ///
    /// # Errors
    ///
    /// [`TransactionError::SavepointExists`].
    pub(super) fn next(&mut self, name: &str) -> Result<Box<str>, TransactionError> {
        if self.place(name).is_some() {
            return Err(TransactionError::SavepointExists { name: name.into() });
        }
        self.count += 1;
        Ok(format!("mark{}", self.count).into())
    }

    /// It is set in every branch.
    pub(super) fn add(&mut self, name: &str, mark: Box<str>) {
        self.set.push((name.into(), mark));
    }

    /// The name that one has in the branches.
    ///
    /// # Errors
    ///
    /// [`TransactionError::UnknownSavepoint`].
    pub(super) fn mark(&self, name: &str) -> Result<Box<str>, TransactionError> {
        let place = self.place(name).ok_or_else(|| TransactionError::UnknownSavepoint { name: name.into() })?;
        Ok(self.set[place].1.clone())
    }

    /// Their names in the branches.
    pub(super) fn marks(&self) -> impl Iterator<Item = &str> {
        self.set.iter().map(|(_, mark)| &**mark)
    }

    /// Those after it are gone.
    pub(super) fn keep_up_to(&mut self, name: &str) {
        if let Some(place) = self.place(name) {
            self.set.truncate(place + 1);
        }
    }

    /// It is gone, and those after it.
    pub(super) fn forget_from(&mut self, name: &str) {
        if let Some(place) = self.place(name) {
            self.set.truncate(place);
        }
    }

    /// All are gone.
    pub(super) fn clear(&mut self) {
        self.set.clear();
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.set.iter().position(|(known, _)| **known == *name)
    }
}
