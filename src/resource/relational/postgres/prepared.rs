//! Prepared statements, and how their results are decoded.

use std::collections::HashMap;
use std::sync::Arc;

use tokio_postgres::types::Type;
use tokio_postgres::{Column, Error, Statement};

use super::connection::Connection;
use super::decode::{ColumnShape, Kind, ResultShape};
use super::origin;
use super::own_statement::OwnStatement;
use super::sql::{Sql, Verb};
use crate::resource::ResourceError;
use crate::resource::relational::Dialect;

/// How many statements a connection keeps prepared.
const STATEMENTS: usize = 256;

/// A statement, prepared on one connection.
#[derive(Debug)]
pub(super) struct Prepared {
    /// As it was written, for its effects.
    pub(super) statement: Statement,
    /// What is run for its rows: the same, or one around it that has the server write some columns as text.
    rows: Result<RowsPlan, ResourceError>,
}

/// How the rows of a statement are read.
#[derive(Debug)]
pub(super) struct RowsPlan {
    pub(super) statement: Statement,
    /// Its text.
    pub(super) text: String,
    pub(super) shape: Arc<ResultShape>,
    /// The same as we run it ourselves.
    pub(super) own: OwnStatement,
}

impl Prepared {
    pub(super) async fn prepare(connection: &Connection, sql: &Sql) -> Result<Self, Error> {
        let statement = connection.client().prepare(sql.text()).await?;
        let kinds: Vec<Option<Kind>> = statement.columns().iter().map(kind_of).collect();
        let rows = match wrapped(sql, statement.columns(), &kinds) {
            Ok(None) => Ok((statement.clone(), sql.body().to_owned())),
            Ok(Some(text)) => match connection.client().prepare_typed(&text, statement.params()).await {
                Ok(wrapped) => Ok((wrapped, text)),
                Err(error) if error.as_db_error().is_some() => Err(not_wrapped(sql, statement.columns(), &kinds)),
                Err(error) => return Err(error),
            },
            Err(error) => Err(error),
        };
        let rows = match rows {
            Ok((to_run, text)) => {
                let origins = origin::of(connection, statement.columns()).await?;
                let columns = statement.columns().iter().zip(kinds).zip(origins);
                let columns = columns.map(|((column, kind), origin)| ColumnShape {
                    name: column.name().to_owned(),
                    kind: kind.unwrap_or(Kind::Text),
                    origin,
                });
                let shape = Arc::new(ResultShape::new(columns.collect()));
                Ok(RowsPlan { statement: to_run, text, shape, own: connection.own.another() })
            }
            Err(error) => Err(error),
        };
        Ok(Self { statement, rows })
    }

    /// The types of its parameters.
    pub(super) fn parameters(&self) -> &[Type] {
        self.statement.params()
    }

    /// How its rows are read.
    pub(super) fn rows(&self) -> Result<&RowsPlan, ResourceError> {
        self.rows.as_ref().map_err(Clone::clone)
    }
}

/// How a column is decoded; `None` when it is not.
fn kind_of(column: &Column) -> Option<Kind> {
    Kind::of(column.type_(), column.type_modifier())
}

/// A statement around this one whose columns can all be decoded; `None` when they can be anyway.
fn wrapped(sql: &Sql, columns: &[Column], kinds: &[Option<Kind>]) -> Result<Option<String>, ResourceError> {
    if kinds.iter().all(Option::is_some) {
        return Ok(None);
    }
    if !matches!(sql.verb(), Verb::Select | Verb::Change) {
        return Err(not_wrapped(sql, columns, kinds));
    }
    Ok(Some(around(sql, columns.len(), |index| {
        let column = format!("q.c{}", index + 1);
        match &kinds[index] {
            Some(_) => column,
            None => as_text(&column),
        }
    })))
}

/// An expression as the text that the server shows of it, whatever its type. A cast would do other things to some types: to
/// `inet` it adds the length of the network. (`IS NOT NULL` would be false of a composite value with a NULL in it.)
fn as_text(expression: &str) -> String {
    format!("CASE WHEN {expression} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', {expression}) END")
}

/// A query around a statement: one expression for each of its columns, which are `q.c1` and so on.
fn around(sql: &Sql, columns: usize, expression: impl Fn(usize) -> String) -> String {
    let list = |item: &dyn Fn(usize) -> String| (0..columns).map(item).collect::<Vec<_>>().join(", ");
    let (values, names) = (list(&expression), list(&|index| format!("c{}", index + 1)));
    let body = sql.body();
    if sql.verb() == Verb::Change {
        // What changes rows can't stand where a table can.
        return format!("WITH q({names}) AS ({body}\n) SELECT {values} FROM q");
    }
    format!("SELECT {values} FROM ({body}\n) AS q({names})")
}

/// A column can't be decoded, and the statement can't stand in another one.
fn not_wrapped(sql: &Sql, columns: &[Column], kinds: &[Option<Kind>]) -> ResourceError {
    if sql.verb() == Verb::Change
        || sql.body().trim_start().get(..4).is_some_and(|word| word.eq_ignore_ascii_case("with"))
    {
        return ResourceError::ReadOnly {
            message: "the statement would write, and only reading is allowed here; use an update statement".into(),
        };
    }
    let opaque = columns.iter().zip(kinds).find(|(_, kind)| kind.is_none()).map(|(column, _)| column);
    let (name, type_name) = opaque.map_or(("?", "?"), |column| (column.name(), column.type_().name()));
    ResourceError::unsupported(format!(
        "column `{}` has the type {type_name}, which has no form here, and this statement can't be asked for text instead; \
         cast the column to text",
        Dialect::Postgres.quoted(name)
    ))
}

/// The statements of a connection by their text; the one that was not used for longest makes room.
#[derive(Debug, Default)]
pub(super) struct StatementCache {
    statements: HashMap<String, (Arc<Prepared>, u64)>,
    uses: u64,
    /// How often tables had changed when they were prepared.
    changes: u64,
}

impl StatementCache {
    /// The statement, unless tables have changed since.
    pub(super) fn get(&mut self, text: &str, changes: u64) -> Option<Arc<Prepared>> {
        if self.changes != changes {
            self.statements.clear();
            self.changes = changes;
        }
        self.uses += 1;
        let (prepared, used) = self.statements.get_mut(text)?;
        *used = self.uses;
        Some(Arc::clone(prepared))
    }

    pub(super) fn insert(&mut self, text: &str, prepared: Arc<Prepared>) {
        if self.statements.len() >= STATEMENTS {
            let oldest = self.statements.iter().min_by_key(|(_, (_, used))| *used).map(|(text, _)| text.clone());
            oldest.map(|text| self.statements.remove(&text));
        }
        self.statements.insert(text.to_owned(), (prepared, self.uses));
    }

    pub(super) fn remove(&mut self, text: &str) {
        self.statements.remove(text);
    }
}
