//! The records of a page of JSON.

use arrow_array::RecordBatch;
use bytes::Bytes;
use bytestring::ByteString;
use serde_json::value::RawValue;

use super::columns::{Columns, Misfit, Origin};
use super::derived::{Constants, Derived};
use super::infer::Guess;
use super::record::{Piece, elements, members};
use super::{PageError, Wanted};
use crate::block::BLOCK_ROWS;
use crate::format::MOST_COLUMNS;
use crate::ingest::settings::PageSettings;

/// How many times as many bytes as a page may have its rows may take in memory. A number of one digit takes eight bytes, and two
/// in the page.
const GROWTH: u64 = 16;

/// The records of a page: an array, one value that is a record by itself, or nothing.
#[derive(Debug, Clone, Copy)]
pub(super) enum Records<'a> {
    /// No records where they should be: null, a text, a number, or nothing at all.
    None,
    /// One.
    One(&'a RawValue),
    /// An array of them.
    Many(&'a RawValue),
}

impl<'a> Records<'a> {
    pub(super) fn of(data: Option<&'a RawValue>) -> Self {
        match data {
            Some(raw) if raw.get().starts_with('[') => Self::Many(raw),
            Some(raw) if raw.get().starts_with('{') => Self::One(raw),
            _ => Self::None,
        }
    }

    /// Their text, to tell a page from others.
    pub(super) fn text(self) -> &'a str {
        match self {
            Self::None => "",
            Self::One(raw) | Self::Many(raw) => raw.get(),
        }
    }

    /// Shows each of them, until `visit` has enough.
    fn each(self, visit: &mut impl FnMut(&'a RawValue) -> bool) -> Result<(), serde_json::Error> {
        match self {
            Self::None => Ok(()),
            Self::One(raw) => {
                visit(raw);
                Ok(())
            }
            Self::Many(raw) => elements(raw, visit),
        }
    }

    pub(super) fn count(self) -> Result<u64, serde_json::Error> {
        let mut count = 0;
        self.each(&mut |_| {
            count += 1;
            true
        })?;
        Ok(count)
    }
}

/// What the records of a page become.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) count: u64,
    pub(super) rows: Vec<RecordBatch>,
    pub(super) documents: Vec<ByteString>,
    /// How many bytes the rows take.
    bytes: u64,
}

impl Made {
    /// Adds rows, as long as they are not out of proportion: few records of many members among many of few make a table that
    /// is all but empty, and takes thousands of times as much memory as the page.
    fn add(&mut self, rows: RecordBatch, page: u64, limit: u64) -> Result<(), PageError> {
        self.bytes = self.bytes.saturating_add(rows.get_array_memory_size() as u64);
        if self.bytes > limit.max(1 << 20).saturating_mul(GROWTH) {
            let problem = format!(
                "as rows its records take more than {GROWTH} times as many bytes as a page may have (`rejoin.page.bytes`): their \
                 members differ too much; take the output `json`, or name the columns with `ms.output.schema`"
            );
            return Err(PageError::Malformed { page, problem });
        }
        self.rows.push(rows);
        Ok(())
    }
}

/// Makes rows of records, page by page.
pub(super) struct JsonRecords {
    wanted: Wanted,
    derived: Derived,
    columns: Option<Columns>,
    /// `rejoin.page.bytes`
    bytes: u64,
}

impl JsonRecords {
    pub(super) fn new(settings: &PageSettings, wanted: Wanted) -> Result<Self, Misfit> {
        let origin = Origin::Declared { leaves_out_unknown: settings.leaves_out_unknown };
        let declared = settings.schema.clone().filter(|_| wanted.rows);
        let derived = Derived::new(&settings.derived);
        let columns = declared.map(|schema| Columns::new(derived.with_columns(&schema), origin)).transpose()?;
        Ok(Self { wanted, derived, columns, bytes: settings.bytes })
    }

    /// Takes the records of a page. `body` is the text that they are part of.
    pub(super) fn take(
        &mut self,
        page: u64,
        body: &Bytes,
        records: Records<'_>,
        constants: &Constants,
    ) -> Result<Made, PageError> {
        if !self.wanted.rows && !self.wanted.documents {
            let count = records.count().map_err(|error| malformed(page, &error))?;
            return Ok(Made { count, ..Made::default() });
        }
        self.settle_columns(page, records)?;
        let mut taking = Taking { page, body, constants, records: self, made: Made::default(), failure: None };
        let read = records.each(&mut |record| taking.record(record));
        let Taking { mut made, failure, .. } = taking;
        if let Some(failure) = failure {
            return Err(failure);
        }
        read.map_err(|error| malformed(page, &error))?;
        if let Some(columns) = self.columns.as_mut().filter(|columns| columns.rows() > 0) {
            made.add(take_rows(columns, page)?, page, self.bytes)?;
        }
        Ok(made)
    }

    /// Finds out which columns there are from the first page that has records.
    fn settle_columns(&mut self, page: u64, records: Records<'_>) -> Result<(), PageError> {
        if !self.wanted.rows || self.columns.is_some() {
            return Ok(());
        }
        let mut guess = Guess::default();
        let mut inner = Ok(());
        let read = records.each(&mut |record| {
            inner = members(record, &mut |name, value| {
                guess.member(name, &Piece::of(value));
                guess.len() <= MOST_COLUMNS
            });
            inner.is_ok() && guess.len() <= MOST_COLUMNS
        });
        inner.and(read).map_err(|error| malformed(page, &error))?;
        if guess.len() > MOST_COLUMNS {
            let problem = format!(
                "its records have more than {MOST_COLUMNS} different members, and each would be a column: take the output `json`, \
                 or name the columns with `ms.output.schema`"
            );
            return Err(PageError::Malformed { page, problem });
        }
        // Records without any member have no columns: those of a later page will do.
        if !guess.is_empty() {
            let columns = Columns::new(self.derived.with_columns(&guess.schema()), Origin::Inferred);
            self.columns = Some(columns.map_err(|misfit| misfit_at(page, 1, misfit))?);
        }
        Ok(())
    }
}

/// A page whose records are being taken.
struct Taking<'r> {
    page: u64,
    body: &'r Bytes,
    constants: &'r Constants,
    records: &'r mut JsonRecords,
    made: Made,
    failure: Option<PageError>,
}

impl Taking<'_> {
    /// Takes a record; `false` when something is wrong with it.
    fn record(&mut self, record: &RawValue) -> bool {
        self.made.count += 1;
        if self.records.wanted.documents {
            // A part of a text that is UTF-8.
            let text = ByteString::try_from(self.body.slice_ref(record.get().as_bytes()));
            self.made.documents.extend(text);
        }
        self.failure = self.row(record).err();
        self.failure.is_none()
    }

    /// Makes a row of a record, if rows are wanted.
    fn row(&mut self, record: &RawValue) -> Result<(), PageError> {
        let (page, number) = (self.page, self.made.count);
        let JsonRecords { columns, derived, .. } = &mut *self.records;
        let Some(columns) = columns else { return Ok(()) };
        columns.begin_record();
        let mut misfit = Ok(());
        let read = members(record, &mut |name, value| {
            misfit = columns.put(name, value);
            misfit.is_ok()
        });
        misfit.map_err(|misfit| misfit_at(page, number, misfit))?;
        read.map_err(|error| malformed(page, &error))?;
        derived.put(record, self.constants, columns).map_err(|misfit| misfit_at(page, number, misfit))?;
        columns.end_record();
        if columns.rows() >= BLOCK_ROWS {
            let rows = take_rows(columns, page)?;
            self.made.add(rows, page, self.records.bytes)?;
        }
        Ok(())
    }
}

fn take_rows(columns: &mut Columns, page: u64) -> Result<RecordBatch, PageError> {
    columns.take().map_err(|error| PageError::Malformed { page, problem: error.to_string() })
}

fn misfit_at(page: u64, record: u64, misfit: Misfit) -> PageError {
    PageError::Misfit { page, record, field: misfit.field, problem: misfit.problem }
}

pub(super) fn malformed(page: u64, error: &serde_json::Error) -> PageError {
    PageError::Malformed { page, problem: format!("it is no JSON: {error}") }
}
