use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use arrow_array::{RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use bytestring::ByteString;
use http::{HeaderMap, HeaderName};
use serde_json::value::RawValue;

use super::PageError;
use super::columns::Misfit;
use super::csv::CsvRecords;
use super::derived::Constants;
use super::envelope::{Found, Paths};
use super::error::shortened;
use super::json::{JsonRecords, Made, Records, malformed};
use super::link::next_of_headers;
use super::record::{Piece, elements};
use crate::ingest::control::{KeyValue, PageSeen};
use crate::ingest::settings::{IngestSettings, NextLink, PageForm, PageValues, SessionKey, ValuePath};

/// What is made of the records of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted {
    /// Rows.
    pub rows: bool,
    /// A document for each.
    pub documents: bool,
}

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// What decides what comes next. The address of the next page is as it was written, and the conditions were not asked.
    pub seen: PageSeen,
    /// Its records as rows, in blocks.
    pub rows: Vec<RecordBatch>,
    /// Its records as they were written.
    pub documents: Vec<ByteString>,
}

/// Reads the pages of one ingestion, one after the other.
pub struct PageReader {
    form: Form,
    paths: Paths,
    places: Places,
    key: Option<SessionKey>,
    next: Option<NextLink>,
    total: Option<ValuePath>,
    /// Whether pages are told from each other.
    has_guard: bool,
}

enum Form {
    Json(JsonRecords),
    Csv(CsvRecords),
    /// One record of one text.
    Text,
    /// Bytes that are not looked at.
    File,
}

/// The numbers of the paths.
#[derive(Debug, Default)]
struct Places {
    data: Option<usize>,
    key: Option<usize>,
    total: Option<usize>,
    values: PageValues<usize>,
    next: Option<usize>,
}

impl PageReader {
    /// A reader of answers of the form that the settings say. Of a download it reads the record, which is JSON, of the file.
    ///
    /// # Errors
    ///
    /// [`PageError::Misfit`] when `ms.output.schema` has a type that rows can't have.
    pub fn new(settings: &IngestSettings, wanted: Wanted) -> Result<Self, PageError> {
        let mut paths = Paths::default();
        let mut places = Places::default();
        let form = match &settings.page.form {
            PageForm::Json { data } => {
                places = json_places(&mut paths, settings, data.as_ref());
                Form::Json(json_records(settings, wanted)?)
            }
            PageForm::Csv(dialect) => Form::Csv(CsvRecords::new(&settings.page, dialect)),
            PageForm::Text => Form::Text,
            PageForm::File if settings.download.is_some() => {
                places.data = Some(paths.add(None));
                Form::Json(json_records(settings, wanted)?)
            }
            PageForm::File => Form::File,
        };
        Ok(Self {
            form,
            paths,
            places,
            key: settings.key.clone(),
            next: settings.paging.next.clone(),
            total: settings.paging.total.clone(),
            has_guard: settings.stop.loop_guard > 0 && settings.paging.is_on,
        })
    }

    /// Reads a page: its number from 1, its headers, and its body, unpacked. `constants` are the sources of derived columns that
    /// are the same for all its records.
    ///
    /// # Errors
    ///
    /// [`PageError`] with the place of what is wrong.
    pub fn read(
        &mut self,
        page: u64,
        headers: &HeaderMap,
        body: &Bytes,
        constants: &Constants,
    ) -> Result<Page, PageError> {
        let mut read = match &mut self.form {
            Form::Json(_) => self.read_json(page, body, constants)?,
            Form::Csv(records) => {
                let rows = records.take(page, text(page, body)?, constants)?;
                let count = rows.iter().map(RecordBatch::num_rows).sum::<usize>();
                Page { seen: seen_of(count as u64), rows, ..Page::default() }
            }
            Form::Text => read_text(page, body)?,
            Form::File => Page { seen: seen_of(u64::from(!body.is_empty())), ..Page::default() },
        };
        if read.seen.key == KeyValue::Absent
            && let Some(key) = &self.key
        {
            read.seen.key = key_of_header(headers, &key.header);
        }
        if self.next == Some(NextLink::LinkHeader) {
            read.seen.next = next_of_headers(headers);
        }
        Ok(read)
    }

    fn read_json(&mut self, page: u64, body: &Bytes, constants: &Constants) -> Result<Page, PageError> {
        let Form::Json(json) = &mut self.form else { return Ok(Page::default()) };
        let text = text(page, body)?;
        if text.trim().is_empty() {
            return Ok(Page { seen: PageSeen { is_data_missing: true, ..PageSeen::default() }, ..Page::default() });
        }
        let found = self.paths.find(text).map_err(|error| malformed(page, &error))?;
        let envelope = Envelope { places: &self.places, found: &found };
        let data = envelope.at(self.places.data);
        let records = Records::of(data);
        let Made { count, rows, documents, .. } = json.take(page, body, records, constants)?;
        let fingerprint = (self.has_guard && count > 0).then(|| fingerprint(records.text()));
        let seen = PageSeen {
            records: count,
            key: self.key.as_ref().map_or(KeyValue::Absent, |key| envelope.key(key, text)),
            total: envelope.total(page, self.total.as_ref())?,
            values: envelope.values(),
            next: envelope.at(self.places.next).and_then(|raw| Piece::of(raw).into_text()).map(Into::into),
            fingerprint,
            is_data_missing: data.is_none(),
            ..PageSeen::default()
        };
        let seen = PageSeen { next: seen.next.filter(|next| !next.trim().is_empty()), ..seen };
        Ok(Page { seen, rows, documents })
    }
}

fn json_records(settings: &IngestSettings, wanted: Wanted) -> Result<JsonRecords, PageError> {
    let refused =
        |misfit: Misfit| PageError::Misfit { page: 1, record: 1, field: misfit.field, problem: misfit.problem };
    JsonRecords::new(&settings.page, wanted).map_err(refused)
}

fn json_places(paths: &mut Paths, settings: &IngestSettings, data: Option<&ValuePath>) -> Places {
    let paging = &settings.paging;
    let mut add = |path: &Option<ValuePath>| path.as_ref().map(|path| paths.add(Some(path)));
    let values = PageValues {
        start: add(&paging.fields.start),
        size: add(&paging.fields.size),
        number: add(&paging.fields.number),
    };
    let total = add(&paging.total);
    let key = settings.key.as_ref().map(|key| paths.add(Some(&key.path)));
    let next = match &paging.next {
        Some(NextLink::Body(path)) => Some(paths.add(Some(path))),
        _ => None,
    };
    Places { data: Some(paths.add(data)), key, total, values, next }
}

fn seen_of(records: u64) -> PageSeen {
    PageSeen { records, ..PageSeen::default() }
}

fn text(page: u64, body: &Bytes) -> Result<&str, PageError> {
    std::str::from_utf8(body).map_err(|error| PageError::Malformed {
        page,
        problem: format!("it is no UTF-8, at byte {}", error.valid_up_to() + 1),
    })
}

fn read_text(page: u64, body: &Bytes) -> Result<Page, PageError> {
    let text = text(page, body)?;
    if text.is_empty() {
        return Ok(Page::default());
    }
    let schema = Arc::new(Schema::new(vec![Field::new("text", DataType::Utf8, true)]));
    let column = Arc::new(StringArray::from(vec![text]));
    let rows = RecordBatch::try_new(schema, vec![column])
        .map_err(|error| PageError::Malformed { page, problem: error.to_string() })?;
    Ok(Page { seen: seen_of(1), rows: vec![rows], documents: Vec::new() })
}

/// What was found beside the records.
struct Envelope<'p, 'a> {
    places: &'p Places,
    found: &'p Found<'a>,
}

impl<'a> Envelope<'_, 'a> {
    fn at(&self, place: Option<usize>) -> Option<&'a RawValue> {
        self.found.get(place?).copied().flatten()
    }

    fn key(&self, key: &SessionKey, body: &str) -> KeyValue {
        match self.at(self.places.key) {
            Some(raw) => Piece::of(raw).into_text().map_or(KeyValue::Null, |text| KeyValue::Text(text.into_owned())),
            None => key_of_array(key, body),
        }
    }

    /// The count that is told; `null` tells none.
    fn total(&self, page: u64, path: Option<&ValuePath>) -> Result<Option<u64>, PageError> {
        let (Some(raw), Some(path)) = (self.at(self.places.total), path) else { return Ok(None) };
        match number(raw) {
            Some(total) => Ok(Some(total)),
            None if raw.get() == "null" => Ok(None),
            None => Err(PageError::Value {
                page,
                path: path.to_string(),
                found: format!("`{}`", shortened(raw.get())),
                expected: "the number of all records (`ms.total.count.field`)",
            }),
        }
    }

    fn values(&self) -> PageValues<u64> {
        let PageValues { start, size, number: no } = self.places.values;
        let value = |place| self.at(place).and_then(number);
        PageValues { start: value(start), size: value(size), number: value(no) }
    }
}

/// A number, which may be written as a text.
fn number(raw: &RawValue) -> Option<u64> {
    match Piece::of(raw) {
        Piece::Number(digits) => digits.parse().ok(),
        Piece::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// The key of each object of an array that is the whole document, with `|` between them: so a condition may look for a name in a
/// list. A path that begins with a place has been looked for already.
fn key_of_array(key: &SessionKey, body: &str) -> KeyValue {
    let is_place = key.path.segments().first().is_some_and(|segment| segment.index.is_some());
    if is_place || !body.trim_start().starts_with('[') {
        return KeyValue::Absent;
    }
    let Ok(array) = serde_json::from_str::<&RawValue>(body) else { return KeyValue::Absent };
    let mut path = Paths::default();
    path.add(Some(&key.path));
    let mut values: Vec<String> = Vec::new();
    let read = elements(array, &mut |element| {
        if element.get().starts_with('{') {
            let found = path.find(element.get()).ok().and_then(|found| found.first().copied().flatten());
            let value = found.and_then(|raw| Piece::of(raw).into_text());
            values.push(value.map_or_else(|| "null".to_owned(), Into::into));
        }
        true
    });
    if read.is_err() || values.is_empty() { KeyValue::Absent } else { KeyValue::Text(values.join("|")) }
}

/// The header of that name; of several the last.
/// The session key that a header has.
#[must_use]
pub fn key_of_header(headers: &HeaderMap, name: &str) -> KeyValue {
    let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return KeyValue::Absent };
    match headers.get_all(name).iter().next_back().map(|value| String::from_utf8_lossy(value.as_bytes())) {
        None => KeyValue::Absent,
        Some(value) if value == "null" => KeyValue::Null,
        Some(value) => KeyValue::Text(value.into_owned()),
    }
}

fn fingerprint(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
