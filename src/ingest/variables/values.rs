use std::fmt;

use crate::ingest::Json;
use crate::ingest::settings::{PageValues, Window};

/// What is known when a request is made: the values of one unit at one moment.
#[derive(Clone, Default)]
pub struct Values {
    /// The columns of the unit's row that go with its requests (category `activation`), and the name of a listed unit. They
    /// take the place of parameters of the same name.
    pub fields: Vec<(Box<str>, Json)>,
    /// The columns that are secrets (category `authentication`): they are where a template names them, and nowhere else, not even
    /// in what is told of the request.
    pub secrets: Vec<(Box<str>, Json)>,
    /// What else is where a template names it, and nowhere else: what the name of a file is made of, what an earlier phase of a job
    /// has brought.
    pub held: Vec<(Box<str>, Json)>,
    /// The row that the body of this request is made of (category `payload`), if there are such rows.
    pub payload: Vec<(Box<str>, Json)>,
    /// The session key. `None`: it has no value yet, or none any more. The empty text fills templates with nothing.
    pub key: Option<Box<str>>,
    /// Which page is asked for.
    pub page: PageValues<u64>,
    /// The window of time of the unit.
    pub window: Option<Window>,
    /// The address that an answer came from, for derived columns: `ms.source.uri`.
    pub address: Option<Box<str>>,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Names only: values are secrets, and so is a key that lets others go on with a remote session.
        let names = |fields: &[(Box<str>, Json)]| fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        f.debug_struct("Values")
            .field("fields", &names(&self.fields))
            .field("secrets", &names(&self.secrets))
            .field("held", &names(&self.held))
            .field("payload", &names(&self.payload))
            .field("page", &self.page)
            .field("window", &self.window)
            .finish_non_exhaustive()
    }
}
