//! What an SQLite file adds to what every store does.

use tempfile::TempDir;

use super::SqliteStore;
use crate::session::store::conformance::{MakePlace, Place, session_store_conforms};
use crate::session::{Durability, SessionStore};

impl Place for TempDir {
    fn open(&self) -> Box<dyn SessionStore> {
        Box::new(SqliteStore::open(&self.path().join("sessions"), Durability::Os).unwrap())
    }
}

const PLACE: MakePlace = || Box::new(tempfile::tempdir().unwrap());

session_store_conforms!(PLACE);
