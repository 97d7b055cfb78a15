/// The tables and views of a database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DatabaseSchema {
    /// By name.
    pub tables: Vec<Table>,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The schema it stands in, where the database has such.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// In their order.
    pub columns: Vec<Column>,
}

/// What a [`Table`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TableKind {
    /// It holds its rows itself.
    Table,
    /// Its rows come from a query.
    View,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type as it was declared; empty where none was.
    pub type_name: String,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// Its default, as an SQL expression.
    pub default: Option<String>,
    /// Its place in the primary key, from 1, if it belongs to it.
    pub primary_key: Option<u32>,
}

/// Which tables are looked at. Every part that is not given takes in all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SchemaFilter {
    /// The schema (of MariaDB the database) by name; otherwise the one that the connection works in.
    pub schema: Option<String>,
    /// The table, as a pattern of SQL: `%` for any characters, `_` for one, no escapes.
    pub table: Option<String>,
    /// Whether views are left out.
    pub tables_only: bool,
}
