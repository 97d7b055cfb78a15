//! Tests of behaviour, in one binary: it links once.

mod documents;
