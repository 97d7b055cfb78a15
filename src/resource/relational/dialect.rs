use std::fmt;

/// The name of a table or procedure, with its schema where one is given.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableName {
    /// The schema; of MariaDB the database.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
}

impl TableName {
    /// Reads `name` or `schema.name`. A name with a dot in it is given as its parts.
    ///
    /// ```
    /// use rejoin::resource::relational::TableName;
    ///
    /// let name = TableName::parse("shop.orders");
    /// assert_eq!((name.schema.as_deref(), &*name.name), (Some("shop"), "orders"));
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((schema, name)) => Self { schema: Some(schema.to_owned()), name: name.to_owned() },
            None => Self { schema: None, name: text.to_owned() },
        }
    }
}

impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// How a database writes what differs from one to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// `SQLite`.
    Sqlite,
    /// PostgreSQL, and what speaks its protocol.
    Postgres,
    /// MariaDB and MySQL.
    MySql,
}

impl Dialect {
    /// A name in the quotes of the database, safe in the text of a statement.
    ///
    /// ```
    /// use rejoin::resource::relational::Dialect;
    ///
    /// assert_eq!(Dialect::Postgres.quoted("a\"b"), "\"a\"\"b\"");
    /// assert_eq!(Dialect::MySql.quoted("a`b"), "`a``b`");
    /// ```
    #[must_use]
    pub fn quoted(self, name: &str) -> String {
        let quote = match self {
            Self::Sqlite | Self::Postgres => '"',
            Self::MySql => '`',
        };
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push(quote);
        for character in name.chars() {
            if character == quote {
                quoted.push(quote);
            }
            quoted.push(character);
        }
        quoted.push(quote);
        quoted
    }

    /// The name of a table in the quotes of the database.
    #[must_use]
    pub fn table(self, table: &TableName) -> String {
        match &table.schema {
            Some(schema) => format!("{}.{}", self.quoted(schema), self.quoted(&table.name)),
            None => self.quoted(&table.name),
        }
    }
}
