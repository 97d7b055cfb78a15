//! The columns of the records, filled member by member.

use std::borrow::Cow;
use std::collections::HashMap;

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, DataType, SchemaRef};
use serde_json::value::RawValue;

use super::error::shortened;
use super::number::{Digits, is_exact_real};
use super::record::{Piece, elements};
use crate::format::{ColumnBuilder, RowType};

/// Where the columns come from, which decides how strictly records are held to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// `ms.output.schema`: a text may be read as a number, and a number as the real that is next to it, because that was asked
    /// for. `true`: members that it does not name are left out.
    Declared { leaves_out_unknown: bool },
    /// The first page: values are of the type that was found there, and nothing is rounded.
    Inferred,
}

pub(super) struct Columns {
    schema: SchemaRef,
    origin: Origin,
    builders: Vec<ColumnBuilder>,
    places: HashMap<Box<str>, usize>,
    /// For each column, the last record that had it, from 1.
    filled: Vec<u64>,
    record: u64,
    /// Where the next member is likely to be: records have theirs in the same order.
    next: usize,
    rows: usize,
}

/// A member that does not fit.
pub(super) struct Misfit {
    pub(super) field: String,
    pub(super) problem: String,
}

impl Columns {
    /// Empty columns; `None` where rows can't have the type of one of them, whose name is given.
    pub(super) fn new(schema: SchemaRef, origin: Origin) -> Result<Self, Misfit> {
        let builders = schema.fields().iter().map(|field| {
            ColumnBuilder::of(field.data_type()).ok_or_else(|| Misfit {
                field: field.name().clone(),
                problem: format!("rows have no type for {}", field.data_type()),
            })
        });
        let builders: Vec<ColumnBuilder> = builders.collect::<Result<_, _>>()?;
        let places = schema.fields().iter().enumerate().map(|(at, field)| (field.name().as_str().into(), at)).collect();
        let filled = vec![0; builders.len()];
        Ok(Self { schema, origin, builders, places, filled, record: 0, next: 0, rows: 0 })
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn begin_record(&mut self) {
        self.record += 1;
        self.next = 0;
    }

    /// Adds a member of the record.
    #[inline]
    pub(super) fn put(&mut self, name: &str, raw: &RawValue) -> Result<(), Misfit> {
        let is_next = self.schema.fields().get(self.next).is_some_and(|field| field.name() == name);
        let at = if is_next { Some(self.next) } else { self.places.get(name).copied() };
        let Some(at) = at else { return self.unknown(name) };
        self.next = at + 1;
        self.put_at(at, Piece::of(raw))
    }

    /// Adds the value of a column that is made of others; one that the record has under the same name stays.
    pub(super) fn put_derived(&mut self, name: &str, piece: Piece<'_>) -> Result<(), Misfit> {
        match self.places.get(name).copied().filter(|at| self.filled[*at] != self.record) {
            Some(at) => self.put_at(at, piece),
            None => Ok(()),
        }
    }

    fn put_at(&mut self, at: usize, piece: Piece<'_>) -> Result<(), Misfit> {
        let misfit = |problem| Misfit { field: self.schema.field(at).name().clone(), problem };
        if self.filled[at] == self.record {
            return Err(misfit("the record has it twice".to_owned()));
        }
        self.filled[at] = self.record;
        let data_type = self.schema.field(at).data_type();
        push(&mut self.builders[at], data_type, self.origin, piece).map_err(misfit)
    }

    fn unknown(&self, name: &str) -> Result<(), Misfit> {
        let problem = match self.origin {
            Origin::Declared { leaves_out_unknown: true } => return Ok(()),
            Origin::Declared { .. } => "`ms.output.schema` does not name it",
            Origin::Inferred => "no record of the first page has it; name all columns with `ms.output.schema`",
        };
        Err(Misfit { field: name.to_owned(), problem: problem.to_owned() })
    }

    /// Ends the record: what it has not is null.
    pub(super) fn end_record(&mut self) {
        for (builder, filled) in self.builders.iter_mut().zip(&self.filled) {
            if *filled != self.record {
                builder.push_null();
            }
        }
        self.rows += 1;
    }

    /// The rows so far.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let columns = self.builders.iter_mut().map(ColumnBuilder::finish).collect();
        RecordBatch::try_new(self.schema.clone(), columns)
    }
}

#[inline]
fn push(builder: &mut ColumnBuilder, data_type: &DataType, origin: Origin, piece: Piece<'_>) -> Result<(), String> {
    if piece == Piece::Null {
        builder.push_null();
        return Ok(());
    }
    let is_inferred = origin == Origin::Inferred;
    let fits = match (&piece, data_type) {
        (_, DataType::Utf8) => true,
        (Piece::Boolean(_), other) => *other == DataType::Boolean,
        (Piece::Number(digits), DataType::Float64) => !is_inferred || is_exact_real(digits),
        (Piece::Number(_), other) => *other != DataType::Boolean,
        (Piece::Text(_), _) => !is_inferred,
        (Piece::Structure(text), other) => matches!(other, DataType::List(_)) && text.starts_with('['),
        (Piece::Null, _) => false,
    };
    let (kind, was_text) = (piece.kind(), matches!(piece, Piece::Text(_)));
    let Some(text) = piece.into_text() else { return Ok(()) };
    let pushed = fits.then(|| push_text(builder, data_type, &text, was_text)).flatten();
    pushed.ok_or_else(|| misfit(&text, kind, data_type, origin))
}

fn push_text(builder: &mut ColumnBuilder, data_type: &DataType, text: &str, was_text: bool) -> Option<()> {
    if let DataType::List(_) = data_type {
        return builder.push(&if was_text { Cow::Borrowed(text) } else { Cow::Owned(list(text)?) });
    }
    // A whole number may be written `1.0`.
    if data_type.is_integer()
        && let Some((whole, fraction)) = text.split_once('.')
        && Digits::of(text).places().is_some()
        && fraction.bytes().all(|digit| digit == b'0')
    {
        return builder.push(whole);
    }
    builder.push(text)
}

fn misfit(text: &str, kind: &str, data_type: &DataType, origin: Origin) -> String {
    let wanted = RowType::of(data_type).map_or_else(|| data_type.to_string(), |row_type| row_type.to_string());
    let text = shortened(text);
    match origin {
        Origin::Declared { .. } => format!("`{text}`, {kind}, is no value of the type {wanted}"),
        Origin::Inferred => format!(
            "`{text}`, {kind}, does not fit the type {wanted}, which follows from the first page; name the columns and their \
             types with `ms.output.schema`"
        ),
    }
}

/// A JSON array in the form that lists are read from: `{1,NULL,"a b"}`.
fn list(array: &str) -> Option<String> {
    let raw: &RawValue = serde_json::from_str(array).ok()?;
    let mut list = String::from("{");
    let read = elements(raw, &mut |element| {
        if list.len() > 1 {
            list.push(',');
        }
        match Piece::of(element).into_text() {
            None => list.push_str("NULL"),
            Some(text) => {
                list.push('"');
                for character in text.chars() {
                    if matches!(character, '"' | '\\') {
                        list.push('\\');
                    }
                    list.push(character);
                }
                list.push('"');
            }
        }
        true
    });
    read.ok()?;
    list.push('}');
    Some(list)
}
