//! What is written in a format, the libraries of others read; what they write, we read; and what was written is read back as
//! it was.

mod java;
mod pipelines;
mod python;
mod round_trips;
#[path = "../../../src/format/samples.rs"]
mod samples;
mod written;
