//! A database that answers words instead of SQL, and that can write CSV by itself, or can't.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use arrow_array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use async_trait::async_trait;
use rejoin::block::{Block, BlockWriter};
use rejoin::format::{CsvOptions, CsvWriter};
use rejoin::resource::relational::{
    CsvForm, DatabaseSchema, Dialect, ParameterRows, QueryEnd, RelationalResource, SchemaFilter, SqlExecutor, Statement,
};
use rejoin::resource::{DataResource, DataResourceFactory, Product, ResourceError, ResourceSettings};
use tokio_util::sync::CancellationToken;

/// Opens `writes-csv:` URIs, or others: databases that differ in nothing else.
pub(crate) struct ScribeFactory {
    pub(crate) scheme: &'static str,
    pub(crate) writes_csv: bool,
    pub(crate) counts: Arc<Counts>,
}

/// What the databases were asked for.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) csv_asked: AtomicU32,
    pub(crate) csv_written: AtomicU32,
    pub(crate) queries: AtomicU32,
    /// Statements that run now.
    pub(crate) running: AtomicU32,
}

impl DataResourceFactory for ScribeFactory {
    fn scheme(&self) -> &'static str {
        self.scheme
    }

    fn open(&self, _: &ResourceSettings) -> Result<Arc<dyn DataResource>, ResourceError> {
        Ok(Arc::new(Scribe { writes_csv: self.writes_csv, counts: Arc::clone(&self.counts) }))
    }
}

#[derive(Debug)]
struct Scribe {
    writes_csv: bool,
    counts: Arc<Counts>,
}

#[async_trait]
impl DataResource for Scribe {
    fn product(&self) -> Product {
        Product { name: "Scribe".into(), version: "1".into() }
    }

    async fn health(&self) -> Result<(), ResourceError> {
        Ok(())
    }

    fn as_relational(&self) -> Option<&dyn RelationalResource> {
        Some(self)
    }
}

impl RelationalResource for Scribe {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }
}

#[async_trait]
impl SqlExecutor for Scribe {
    async fn query(
        &self,
        statement: Statement,
        output: BlockWriter,
        _: CancellationToken,
    ) -> Result<QueryEnd, ResourceError> {
        self.counts.queries.fetch_add(1, Ordering::SeqCst);
        let end = self.answer(&statement.sql, &output, Block::Rows).await?;
        output.finish().await;
        Ok(end)
    }

    async fn query_csv(
        &self,
        statement: &Statement,
        form: &CsvForm,
        output: &BlockWriter,
        _: CancellationToken,
    ) -> Result<Option<QueryEnd>, ResourceError> {
        self.counts.csv_asked.fetch_add(1, Ordering::SeqCst);
        if !self.writes_csv {
            return Ok(None);
        }
        let CsvForm { delimiter, null, header } = form.clone();
        let mut writer = CsvWriter::new(CsvOptions { delimiter, null, header, ..CsvOptions::default() }).unwrap();
        let mut has_begun = false;
        let as_text = |rows: RecordBatch| {
            let mut text = String::new();
            if !std::mem::replace(&mut has_begun, true) {
                writer.begin(&rows.schema(), &mut text);
            }
            writer.rows(&rows, &mut text).unwrap();
            Block::Text(text.into())
        };
        let end = self.answer(&statement.sql, output, as_text).await?;
        self.counts.csv_written.fetch_add(1, Ordering::SeqCst);
        Ok(Some(end))
    }

    async fn update(&self, _: String, _: ParameterRows, _: CancellationToken) -> Result<u64, ResourceError> {
        Err(ResourceError::unsupported("nothing to change"))
    }

    async fn schema(&self, _: &SchemaFilter) -> Result<DatabaseSchema, ResourceError> {
        Err(ResourceError::unsupported("no schema"))
    }
}

impl Scribe {
    /// Sends the rows that a word asks for.
    async fn answer(
        &self,
        word: &str,
        output: &BlockWriter,
        mut form: impl FnMut(RecordBatch) -> Block + Send,
    ) -> Result<QueryEnd, ResourceError> {
        let _running = Running::count(&self.counts);
        let (blocks, fails) = match word {
            "nothing" => (0, false),
            "some" => (3, false),
            "many" => (5_000, false),
            "endless" => (u32::MAX, false),
            "fails" => (0, true),
            "fails late" => (5_000, true),
            other => panic!("`{other}` is no word of this database"),
        };
        send(output, form(sample().slice(0, 0))).await?;
        for _ in 0..blocks {
            send(output, form(sample())).await?;
        }
        if fails {
            let (message, code) = ("there is no such word".to_owned(), "42000".into());
            return Err(ResourceError::Sql { message, code, offset: None });
        }
        Ok(QueryEnd { rows: u64::from(blocks) * sample().num_rows() as u64 })
    }
}

/// Counts a statement for as long as it runs.
struct Running(Arc<Counts>);

impl Running {
    fn count(counts: &Arc<Counts>) -> Self {
        counts.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(counts))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn send(output: &BlockWriter, block: Block) -> Result<(), ResourceError> {
    match &block {
        Block::Text(text) if text.is_empty() => Ok(()),
        _ => output.send(block).await.map_err(|_| ResourceError::Cancelled),
    }
}

/// Rows with something to quote and something to leave out.
fn sample() -> RecordBatch {
    let columns: [(&str, ArrayRef); 2] = [
        ("id", Arc::new(Int64Array::from(vec![Some(1), None, Some(3)]))),
        ("word", Arc::new(StringArray::from(vec![Some("a;b,c"), Some("say \"hi\""), None]))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}
