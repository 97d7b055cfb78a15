//! The thread that writes a decision log. What waits for it while it writes goes into one batch, with one wait for the disk.

use std::sync::mpsc;
use std::thread;

use tokio::sync::oneshot;
use uuid::Uuid;

use super::LogError;
use super::file::LogFile;
use super::records::{self, InDoubt, Known, Record};
use crate::session::transaction::Decision;

/// How many requests one batch takes.
const BATCH: usize = 256;

type Answer<T> = oneshot::Sender<Result<T, LogError>>;

enum Request {
    Write(Record, Option<Answer<()>>),
    Read(Uuid, Answer<Option<Known>>),
    Decide(Uuid, Answer<Option<Decision>>),
    InDoubt(Answer<Vec<InDoubt>>),
}

/// What a request came to, to be told when its batch is done.
type Told = Box<dyn FnOnce(Result<(), LogError>)>;

/// Hands requests to the thread, which ends with it.
pub(super) struct LogWriter {
    requests: mpsc::Sender<Request>,
}

impl LogWriter {
    pub(super) fn start(file: LogFile) -> Result<Self, LogError> {
        let (requests, received) = mpsc::channel();
        let thread = thread::Builder::new().name("transaction-log".into());
        let started = thread.spawn(move || run(file, &received));
        started.map_err(|error| LogError::Io { message: error.to_string().into() })?;
        Ok(Self { requests })
    }

    pub(super) fn note(&self, record: Record) {
        // A thread that has gone is told of where something is waited for.
        let _ = self.requests.send(Request::Write(record, None));
    }

    pub(super) async fn write(&self, record: Record) -> Result<(), LogError> {
        self.ask(|answer| Request::Write(record, Some(answer))).await
    }

    pub(super) async fn read(&self, transaction: Uuid) -> Result<Option<Known>, LogError> {
        self.ask(|answer| Request::Read(transaction, answer)).await
    }

    pub(super) async fn decide(&self, transaction: Uuid) -> Result<Option<Decision>, LogError> {
        self.ask(|answer| Request::Decide(transaction, answer)).await
    }

    pub(super) async fn in_doubt(&self) -> Result<Vec<InDoubt>, LogError> {
        self.ask(Request::InDoubt).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T, LogError> {
        let (answer, answered) = oneshot::channel();
        self.requests.send(request(answer)).map_err(|_| LogError::Closed)?;
        answered.await.unwrap_or(Err(LogError::Closed))
    }
}

fn run(mut log: LogFile, requests: &mpsc::Receiver<Request>) {
    while let Ok(first) = requests.recv() {
        let batch: Vec<Request> = std::iter::once(first).chain(requests.try_iter()).take(BATCH).collect();
        let is_safe = batch.iter().any(|request| matches!(request, Request::Write(_, Some(_)) | Request::Decide(..)));
        let mut told: Vec<Told> = Vec::new();
        let done = log.batch(is_safe, |connection| {
            batch.into_iter().try_for_each(|request| {
                told.push(perform(connection, request)?);
                Ok(())
            })
        });
        if let Err(error) = &done {
            tracing::error!(%error, "the transaction log could not be written");
        }
        for tell in told {
            tell(done.clone());
        }
        if let Err(error) = log.sweep() {
            tracing::warn!(%error, "old records could not be removed from the transaction log");
        }
    }
}

/// Performs one request; gives what tells whoever asked.
fn perform(connection: &rusqlite::Connection, request: Request) -> Result<Told, LogError> {
    Ok(match request {
        Request::Write(record, answer) => {
            records::put(connection, &record)?;
            telling(answer, ())
        }
        Request::Read(transaction, answer) => telling(Some(answer), records::get(connection, transaction)?),
        Request::InDoubt(answer) => telling(Some(answer), records::in_doubt(connection)?),
        Request::Decide(transaction, answer) => telling(Some(answer), records::decide(connection, transaction)?),
    })
}

fn telling<T: 'static>(answer: Option<Answer<T>>, value: T) -> Told {
    Box::new(move |done| {
        if let Some(answer) = answer {
            // Whoever asked may have gone.
            let _ = answer.send(done.map(|()| value));
        }
    })
}
