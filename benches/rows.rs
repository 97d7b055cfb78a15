//! Rows from `SQLite` through the pipe into text, against `sqlite3 -csv` of the same query in the same run.
//!
//! `cargo bench --bench rows`; `-- --rows 100000 --rounds 3` for a quicker look. Needs `sqlite3` on the path.

mod support {
    pub(crate) mod people;
    pub(crate) mod people_file;
    pub(crate) mod table;
}

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use arrow_array::RecordBatch;
use rejoin::block::{BLOCK_BYTES, Block, StreamType, pipe};
use rejoin::format::{CsvOptions, CsvWriter, FormatError, WebRowSetOptions, WebRowSetWriter};
use rejoin::resource::relational::sqlite::{SqliteAddress, SqliteResource, SqliteSettings};
use rejoin::resource::relational::{Parameter, SqlExecutor, Statement};
use support::people::Random;
use support::people_file::{self, SELECT_ALL, SELECT_ONE};
use support::table::{line, median};
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() -> Result<()> {
    let rows = argument("--rows", 1_000_000)?;
    let rounds = argument("--rounds", 5)?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("people.db");
    people_file::make(&path, rows)?;
    let address = SqliteAddress::parse(&format!("sqlite:{}", path.display()), folder.path())?;
    let database = Arc::new(SqliteResource::new(address, &SqliteSettings::default()));
    whole_table(&database, &path, rounds).await?;
    formats_alone(&database, rows, rounds).await?;
    one_row(&database, rows).await
}

/// The number after `name` on the command line.
fn argument(name: &str, default: u32) -> Result<u32> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name).skip(1);
    arguments.next().map_or(Ok(default), |value| value.parse().with_context(|| format!("{name} {value}")))
}

async fn whole_table(database: &Arc<SqliteResource>, path: &Path, rounds: u32) -> Result<()> {
    let mut sqlite3 = Vec::new();
    let (mut blocks, mut csv, mut xml, mut first) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=rounds {
        sqlite3.push(sqlite3_csv(path)?);
        let (whole, first_block) = read(database, |_, _| Ok(())).await?;
        blocks.push(whole);
        first.push(first_block);
        let mut writer = CsvWriter::new(CsvOptions::default())?;
        csv.push(read(database, move |rows, out| Ok(writer.rows(rows, out)?)).await?.0);
        let mut writer = WebRowSetWriter::new(WebRowSetOptions::default());
        xml.push(read(database, move |rows, out| Ok(writer.rows(rows, out)?)).await?.0);
    }
    // The first round warms up.
    let base = median(&sqlite3[1..]);
    line("sqlite3 -csv > /dev/null", &sqlite3[1..], base);
    line("blocks, discarded", &blocks[1..], base);
    line("blocks, CSV", &csv[1..], base);
    line("blocks, WebRowSet", &xml[1..], base);
    line("first block", &first[1..], base);
    Ok(())
}

/// Times the formats without anything else, on one thread: what they cost where cores are scarce.
async fn formats_alone(database: &Arc<SqliteResource>, rows: u32, rounds: u32) -> Result<()> {
    let blocks = some_blocks(database).await?;
    let held: usize = blocks.iter().map(RecordBatch::num_rows).sum();
    let (mut csv, mut xml) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let mut writer = CsvWriter::new(CsvOptions::default())?;
        csv.push(formatted(&blocks, rows, held, |block, out| writer.rows(block, out))?);
        let mut writer = WebRowSetWriter::new(WebRowSetOptions::default());
        xml.push(formatted(&blocks, rows, held, |block, out| writer.rows(block, out))?);
    }
    println!("CSV alone, {rows} rows        {:>10.2?}", median(&csv));
    println!("WebRowSet alone, {rows} rows  {:>10.2?}", median(&xml));
    Ok(())
}

async fn some_blocks(database: &Arc<SqliteResource>) -> Result<Vec<RecordBatch>> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let database = Arc::clone(database);
    let statement = Statement::new(format!("{SELECT_ALL} LIMIT 10000"), []);
    let query = tokio::spawn(async move { database.query(statement, writer, CancellationToken::new()).await });
    let mut blocks = Vec::new();
    while let Some(Block::Rows(rows)) = reader.next().await? {
        blocks.push(rows);
    }
    query.await??;
    Ok(blocks)
}

fn formatted(
    blocks: &[RecordBatch],
    rows: u32,
    held: usize,
    mut format: impl FnMut(&RecordBatch, &mut String) -> Result<(), FormatError>,
) -> Result<Duration> {
    let start = Instant::now();
    let mut out = String::with_capacity(4 * BLOCK_BYTES);
    for _ in 0..usize::try_from(rows)? / held.max(1) {
        for block in blocks {
            format(block, &mut out)?;
            std::hint::black_box(&out);
            out.clear();
        }
    }
    Ok(start.elapsed())
}

/// Times the `sqlite3` command on the same query.
fn sqlite3_csv(path: &Path) -> Result<Duration> {
    let start = Instant::now();
    let status = Command::new("sqlite3").arg("-csv").arg(path).arg(SELECT_ALL).stdout(Stdio::null()).status()?;
    if !status.success() {
        bail!("sqlite3 failed: {status}");
    }
    Ok(start.elapsed())
}

/// Reads the whole table through the pipe, and gives the time of the whole and that of the first block.
async fn read(
    database: &Arc<SqliteResource>,
    mut format: impl FnMut(&RecordBatch, &mut String) -> Result<()> + Send + 'static,
) -> Result<(Duration, Duration)> {
    let start = Instant::now();
    let (writer, mut reader) = pipe(StreamType::Rows);
    let task = tokio::spawn(async move {
        let mut first = None;
        let mut out = String::with_capacity(2 * BLOCK_BYTES);
        let mut length = 0;
        while let Some(Block::Rows(rows)) = reader.next().await? {
            first.get_or_insert_with(|| start.elapsed());
            format(&rows, &mut out)?;
            if out.len() >= BLOCK_BYTES {
                length += out.len();
                let full = std::mem::replace(&mut out, String::with_capacity(2 * BLOCK_BYTES));
                drop(std::hint::black_box(Block::Text(full.into())));
            }
        }
        std::hint::black_box(length + out.len());
        first.context("no block")
    });
    let statement = Statement::new(SELECT_ALL, []);
    database.query(statement, writer, CancellationToken::new()).await?;
    let first = task.await??;
    Ok((start.elapsed(), first))
}

/// One row by key, as a request reads it: a query task and a reader of its blocks.
async fn one_row(database: &Arc<SqliteResource>, rows: u32) -> Result<()> {
    for tasks in [1_u32, 64] {
        let total = 100_000;
        let mut measured = Vec::new();
        for _ in 0..5 {
            let start = Instant::now();
            let mut running = tokio::task::JoinSet::new();
            for task in 0..tasks {
                let database = Arc::clone(database);
                running.spawn(async move {
                    let mut random = Random(u64::from(task));
                    for _ in 0..total / tasks {
                        let key = i64::try_from(random.below(u64::from(rows)))? + 1;
                        one(&database, key).await?;
                    }
                    anyhow::Ok(())
                });
            }
            while let Some(done) = running.join_next().await {
                done??;
            }
            measured.push(start.elapsed() / total);
        }
        let middle = median(&measured);
        println!(
            "one row by key, {tasks:>2} at a time         {middle:>10.2?} each ({:.0}/s)",
            1.0 / middle.as_secs_f64()
        );
    }
    Ok(())
}

async fn one(database: &SqliteResource, key: i64) -> Result<()> {
    let (writer, mut reader) = pipe(StreamType::Rows);
    let statement = Statement::new(SELECT_ONE, [Parameter::Integer(key)]);
    let query = database.query(statement, writer, CancellationToken::new());
    let read = async {
        let mut rows = 0;
        while let Some(Block::Rows(block)) = reader.next().await? {
            rows += block.num_rows();
        }
        anyhow::Ok(rows)
    };
    let (end, seen) = tokio::join!(query, read);
    if end?.rows != 1 || seen? != 1 {
        bail!("key {key} has no row");
    }
    Ok(())
}
