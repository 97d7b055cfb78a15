use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::{Field, Schema, SchemaRef};
use parking_lot::Mutex;

use super::Kind;
use crate::block::ColumnOrigin;

/// The columns of a result, before any row was seen.
#[derive(Debug)]
pub(in super::super) struct ResultShape {
    pub(in super::super) columns: Vec<ColumnShape>,
    last_schema: Mutex<Option<SchemaRef>>,
}

/// One column of a result.
#[derive(Debug, Clone)]
pub(in super::super) struct ColumnShape {
    pub(in super::super) name: String,
    pub(in super::super) kind: Kind,
    pub(in super::super) origin: ColumnOrigin,
}

impl ResultShape {
    pub(in super::super) fn new(columns: Vec<ColumnShape>) -> Self {
        Self { columns, last_schema: Mutex::default() }
    }

    /// The schema of a block of these columns. Most blocks of a statement have the same, so the last one is kept.
    pub(super) fn schema(&self, arrays: &[ArrayRef]) -> SchemaRef {
        let mut last = self.last_schema.lock();
        let fits = |schema: &&SchemaRef| {
            schema.fields().iter().zip(arrays).all(|(field, array)| field.data_type() == array.data_type())
        };
        if let Some(last) = last.as_ref().filter(fits) {
            return Arc::clone(last);
        }
        let columns = self.columns.iter().zip(arrays);
        let fields: Vec<Field> = columns
            .map(|(column, array)| {
                Field::new(&column.name, array.data_type().clone(), true).with_metadata(column.origin.to_metadata())
            })
            .collect();
        Arc::clone(last.insert(Arc::new(Schema::new(fields))))
    }
}
