//! PostgreSQL, as a data resource: against a real server.

mod access;
mod calls;
mod changes;
mod csv;
mod cursors;
mod faults;
mod loads;
mod open_transactions;
mod queries;
mod schema;
mod transactions;
mod two_phase;
mod types;
mod updates;

use std::io::Write;
use std::sync::{Arc, LazyLock};

use arrow_array::RecordBatch;
use rejoin::block::{Block, BlockReader, StreamType, pipe};
use rejoin::resource::relational::access::{Login, PasswordSource};
use rejoin::resource::relational::{Parameter, ParameterRows, QueryEnd, RelationalResource, SqlExecutor, Statement};
use rejoin::resource::{DataResource, ResourceError, ResourceRegistry, ResourceSettings};
use tempfile::NamedTempFile;
use tokio_util::sync::CancellationToken;

use crate::databases::{PASSWORD, PostgresServer};

/// Holds the password of the test servers.
static PASSWORD_FILE: LazyLock<NamedTempFile> = LazyLock::new(|| {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(PASSWORD.as_bytes()).unwrap();
    file
});

/// Settings by which a database of a test server is reached.
fn settings(server: &PostgresServer, database: &str) -> ResourceSettings {
    let mut settings = ResourceSettings::new(server.uri(database), ".");
    settings.access.login = Login { user: None, password: Some(password()) };
    settings
}

fn password() -> PasswordSource {
    PasswordSource::File(PASSWORD_FILE.path().to_owned())
}

fn open(settings: &ResourceSettings) -> Arc<dyn DataResource> {
    ResourceRegistry::with_defaults().open(settings).unwrap()
}

/// A new database on the shared server.
fn new_database() -> Database {
    let server = PostgresServer::shared();
    let name = server.create_database();
    Database { resource: open(&settings(server, &name)), name }
}

/// A database of the shared server, as a data resource.
struct Database {
    name: String,
    resource: Arc<dyn DataResource>,
}

impl Database {
    fn sql(&self) -> &dyn RelationalResource {
        self.resource.as_relational().unwrap()
    }

    /// Runs statements by the database's own command.
    fn psql(&self, sql: &str) -> String {
        PostgresServer::shared().run(&self.name, sql)
    }

    async fn query(
        &self,
        sql: &str,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Result<Vec<RecordBatch>, ResourceError> {
        query(self.sql(), sql, parameters).await
    }

    async fn update(&self, sql: &str, parameters: impl IntoIterator<Item = Parameter>) -> Result<u64, ResourceError> {
        update(self.sql(), sql, parameters).await
    }
}

/// Runs a query to its end.
async fn query(
    sql: &(impl SqlExecutor + ?Sized),
    text: &str,
    parameters: impl IntoIterator<Item = Parameter>,
) -> Result<Vec<RecordBatch>, ResourceError> {
    let (writer, reader) = pipe(StreamType::Rows);
    let statement = Statement::new(text, parameters);
    let (end, blocks) = tokio::join!(sql.query(statement, writer, CancellationToken::new()), read_all(reader));
    let QueryEnd { rows } = end?;
    let blocks = blocks.unwrap();
    assert_eq!(rows, blocks.iter().map(|block| block.num_rows() as u64).sum::<u64>());
    assert!(!blocks.is_empty(), "there is a block even without rows");
    Ok(blocks)
}

/// All blocks; `None` when the stream broke off.
async fn read_all(mut reader: BlockReader) -> Option<Vec<RecordBatch>> {
    let mut blocks = Vec::new();
    while let Some(block) = reader.next().await.ok()? {
        let Block::Rows(rows) = block else { panic!("rows were expected") };
        blocks.push(rows);
    }
    Some(blocks)
}

async fn update(
    sql: &(impl SqlExecutor + ?Sized),
    text: &str,
    parameters: impl IntoIterator<Item = Parameter>,
) -> Result<u64, ResourceError> {
    sql.update(text.to_owned(), ParameterRows::one(parameters), CancellationToken::new()).await
}
