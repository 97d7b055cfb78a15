/// What tables take in the database.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhysicalSchema {
    /// By name.
    pub tables: Vec<PhysicalTable>,
}

/// What one table takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhysicalTable {
    /// The schema it stands in, where the database has such.
    pub schema: Option<String>,
    /// Its name.
    pub name: String,
    /// How many rows it has, as the database estimates or counts it.
    pub rows: Option<u64>,
    /// How many bytes its rows take, where the database knows.
    pub bytes: Option<u64>,
    /// How many bytes its indexes take, where the database knows.
    pub index_bytes: Option<u64>,
    /// Its indexes, by name.
    pub indexes: Vec<PhysicalIndex>,
    /// Its foreign keys, by name.
    pub foreign_keys: Vec<ForeignKey>,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhysicalIndex {
    /// Its name.
    pub name: String,
    /// Whether no two rows may have the same values in it.
    pub unique: bool,
    /// Its columns, in their order; an expression as its text.
    pub columns: Vec<String>,
}

/// A foreign key: columns of a table whose values stand in another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Its name, where the database keeps such.
    pub name: Option<String>,
    /// The schema of the other table, where the database has such.
    pub schema: Option<String>,
    /// The other table.
    pub table: String,
    /// Its columns, in their order, each with the column of the other table that has its values.
    pub columns: Vec<(String, String)>,
}
