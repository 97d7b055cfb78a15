//! How many ingestions there are, and what each is told.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::DataType;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::run::Unit;
use crate::activity::{ActivityError, Input};
use crate::block::{Block, ColumnOrigin, StreamType};
use crate::format::{ColumnChoice, ColumnText};
use crate::ingest::Json;
use crate::ingest::settings::{IngestSettings, SecondaryColumns};
use crate::ingest::variables::Values;

/// The most units of one ingestion, and the most rows of its secondary input: they are all in memory.
const MOST_UNITS: usize = 100_000;

/// A column of a row.
pub(super) type Named = (Box<str>, Json);

/// The units without a secondary input: one, or one for each window and listed unit.
pub(in crate::activity::web) fn of_none(
    settings: &IngestSettings,
    now: DateTime<Utc>,
) -> Result<Vec<Unit>, ActivityError> {
    paired(settings, vec![Values::default()], &Arc::default(), now)
}

/// The units of a secondary input: one for each row that is taken. Rows that bodies are made of are all of one unit.
pub(super) async fn of_rows(
    settings: &IngestSettings,
    mut input: Input,
    now: DateTime<Utc>,
) -> Result<Vec<Unit>, ActivityError> {
    let columns = &settings.units.columns;
    let mut rows = Vec::new();
    while let Some(block) = input.next().await? {
        let Block::Rows(block) = block else {
            return Err(ActivityError::wrong_type(StreamType::Rows, block.stream_type()));
        };
        rows.extend(read(&block)?.into_iter().filter(|row| is_taken(settings, row)));
        if rows.len() > MOST_UNITS {
            return Err(too_many());
        }
    }
    let mut payload: Arc<[Vec<Named>]> = Arc::default();
    if !columns.payload.is_empty() {
        payload = rows.iter().map(|row| chosen(row, &columns.payload)).collect();
        rows.truncate(1);
    }
    let values = rows.into_iter().map(|row| values_of(columns, row)).collect();
    paired(settings, values, &payload, now)
}

/// Every pairing of rows, windows and listed units.
fn paired(
    settings: &IngestSettings,
    rows: Vec<Values>,
    payload: &Arc<[Vec<Named>]>,
    now: DateTime<Utc>,
) -> Result<Vec<Unit>, ActivityError> {
    let windows: Vec<_> = match &settings.units.window {
        // One more than there may be: then there are too many.
        Some(window) => window.windows(now).take(MOST_UNITS + 1).map(Some).collect(),
        None => vec![None],
    };
    let listed: Vec<Option<Named>> = match &settings.units.list {
        Some(list) => list.values.iter().map(|value| Some((list.name.clone(), Json::text(value.clone())))).collect(),
        None => vec![None],
    };
    if rows.len().saturating_mul(windows.len()).saturating_mul(listed.len()) > MOST_UNITS {
        return Err(too_many());
    }
    let mut units = Vec::with_capacity(rows.len() * windows.len() * listed.len());
    let mut names = HashMap::new();
    for row in rows {
        for (place, window) in windows.iter().enumerate() {
            for listed in &listed {
                let mut values = Values { window: *window, ..row.clone() };
                values.fields.extend(listed.clone());
                let name = name_of(place, &values.fields, &mut names);
                units.push(Unit { index: units.len() as u64, name, values, payload: Arc::clone(payload) });
            }
        }
    }
    if (units.len() as u64) < settings.units.least {
        let message = format!(
            "there are {} units, and at least {} were expected (`ms.work.unit.min.units`)",
            units.len(),
            settings.units.least
        );
        return Err(ActivityError::client("HttpIngestFailed", message));
    }
    Ok(units)
}

fn too_many() -> ActivityError {
    let message = format!(
        "there are more than {MOST_UNITS} units (rows of the secondary input, windows and listed units, each with each): divide \
         them among several ingestions"
    );
    ActivityError::client("HttpIngestFailed", message)
}

/// What the progress of a unit is kept under: the place of its window, and a digest of its row, so that it is found again though
/// other rows came before it. Rows that are alike are counted.
fn name_of(window: usize, fields: &[Named], names: &mut HashMap<String, u64>) -> String {
    let mut name = (window + 1).to_string();
    if !fields.is_empty() {
        let mut hash = Sha256::new();
        for (field, value) in fields {
            hash.update(format!("{field}={value}\n"));
        }
        name.push('-');
        name.extend(hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")));
    }
    let times = names.entry(name.clone()).or_insert(0);
    *times += 1;
    if *times == 1 { name } else { format!("{name}-{times}") }
}

fn values_of(columns: &SecondaryColumns, row: Vec<Named>) -> Values {
    let mut values = Values::default();
    for (name, value) in row {
        if columns.authentication.contains(&name) {
            values.secrets.push((name, value));
        } else if !columns.payload.contains(&name)
            && columns.activation.as_ref().is_none_or(|chosen| chosen.contains(&name))
        {
            values.fields.push((name, value));
        }
    }
    values
}

fn chosen(row: &[Named], names: &[Box<str>]) -> Vec<Named> {
    row.iter().filter(|(name, _)| names.contains(name)).cloned().collect()
}

fn is_taken(settings: &IngestSettings, row: &[Named]) -> bool {
    settings.units.filters.iter().all(|(name, pattern)| {
        let value = row.iter().find(|(other, _)| other == name).map(|(_, value)| value);
        value.is_some_and(|value| *value != Json::Null && pattern.is_match(&value.to_text()))
    })
}

/// The rows of a block, by the names of their columns.
fn read(block: &RecordBatch) -> Result<Vec<Vec<Named>>, ActivityError> {
    let mut rows: Vec<Vec<Named>> = vec![Vec::with_capacity(block.num_columns()); block.num_rows()];
    for (place, field) in block.schema().fields().iter().enumerate() {
        let is_json = ColumnOrigin::of(field).type_name.as_deref() == Some("json");
        let mut column = ColumnText::new(block.schema_ref(), &ColumnChoice::Number(place + 1))?;
        let mut values = Vec::with_capacity(block.num_rows());
        column.values(block, |value| values.push(value.map(|text| json_of(text, field.data_type(), is_json))))?;
        for (row, value) in rows.iter_mut().zip(values) {
            row.push((field.name().as_str().into(), value.unwrap_or(Json::Null)));
        }
    }
    Ok(rows)
}

fn json_of(text: &str, data_type: &DataType, is_json: bool) -> Json {
    let is_plain = data_type.is_numeric() || *data_type == DataType::Boolean || is_json;
    // What is no JSON, such as `NaN`, is a text.
    if is_plain && let Ok(json) = Json::parse(text) { json } else { Json::text(text) }
}
