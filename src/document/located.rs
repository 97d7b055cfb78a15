use super::Position;

/// A value with the place where it was read, for an error that is found later: a file that isn't there, an implementation
/// that nobody knows.
///
/// Two are equal when their values are: where something stands doesn't change what it says.
#[derive(Debug, Clone, Eq)]
pub struct Located<T> {
    /// What was read.
    pub value: T,
    /// Where it stands.
    pub position: Position,
}

impl<T> Located<T> {
    /// A value that was read there.
    #[must_use]
    pub const fn new(value: T, position: Position) -> Self {
        Self { value, position }
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// A value that was not read but made: it stands nowhere.
impl<T> From<T> for Located<T> {
    fn from(value: T) -> Self {
        Self::new(value, Position::START)
    }
}
