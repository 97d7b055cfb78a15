//! The text of `CREATE TABLE` and `DROP TABLE` in each dialect.
//!
//! Types are chosen so that nothing that the rows hold is rounded, cut or refused: what a database has no such type for is
//! kept as text.
//!
//! | rows | SQLite | PostgreSQL | MariaDB, MySQL |
//! |---|---|---|---|
//! | `Boolean` | `BOOLEAN` | `boolean` | `BIT(1)` |
//! | `Int8` … `Int64` | `TINYINT` … `BIGINT` | `smallint` … `bigint` | `TINYINT` … `BIGINT` |
//! | `UInt8` … `UInt32` | `SMALLINT` … `BIGINT` | `smallint` … `bigint` | `TINYINT UNSIGNED` … `INT UNSIGNED` |
//! | `UInt64` | `TEXT` | `numeric(20,0)` | `BIGINT UNSIGNED` |
//! | `Float32`, `Float64` | `REAL` | `real`, `double precision` | `FLOAT`, `DOUBLE` |
//! | decimals | `DECIMAL(p,s)` up to 15 digits, else `TEXT` | `numeric(p,s)` | `DECIMAL(p,s)` up to 65 digits, else `LONGTEXT` |
//! | `Utf8` | `TEXT` | `text` | `LONGTEXT` |
//! | `Binary` | `BLOB` | `bytea` | `LONGBLOB` |
//! | `Date32` | `DATE` | `date` | `DATE` |
//! | `Time64` | `TIME` | `time` | `TIME(6)` |
//! | `Timestamp` without zone | `TIMESTAMP` | `timestamp` | `DATETIME(6)` |
//! | `Timestamp` with zone | `TIMESTAMP` | `timestamp with time zone` | `TIMESTAMP(6)` |
//! | `Interval` | `TEXT` | `interval` | `LONGTEXT` |
//! | `List` of any of these | `TEXT` | an array of it | `LONGTEXT` |

use arrow_schema::{DataType, Schema};

use super::{Dialect, TableName};
use crate::resource::ResourceError;

/// The most digits of a decimal that `SQLite` gives back as they were: it keeps them as 64-bit reals.
const SQLITE_DIGITS: u8 = 15;

/// The most digits of a decimal of MariaDB and MySQL, and the most of them behind the point.
const MYSQL_DIGITS: (u8, i8) = (65, 30);

/// A column of a table that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// The type that its values have in rows.
    pub data_type: DataType,
    /// How many characters its texts have at the most, where the database minds.
    pub length: Option<u32>,
    /// Whether it takes NULL.
    pub nullable: bool,
}

/// The columns of a table that is to be made, and its key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableDefinition {
    /// In their order.
    pub columns: Vec<ColumnDefinition>,
    /// The names of the columns of the primary key, in their order; empty for a table without one.
    pub primary_key: Vec<String>,
}

impl TableDefinition {
    /// What stands between the parentheses of `CREATE TABLE`.
    ///
    /// ```
    /// use arrow_schema::DataType;
    /// use rejoin::resource::relational::{ColumnDefinition, Dialect, TableDefinition};
    ///
    /// let id = ColumnDefinition { name: "id".into(), data_type: DataType::Int64, length: None, nullable: false };
    /// let definition = TableDefinition { columns: vec![id], primary_key: vec!["id".into()] };
    /// let sql = definition.to_sql(Dialect::MySql)?;
    /// assert_eq!(sql, "`id` BIGINT NOT NULL, PRIMARY KEY (`id`)");
    /// # Ok::<(), rejoin::resource::ResourceError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unsupported`] for a column of a type that no stream of rows has.
    pub fn to_sql(&self, dialect: Dialect) -> Result<String, ResourceError> {
        let mut parts = Vec::with_capacity(self.columns.len() + 1);
        for column in &self.columns {
            let Some(type_name) = dialect.column_type(&column.data_type) else {
                return Err(ResourceError::unsupported(format!(
                    "column `{}`: no column of a table is made for values of the type {}",
                    column.name, column.data_type
                )));
            };
            let type_name = match column.length {
                Some(length) => format!("VARCHAR({length})"),
                None => type_name,
            };
            let null = if column.nullable { "" } else { " NOT NULL" };
            let type_name = if column.nullable { &*type_name } else { type_name.trim_end_matches(" NULL") };
            parts.push(format!("{} {type_name}{null}", dialect.quoted(&column.name)));
        }
        if !self.primary_key.is_empty() {
            let key: Vec<String> = self.primary_key.iter().map(|name| dialect.quoted(name)).collect();
            parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
        }
        Ok(parts.join(", "))
    }
}

impl Dialect {
    /// The statement that makes a table with the columns of rows. All of them take NULL; there are no keys.
    ///
    /// ```
    /// use arrow_schema::{DataType, Field, Schema};
    /// use rejoin::resource::relational::{Dialect, TableName};
    ///
    /// let schema = Schema::new(vec![Field::new("id", DataType::Int32, true), Field::new("note", DataType::Utf8, true)]);
    /// let sql = Dialect::Postgres.create_table(&TableName::parse("shop.orders"), &schema)?;
    /// assert_eq!(sql, r#"CREATE TABLE "shop"."orders" ("id" integer, "note" text)"#);
    /// # Ok::<(), rejoin::resource::ResourceError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ResourceError::Unsupported`] for rows without columns, and for a column of a type that no stream of rows has.
    pub fn create_table(self, table: &TableName, schema: &Schema) -> Result<String, ResourceError> {
        if schema.fields().is_empty() {
            return Err(ResourceError::unsupported(format!(
                "no table `{table}` can be made from rows without columns: give the table, or rows that have columns"
            )));
        }
        let columns = schema.fields().iter().map(|field| ColumnDefinition {
            name: field.name().clone(),
            data_type: field.data_type().clone(),
            length: None,
            nullable: true,
        });
        let definition = TableDefinition { columns: columns.collect(), primary_key: Vec::new() };
        Ok(format!("CREATE TABLE {} ({})", self.table(table), definition.to_sql(self)?))
    }

    /// The statement that drops a table.
    #[must_use]
    pub fn drop_table(self, table: &TableName, if_exists: bool) -> String {
        format!("DROP TABLE {}{}", if if_exists { "IF EXISTS " } else { "" }, self.table(table))
    }

    /// Whether it has one statement at a time on a connection: what a query gives has to be taken in whole before the next
    /// begins there.
    #[must_use]
    pub fn keeps_to_one_statement(self) -> bool {
        self == Self::MySql
    }

    /// Whether it commits an open transaction when a table is made or dropped.
    ///
    /// ```
    /// use rejoin::resource::relational::Dialect;
    ///
    /// assert!(Dialect::MySql.commits_definitions() && !Dialect::Postgres.commits_definitions());
    /// ```
    #[must_use]
    pub fn commits_definitions(self) -> bool {
        self == Self::MySql
    }

    /// What the type of a column of rows is called in the definition of a table; `None` for a type that no stream has.
    #[must_use]
    pub fn column_type(self, data_type: &DataType) -> Option<String> {
        match self {
            Self::Sqlite => sqlite_type(data_type),
            Self::Postgres => postgres_type(data_type),
            Self::MySql => mysql_type(data_type),
        }
    }
}

fn sqlite_type(data_type: &DataType) -> Option<String> {
    let name = match data_type {
        DataType::Boolean => "BOOLEAN",
        DataType::Int8 => "TINYINT",
        DataType::Int16 | DataType::UInt8 => "SMALLINT",
        DataType::Int32 | DataType::UInt16 => "INTEGER",
        DataType::Int64 | DataType::UInt32 => "BIGINT",
        DataType::Float32 | DataType::Float64 => "REAL",
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale)
            if *digits <= SQLITE_DIGITS && *scale >= 0 =>
        {
            return Some(format!("DECIMAL({digits},{scale})"));
        }
        DataType::Date32 => "DATE",
        DataType::Time64(_) => "TIME",
        DataType::Timestamp(..) => "TIMESTAMP",
        DataType::Binary => "BLOB",
        other => return is_text_elsewhere(other).then(|| "TEXT".to_owned()),
    };
    Some(name.to_owned())
}

fn postgres_type(data_type: &DataType) -> Option<String> {
    let name = match data_type {
        DataType::Boolean => "boolean",
        DataType::Int8 | DataType::Int16 | DataType::UInt8 => "smallint",
        DataType::Int32 | DataType::UInt16 => "integer",
        DataType::Int64 | DataType::UInt32 => "bigint",
        DataType::UInt64 => "numeric(20,0)",
        DataType::Float32 => "real",
        DataType::Float64 => "double precision",
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale) => {
            return Some(format!("numeric({digits},{scale})"));
        }
        DataType::Utf8 => "text",
        DataType::Binary => "bytea",
        DataType::Date32 => "date",
        DataType::Time64(_) => "time",
        DataType::Timestamp(_, None) => "timestamp",
        DataType::Timestamp(_, Some(_)) => "timestamp with time zone",
        DataType::Interval(_) => "interval",
        DataType::List(item) => return Some(format!("{}[]", postgres_type(item.data_type())?)),
        _ => return None,
    };
    Some(name.to_owned())
}

fn mysql_type(data_type: &DataType) -> Option<String> {
    let name = match data_type {
        DataType::Boolean => "BIT(1)",
        DataType::Int8 => "TINYINT",
        DataType::Int16 => "SMALLINT",
        DataType::Int32 => "INT",
        DataType::Int64 => "BIGINT",
        DataType::UInt8 => "TINYINT UNSIGNED",
        DataType::UInt16 => "SMALLINT UNSIGNED",
        DataType::UInt32 => "INT UNSIGNED",
        DataType::UInt64 => "BIGINT UNSIGNED",
        DataType::Float32 => "FLOAT",
        DataType::Float64 => "DOUBLE",
        DataType::Decimal128(digits, scale) | DataType::Decimal256(digits, scale)
            if *digits <= MYSQL_DIGITS.0 && (0..=MYSQL_DIGITS.1).contains(scale) =>
        {
            return Some(format!("DECIMAL({digits},{scale})"));
        }
        DataType::Binary => "LONGBLOB",
        DataType::Date32 => "DATE",
        DataType::Time64(_) => "TIME(6)",
        DataType::Timestamp(_, None) => "DATETIME(6)",
        // Without the word, MariaDB makes such a column NOT NULL and fills it by itself.
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP(6) NULL",
        other => return is_text_elsewhere(other).then(|| "LONGTEXT".to_owned()),
    };
    Some(name.to_owned())
}

/// Whether values of a type are kept as text where the database has no type for them.
fn is_text_elsewhere(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8
        | DataType::UInt64
        | DataType::Decimal128(..)
        | DataType::Decimal256(..)
        | DataType::Interval(_) => true,
        DataType::List(item) => postgres_type(item.data_type()).is_some(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_schema::{Field, TimeUnit};
    use std::sync::Arc;

    const DIALECTS: [Dialect; 3] = [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql];

    fn names(data_type: &DataType) -> [String; 3] {
        DIALECTS.map(|dialect| dialect.column_type(data_type).unwrap())
    }

    #[test]
    fn every_type_of_rows_has_a_column_in_every_database() {
        let list = |item| DataType::List(Arc::new(Field::new_list_field(item, true)));
        let cases: [(DataType, [&str; 3]); 12] = [
            (DataType::Boolean, ["BOOLEAN", "boolean", "BIT(1)"]),
            (DataType::Int16, ["SMALLINT", "smallint", "SMALLINT"]),
            (DataType::UInt32, ["BIGINT", "bigint", "INT UNSIGNED"]),
            (DataType::UInt64, ["TEXT", "numeric(20,0)", "BIGINT UNSIGNED"]),
            (DataType::Float32, ["REAL", "real", "FLOAT"]),
            (DataType::Utf8, ["TEXT", "text", "LONGTEXT"]),
            (DataType::Binary, ["BLOB", "bytea", "LONGBLOB"]),
            (DataType::Time64(TimeUnit::Microsecond), ["TIME", "time", "TIME(6)"]),
            (DataType::Timestamp(TimeUnit::Microsecond, None), ["TIMESTAMP", "timestamp", "DATETIME(6)"]),
            (
                DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
                ["TIMESTAMP", "timestamp with time zone", "TIMESTAMP(6) NULL"],
            ),
            (list(DataType::Int32), ["TEXT", "integer[]", "LONGTEXT"]),
            (list(DataType::Decimal128(9, 2)), ["TEXT", "numeric(9,2)[]", "LONGTEXT"]),
        ];
        for (data_type, expected) in cases {
            assert_eq!(names(&data_type), expected, "{data_type}");
        }
    }

    #[test]
    fn a_decimal_of_too_many_digits_is_kept_as_text() {
        assert_eq!(names(&DataType::Decimal128(15, 2)), ["DECIMAL(15,2)", "numeric(15,2)", "DECIMAL(15,2)"]);
        assert_eq!(names(&DataType::Decimal128(16, 2)), ["TEXT", "numeric(16,2)", "DECIMAL(16,2)"]);
        assert_eq!(names(&DataType::Decimal256(76, 40)), ["TEXT", "numeric(76,40)", "LONGTEXT"]);
        assert_eq!(names(&DataType::Decimal128(5, -2)), ["TEXT", "numeric(5,-2)", "LONGTEXT"]);
    }

    #[test]
    fn names_are_quoted_wherever_they_stand() {
        let schema = Schema::new(vec![Field::new("a\"b`c", DataType::Int64, true)]);
        let create = |dialect: Dialect| dialect.create_table(&TableName::parse("s.t"), &schema).unwrap();
        assert_eq!(create(Dialect::Sqlite), r#"CREATE TABLE "s"."t" ("a""b`c" BIGINT)"#);
        assert_eq!(create(Dialect::MySql), r#"CREATE TABLE `s`.`t` (`a"b``c` BIGINT)"#);
        assert_eq!(Dialect::Postgres.drop_table(&TableName::parse("t"), true), r#"DROP TABLE IF EXISTS "t""#);
    }

    #[test]
    fn what_can_be_no_column_is_refused_by_name() {
        let table = TableName::parse("t");
        let error = Dialect::Postgres.create_table(&table, &Schema::empty()).unwrap_err();
        assert!(error.to_string().contains("without columns"), "{error}");
        let schema = Schema::new(vec![Field::new("odd", DataType::Date64, true)]);
        for dialect in DIALECTS {
            let error = dialect.create_table(&table, &schema).unwrap_err();
            assert!(error.to_string().contains("column `odd`"), "{error}");
        }
    }
}
