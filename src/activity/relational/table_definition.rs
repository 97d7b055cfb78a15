//! `createTable`: a table as a document defines it.

use arrow_schema::DataType;

use crate::document::{DocumentError, Element, Fields, Value};
use crate::format::RowType;
use crate::resource::ResourceError;
use crate::resource::relational::{ColumnDefinition, Dialect, TableDefinition, TableName};

/// What `createTable` asks for.
#[derive(Debug)]
pub(super) struct NewTable {
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

impl NewTable {
    /// Reads `<createTable name="…"><column …/>…</createTable>` or `<createTable name="…"><sql>…</sql></createTable>`.
    pub(super) fn parse(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        let name = TableName::parse(&fields.required_attribute("name")?.non_empty()?.value);
        let if_not_exists = fields.attribute("ifNotExists").map_or(Ok(false), |value| value.boolean())?;
        let content = match fields.child("sql") {
            Some(sql) => Content::Sql(sql.text_only()?.into_owned()),
            None => Content::Columns(columns(&mut fields)?),
        };
        fields.finish()?;
        Ok(Self { name, if_not_exists, content })
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

fn columns(fields: &mut Fields<'_>) -> Result<TableDefinition, DocumentError> {
    let mut definition = TableDefinition::default();
    let mut key: Vec<(u32, Value<'_>, String)> = Vec::new();
    let first = fields.required_child("column")?;
    for element in std::iter::once(first).chain(fields.children("column")) {
        let mut settings = element.fields();
        let name = settings.required_attribute("name")?.non_empty()?.value;
        if let Some(value) = settings.attribute("primaryKey") {
            key.push((value.integer(1..=u32::MAX)?, value, name.clone()));
        }
        let column = column(name, element, &mut settings)?;
        settings.finish()?;
        definition.columns.push(column);
    }
    key.sort_by_key(|(position, ..)| *position);
    for ((position, value, name), expected) in key.into_iter().zip(1..) {
        if position != expected {
            return Err(
                value.error("contradictory `primaryKey`: the columns of the key are counted 1, 2, 3 … without a gap")
            );
        }
        definition.primary_key.push(name);
    }
    Ok(definition)
}

fn column(name: String, element: &Element, settings: &mut Fields<'_>) -> Result<ColumnDefinition, DocumentError> {
    let value = settings.required_attribute("type")?;
    let Some(row_type) = RowType::from_name(value.as_str()) else {
        let names = RowType::names().join(", ");
        return Err(value.error(format!("contradictory `type`: `{}` is none of {names}", value.as_str())));
    };
    let data_type = row_type.data_type().clone();
    let length = settings.attribute("length").map(|value| value.integer(1..=u32::MAX)).transpose()?;
    if length.is_some() && data_type != DataType::Utf8 {
        return Err(DocumentError::invalid(element.position(), "contradictory `column`: only text has a `length`"));
    }
    let nullable = settings.attribute("nullable").map_or(Ok(true), |value| value.boolean())?;
    Ok(ColumnDefinition { name, data_type, length, nullable })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Limits;

    fn parse(document: &str) -> Result<NewTable, String> {
        let element = Element::parse(document.as_bytes(), &Limits::default()).unwrap();
        NewTable::parse(&element).map_err(|error| error.to_string())
    }

    #[test]
    fn columns_have_the_types_of_each_database() {
        let table = parse(
            "<createTable name='s.gauge' ifNotExists='true'><column name='station' type='text' length='40' primaryKey='2'/>\
             <column name='id' type='int64' nullable='false' primaryKey='1'/><column name='level' type='decimal(9,2)'/></createTable>",
        )
        .unwrap();
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
        let table = parse(
            "<createTable name='t'><sql>span tsrange, EXCLUDE USING gist (span WITH &amp;&amp;)</sql></createTable>",
        );
        assert_eq!(
            table.unwrap().to_sql(Dialect::Postgres).unwrap(),
            "CREATE TABLE \"t\" (span tsrange, EXCLUDE USING gist (span WITH &&))"
        );
    }

    #[test]
    fn what_does_not_fit_together_is_refused_where_it_stands() {
        for (columns, message) in [
            ("", "1:1: `createTable` is not complete; expected `column`"),
            ("<column name='a' type='money'/>", "1:48: contradictory `type`: `money` is none of boolean, "),
            ("<column name='a' type='date' length='3'/>", "1:31: contradictory `column`: only text has a `length`"),
            ("<column name='a' type='date' primaryKey='2'/>", "contradictory `primaryKey`"),
            ("<column name='a' type='date'/><sql>b</sql>", "the element `sql` stands at the wrong place"),
        ] {
            let error = parse(&format!("<createTable name='abcdefg'>  {columns}</createTable>")).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
