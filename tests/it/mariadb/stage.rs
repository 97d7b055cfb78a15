//! What the tests of this folder share.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use rejoin::block::{Block, StreamType, pipe};
use rejoin::resource::relational::access::{AccessSettings, Login, PasswordSource};
use rejoin::resource::relational::{Parameter, ParameterRows, RelationalResource, SqlExecutor, Statement};
use rejoin::resource::{DataResource, ResourceError, ResourceRegistry, ResourceSettings};
use tokio_util::sync::CancellationToken;

use crate::databases::{MariaDbServer, PASSWORD};

/// A resource over an empty database.
pub(super) struct Stage {
    pub(super) server: &'static MariaDbServer,
    pub(super) database: String,
    pub(super) resource: Arc<dyn DataResource>,
    _folder: tempfile::TempDir,
}

/// A folder with the password of the tests' user in a file, and a log-in that reads it.
pub(super) fn password_file() -> (tempfile::TempDir, PasswordSource) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, format!("{PASSWORD}\n")).unwrap();
    (folder, PasswordSource::File(path))
}

/// Opens a resource as a configuration does.
pub(super) fn open(uri: &str, access: AccessSettings) -> Arc<dyn DataResource> {
    let mut settings = ResourceSettings::new(uri, Path::new("."));
    settings.access = access;
    ResourceRegistry::with_defaults().open(&settings).unwrap()
}

impl Stage {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A stage whose resource has other settings.
    pub(super) fn with(change: impl FnOnce(&mut AccessSettings)) -> Self {
        let server = MariaDbServer::shared();
        let database = server.create_database();
        let (folder, password) = password_file();
        let mut access = AccessSettings { login: Login { user: None, password: Some(password) }, ..Default::default() };
        change(&mut access);
        let resource = open(&server.uri(&database), access);
        Self { server, database, resource, _folder: folder }
    }

    /// The database as a client of SQL sees it.
    pub(super) fn sql(&self) -> &dyn RelationalResource {
        self.resource.as_relational().unwrap()
    }

    /// Runs statements by the database's own command.
    pub(super) fn run(&self, sql: &str) -> String {
        self.server.run(&self.database, sql)
    }

    /// How many connections the resource has to the server.
    pub(super) fn connections(&self) -> usize {
        self.run("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE()").parse::<usize>().unwrap()
            - 1
    }

    /// The statements that run in the database now, but for this one.
    pub(super) fn running(&self) -> String {
        self.run(
            "SELECT INFO FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO IS NOT NULL \
             AND ID <> CONNECTION_ID()",
        )
    }
}

/// Runs a query and gives its blocks.
pub(super) async fn blocks(
    executor: &dyn SqlExecutor,
    sql: &str,
    parameters: impl IntoIterator<Item = Parameter>,
) -> Result<Vec<RecordBatch>, ResourceError> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let reading = async {
        let mut blocks = Vec::new();
        while let Ok(Some(block)) = reader.next().await {
            let Block::Rows(rows) = block else { panic!("rows were expected") };
            blocks.push(rows);
        }
        blocks
    };
    let statement = Statement::new(sql, parameters);
    let (done, blocks) = tokio::join!(executor.query(statement, writer, CancellationToken::new()), reading);
    let rows: usize = blocks.iter().map(RecordBatch::num_rows).sum();
    done.map(|end| {
        assert_eq!(end.rows, rows as u64);
        blocks
    })
}

/// Runs a query and gives its rows as CSV, without the names.
pub(super) async fn csv(executor: &dyn SqlExecutor, sql: &str) -> Result<String, ResourceError> {
    csv_with(executor, sql, []).await
}

/// As [`csv`], with parameters.
pub(super) async fn csv_with(
    executor: &dyn SqlExecutor,
    sql: &str,
    parameters: impl IntoIterator<Item = Parameter>,
) -> Result<String, ResourceError> {
    let mut text = Vec::new();
    for block in blocks(executor, sql, parameters).await? {
        for row in 0..block.num_rows() {
            let values: Vec<String> = block.columns().iter().map(|column| shown(column, row)).collect();
            text.push(values.join(","));
        }
    }
    Ok(text.join("\n"))
}

/// A value as text.
pub(super) fn shown(column: &dyn arrow_array::Array, row: usize) -> String {
    use arrow_array::cast::AsArray;
    use arrow_array::types::{Int8Type, Int16Type, Int32Type, Int64Type, UInt32Type, UInt64Type};
    use arrow_schema::DataType;
    if column.is_null(row) {
        return "NULL".into();
    }
    match column.data_type() {
        DataType::Utf8 => column.as_string::<i32>().value(row).into(),
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).to_string(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).to_string(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).to_string(),
        DataType::UInt64 => column.as_primitive::<UInt64Type>().value(row).to_string(),
        DataType::Decimal128(..) => column.as_primitive::<arrow_array::types::Decimal128Type>().value_as_string(row),
        other => panic!("{other} is not expected here"),
    }
}

/// Runs an update once, and gives how many rows it changed.
pub(super) async fn update(
    executor: &dyn SqlExecutor,
    sql: &str,
    parameters: impl IntoIterator<Item = Parameter>,
) -> Result<u64, ResourceError> {
    executor.update(sql.into(), ParameterRows::one(parameters), CancellationToken::new()).await
}
