//! Loading a stream of rows into a table, block by block, by one prepared statement.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use rusqlite::CachedStatement;
use tokio_util::sync::CancellationToken;

use super::jobs::Savepoint;
use super::{Desk, LoadedValues};
use crate::block::{Block, BlockReader};
use crate::resource::ResourceError;
use crate::resource::relational::sqlite::connection::SqliteConnection;
use crate::resource::relational::sqlite::control::Control;
use crate::resource::relational::sqlite::error::{resource_error, sql};
use crate::resource::relational::sqlite::shape::makes_numbers;
use crate::resource::relational::{BulkLoad, Dialect};

/// Loads all rows or none, as a part of the transaction that is open.
pub(in crate::resource::relational::sqlite) async fn load(
    desk: &Desk,
    load: BulkLoad,
    mut rows: BlockReader,
    cancel: CancellationToken,
) -> Result<u64, ResourceError> {
    let Some(first) = next(&mut rows, &cancel).await? else { return Ok(0) };
    let mut writer = desk.writer.lock().await;
    if writer.is_none() {
        *writer = Some(desk.pool.writer_for_long(&cancel).await?);
    }
    let savepoint = Savepoint::set(desk)?;
    let mut loading = Loading::begin(desk, &load, &first, &cancel)?;
    let mut block = Some(first);
    while let Some(rows_of_block) = block {
        loading.insert(&rows_of_block)?;
        block = next(&mut rows, &cancel).await?;
    }
    let loaded = loading.loaded;
    drop(loading);
    savepoint.release()?;
    Ok(loaded)
}

/// Loads block by block, each by itself: others may write in between, and what was loaded before a failure stays.
pub(in crate::resource::relational::sqlite) async fn load_in_parts(
    desk: &Desk,
    mut load: BulkLoad,
    mut rows: BlockReader,
    cancel: CancellationToken,
) -> Result<u64, ResourceError> {
    let mut loaded = 0;
    while let Some(block) = next(&mut rows, &cancel).await? {
        let _writer = desk.pool.writer_for_long(&cancel).await?;
        desk.connection.run_own("BEGIN IMMEDIATE")?;
        let insert = || {
            let mut loading = Loading::begin(desk, &load, &block, &cancel)?;
            loading.loaded = loaded;
            loading.insert(&block)?;
            Ok(loading.loaded)
        };
        match insert() {
            Ok(so_far) => {
                desk.connection.run_own("COMMIT")?;
                loaded = so_far;
                load.create = false;
            }
            Err(error) => {
                // A connection that can't even do this is closed.
                let _ = desk.connection.run_own("ROLLBACK");
                return Err(error);
            }
        }
    }
    Ok(loaded)
}

async fn next(rows: &mut BlockReader, cancel: &CancellationToken) -> Result<Option<RecordBatch>, ResourceError> {
    let block = tokio::select! {
        biased;
        () = cancel.cancelled() => return Err(ResourceError::Cancelled),
        // What broke the stream is reported where it happened.
        block = rows.next() => block.map_err(|_| ResourceError::Cancelled)?,
    };
    match block {
        None => Ok(None),
        Some(Block::Rows(rows)) => Ok(Some(rows)),
        Some(other) => Err(sql(format!("the input carries {}; rows expected", other.stream_type()))),
    }
}

/// Which columns of the rows go into columns of the table that make numbers of texts.
fn make_numbers(connection: &SqliteConnection, load: &BulkLoad, schema: &Schema) -> Result<Vec<bool>, ResourceError> {
    let mut statement = connection.prepare("SELECT lower(name), type FROM pragma_table_xinfo(?)")?;
    let declared = statement.query_map([&load.table.name], |row| Ok((row.get(0)?, row.get(1)?)));
    let declared: HashMap<String, String> =
        declared.and_then(|declared| declared.collect::<Result<_, _>>()).map_err(resource_error)?;
    let of = |name: &str| declared.get(&name.to_ascii_lowercase()).is_some_and(|declared| makes_numbers(declared));
    Ok(schema.fields().iter().map(|field| of(field.name())).collect())
}

/// A table that is being filled.
struct Loading<'d> {
    desk: &'d Desk,
    statement: CachedStatement<'d>,
    control: Arc<Control>,
    /// Which columns of the table make numbers of texts.
    make_numbers: Vec<bool>,
    loaded: u64,
}

impl<'d> Loading<'d> {
    /// Makes the table, if that is wanted, and prepares the statement for rows like the first ones.
    fn begin(
        desk: &'d Desk,
        load: &BulkLoad,
        first: &RecordBatch,
        cancel: &CancellationToken,
    ) -> Result<Self, ResourceError> {
        let control = Arc::new(Control::new(cancel.clone(), None));
        let schema = first.schema();
        let (make_numbers, statement) = {
            let _guard = desk.connection.under(&control);
            if load.create {
                desk.connection.run_own(&Dialect::Sqlite.create_table(&load.table, &schema)?)?;
            }
            let names: Vec<String> = schema.fields().iter().map(|field| Dialect::Sqlite.quoted(field.name())).collect();
            let places = vec!["?"; names.len()].join(", ");
            let table = Dialect::Sqlite.table(&load.table);
            let insert = format!("INSERT INTO {table} ({}) VALUES ({places})", names.join(", "));
            (make_numbers(&desk.connection, load, &schema)?, desk.connection.prepare(&insert)?)
        };
        Ok(Self { desk, statement, control, make_numbers, loaded: 0 })
    }

    fn insert(&mut self, rows: &RecordBatch) -> Result<(), ResourceError> {
        let _guard = self.desk.connection.under(&self.control);
        let columns = LoadedValues::of_columns(rows, &self.make_numbers, self.loaded)?;
        for row in 0..rows.num_rows() {
            if self.control.is_stopped() {
                return Err(ResourceError::Cancelled);
            }
            for (column, position) in columns.iter().zip(1..) {
                column.bind(&mut self.statement, position, row).map_err(resource_error)?;
            }
            self.statement.raw_execute().map_err(resource_error)?;
            self.loaded += 1;
        }
        Ok(())
    }
}
