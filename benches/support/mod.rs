//! What the benches share.

pub(crate) mod people;
pub(crate) mod table;
