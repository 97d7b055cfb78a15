//! `WebRowSet`, the XML form of rows that `javax.sql.rowset` reads.
//!
//! The schema is `http://java.sun.com/xml/ns/jdbc/webrowset.xsd`. What the schema leaves open is settled by the reader
//! that Java brings: NULL is an element `null`, the rowset type is a name and not a number, names that may be missing are
//! `null` too, and only a rowset that may be updated takes the rows that are read into it.

mod column_definition;
mod column_types;
mod metadata;
mod options;
mod parser;
mod reader;
mod row_ends;
mod writer;
mod xml_text;

pub use options::WebRowSetOptions;
pub use reader::WebRowSetReader;
pub use writer::WebRowSetWriter;
