//! The records of a page of CSV.

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};

use super::PageError;
use super::dialect::{cut, with_usual_quotes};
use crate::format::{CsvColumns, CsvReader, CsvReaderOptions, FormatError, RowType};
use crate::ingest::settings::{CsvPage, PageSettings};

/// Makes rows of CSV, page by page.
pub(super) struct CsvRecords {
    dialect: CsvPage,
    /// `ms.output.schema`
    declared: Option<SchemaRef>,
    /// The columns of the first page that had any: those of all others.
    schema: Option<SchemaRef>,
}

impl CsvRecords {
    pub(super) fn new(settings: &PageSettings, dialect: &CsvPage) -> Self {
        Self { dialect: dialect.clone(), declared: settings.schema.clone(), schema: None }
    }

    /// Takes the records of a page.
    pub(super) fn take(&mut self, page: u64, text: &str) -> Result<Vec<RecordBatch>, PageError> {
        let (header, rest) = cut(text, &self.dialect);
        if rest.trim().is_empty() {
            return Ok(Vec::new());
        }
        let read = self.read(header, rest);
        let mut blocks = read.map_err(|error| PageError::Malformed { page, problem: error.to_string() })?;
        blocks.retain(|rows| rows.num_rows() > 0);
        let mut rows = Vec::with_capacity(blocks.len());
        for block in blocks {
            rows.push(self.chosen(page, &block)?);
        }
        Ok(rows)
    }

    fn read(&self, header: Option<&str>, rest: &str) -> Result<Vec<RecordBatch>, FormatError> {
        let options = CsvReaderOptions {
            delimiter: char::from(self.dialect.separator),
            header: header.is_some(),
            columns: self.columns(),
            ..CsvReaderOptions::default()
        };
        let mut reader = CsvReader::new(options)?;
        let mut blocks = Vec::new();
        if let Some(header) = header {
            reader.text(&with_usual_quotes(header, &self.dialect), &mut blocks)?;
            reader.text("\n", &mut blocks)?;
        }
        reader.text(&with_usual_quotes(rest, &self.dialect), &mut blocks)?;
        reader.end(&mut blocks)?;
        Ok(blocks)
    }

    /// The types of the columns: as declared, else as on the first page, else guessed.
    fn columns(&self) -> CsvColumns {
        // A choice of columns by place can't be declared in front: the places are those of the text.
        let known =
            if self.dialect.columns.is_empty() { self.schema.as_ref().or(self.declared.as_ref()) } else { None };
        match known {
            Some(schema) => {
                let column = |field: &arrow_schema::FieldRef| {
                    (field.name().clone(), RowType::of(field.data_type()).unwrap_or(RowType::TEXT))
                };
                CsvColumns::Declared(schema.fields().iter().map(column).collect())
            }
            None if self.dialect.is_text || !self.dialect.columns.is_empty() => CsvColumns::Text,
            None => CsvColumns::Inferred,
        }
    }

    /// The columns that are taken, and the same ones on every page.
    fn chosen(&mut self, page: u64, block: &RecordBatch) -> Result<RecordBatch, PageError> {
        let malformed = |problem: String| PageError::Malformed { page, problem };
        let wanted: Vec<usize> = match (&self.schema.clone().or_else(|| self.declared.clone()), &*self.dialect.columns)
        {
            (Some(schema), []) => {
                let places = schema.fields().iter().map(|field| block.schema_ref().index_of(field.name()));
                places.collect::<Result<_, _>>().map_err(|error| malformed(error.to_string()))?
            }
            (None, []) => (0..block.num_columns()).collect(),
            (_, columns) => columns.to_vec(),
        };
        let rows = block.project(&wanted).map_err(|error| malformed(error.to_string()))?;
        let schema = self.schema.get_or_insert_with(|| rows.schema());
        if !same_columns(schema, rows.schema_ref()) {
            let names = |schema: &Schema| {
                schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>().join(", ")
            };
            return Err(malformed(format!(
                "its columns are {}, and those of the first page {}",
                names(rows.schema_ref()),
                names(schema)
            )));
        }
        Ok(rows)
    }
}

fn same_columns(one: &Schema, other: &Schema) -> bool {
    let column = |field: &arrow_schema::FieldRef| (field.name().clone(), field.data_type().clone());
    one.fields().iter().map(column).eq(other.fields().iter().map(column))
}
