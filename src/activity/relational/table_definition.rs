//! `createTable`: a table as a document defines it.

use crate::document::activities::{NewColumn, NewTable, TableContent};
use crate::resource::ResourceError;
use crate::resource::relational::{ColumnDefinition, Dialect, TableDefinition, TableName};

/// What `createTable` asks for.
#[derive(Debug)]
pub(super) struct TableToMake {
    pub(super) name: TableName,
    if_not_exists: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    /// In types that every database has.
    Columns(TableDefinition),
    /// What stands between the parentheses, in the words of the database.
    Sql(String),
}

impl TableToMake {
    /// A table as its element says it.
    pub(super) fn of(table: NewTable) -> Self {
        let content = match table.content {
            TableContent::Columns(columns) => Content::Columns(definition(columns)),
            TableContent::Sql(sql) => Content::Sql(sql),
        };
        Self { name: TableName::parse(&table.name), if_not_exists: table.if_not_exists, content }
    }

    /// The statement.
    pub(super) fn to_sql(&self, dialect: Dialect) -> Result<String, ResourceError> {
        let content = match &self.content {
            Content::Columns(definition) => definition.to_sql(dialect)?,
            Content::Sql(sql) => sql.clone(),
        };
        let condition = if self.if_not_exists { "IF NOT EXISTS " } else { "" };
        Ok(format!("CREATE TABLE {condition}{} ({content})", dialect.table(&self.name)))
    }
}

/// The columns, and those of the key in its order.
fn definition(columns: Vec<NewColumn>) -> TableDefinition {
    let mut key: Vec<(u32, String)> =
        columns.iter().filter_map(|column| Some((column.primary_key?, column.name.clone()))).collect();
    key.sort_by_key(|(place, _)| *place);
    let column = |NewColumn { name, row_type, length, is_nullable, .. }: NewColumn| {
        let data_type = row_type.data_type().clone();
        ColumnDefinition { name, data_type, length, nullable: is_nullable }
    };
    TableDefinition {
        columns: columns.into_iter().map(column).collect(),
        primary_key: key.into_iter().map(|(_, name)| name).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::activities::{ActivityElement, RelationalResourceManagement, TableOperation};
    use crate::document::{Element, Limits};

    fn table(document: &str) -> TableToMake {
        let document = format!("<relationalResourceManagement>{document}</relationalResourceManagement>");
        let element = Element::parse(document.as_bytes(), &Limits::default()).unwrap();
        match RelationalResourceManagement::of(&element).unwrap().operation {
            TableOperation::Create(table) => TableToMake::of(table),
            TableOperation::Drop { .. } => panic!("{document}"),
        }
    }

    #[test]
    fn columns_have_the_types_of_each_database() {
        let table = table(
            "<createTable name='s.gauge' ifNotExists='true'><column name='station' type='text' length='40' primaryKey='2'/>\
             <column name='id' type='int64' nullable='false' primaryKey='1'/><column name='level' type='decimal(9,2)'/></createTable>",
        );
        assert_eq!(
            table.to_sql(Dialect::Postgres).unwrap(),
            "CREATE TABLE IF NOT EXISTS \"s\".\"gauge\" (\"station\" VARCHAR(40), \"id\" bigint NOT NULL, \
             \"level\" numeric(9,2), PRIMARY KEY (\"id\", \"station\"))"
        );
        assert_eq!(
            table.to_sql(Dialect::MySql).unwrap(),
            "CREATE TABLE IF NOT EXISTS `s`.`gauge` (`station` VARCHAR(40), `id` BIGINT NOT NULL, \
             `level` DECIMAL(9,2), PRIMARY KEY (`id`, `station`))"
        );
    }

    #[test]
    fn a_table_may_be_defined_in_the_words_of_the_database() {
        let table = table(
            "<createTable name='t'><sql>span tsrange, EXCLUDE USING gist (span WITH &amp;&amp;)</sql></createTable>",
        );
        assert_eq!(
            table.to_sql(Dialect::Postgres).unwrap(),
            "CREATE TABLE \"t\" (span tsrange, EXCLUDE USING gist (span WITH &&))"
        );
    }
}
