use std::sync::Arc;

use arrow_array::{ArrayRef, ListArray};
use arrow_buffer::{NullBuffer, OffsetBuffer};
use arrow_schema::Field;

use super::column::ColumnBuilder;
use super::value_text::push_value;
use super::{Kind, Malformed, fixed};
use crate::resource::relational::pieces::{Pieces, fitted};

/// How many dimensions an array may have in PostgreSQL.
const DIMENSIONS: usize = 6;

/// Takes the arrays of one column.
///
/// What was received is kept until the block is built: where one array has no list, because it has two dimensions, say, they all
/// become text.
#[derive(Debug)]
pub(super) struct ListBuilder {
    element: Kind,
    offsets: Vec<i32>,
    elements: ColumnBuilder,
    received: Pieces,
}

/// The array has no list.
#[derive(Debug)]
pub(super) enum NoList {
    Dimensions,
    Malformed,
}

impl From<Malformed> for NoList {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

impl ListBuilder {
    pub(super) fn new(element: &Kind) -> Self {
        Self {
            element: element.clone(),
            offsets: vec![0],
            elements: ColumnBuilder::new(element.clone(), 0, 0),
            received: Pieces::with_capacity(0, 0),
        }
    }

    pub(super) fn push_null(&mut self) {
        self.received.end_value();
        self.end_value();
    }

    fn end_value(&mut self) {
        self.offsets.push(i32::try_from(self.elements.len()).unwrap_or(i32::MAX));
    }

    /// Appends one array. One that has no list changes nothing.
    pub(super) fn push(&mut self, raw: &[u8]) -> Result<(), NoList> {
        let (dimensions, elements) = header(raw)?;
        let length = match dimensions.as_slice() {
            [] => 0,
            [(length, 1)] => *length,
            _ => return Err(NoList::Dimensions),
        };
        let mut elements = Elements(elements);
        for _ in 0..length {
            self.elements.push(elements.next()?)?;
            if self.elements.has_changed() {
                return Err(NoList::Dimensions);
            }
        }
        self.received.push(raw);
        self.end_value();
        Ok(())
    }

    /// All arrays so far as text.
    pub(super) fn into_text(self, is_null: impl Fn(usize) -> bool) -> Result<Pieces, Malformed> {
        let kind = Kind::List(Box::new(self.element));
        let mut text = Pieces::with_capacity(self.received.len(), self.received.bytes.len());
        for index in 0..self.received.len() {
            if !is_null(index) {
                push_value(&mut text.bytes, &kind, self.received.value(index))?;
            }
            text.end_value();
        }
        Ok(text)
    }

    pub(super) fn finish(self, nulls: Option<NullBuffer>) -> Result<ArrayRef, usize> {
        let field = Arc::new(Field::new("item", self.element.data_type(), true));
        let offsets = OffsetBuffer::new(fitted(self.offsets).into());
        let elements = self.elements.finish().map_err(|element| {
            let is_behind = |end: &i32| usize::try_from(*end).unwrap_or(0) > element;
            offsets.iter().position(is_behind).map_or(0, |index| index.saturating_sub(1))
        })?;
        Ok(Arc::new(ListArray::new(field, offsets, elements, nulls)))
    }
}

/// The dimensions of an array, each with its length and its first index.
pub(super) type Dimensions = Vec<(usize, i32)>;

/// The dimensions of an array, and the bytes of its elements.
pub(super) fn header(raw: &[u8]) -> Result<(Dimensions, &[u8]), Malformed> {
    let (head, mut rest) = raw.split_at_checked(12).ok_or(Malformed)?;
    let count = usize::try_from(number(&head[..4])?).map_err(|_| Malformed)?;
    if count > DIMENSIONS {
        return Err(Malformed);
    }
    let mut dimensions = Vec::with_capacity(count);
    for _ in 0..count {
        let (dimension, behind) = rest.split_at_checked(8).ok_or(Malformed)?;
        let length = usize::try_from(number(&dimension[..4])?).map_err(|_| Malformed)?;
        dimensions.push((length, number(&dimension[4..])?));
        rest = behind;
    }
    // Each element takes four bytes at least: no array is larger than what was received.
    let elements = dimensions.iter().try_fold(1_usize, |product, (length, _)| product.checked_mul(*length));
    match elements {
        Some(elements) if dimensions.is_empty() || (elements > 0 && elements <= rest.len() / 4) => {
            Ok((dimensions, rest))
        }
        _ => Err(Malformed),
    }
}

fn number(raw: &[u8]) -> Result<i32, Malformed> {
    Ok(i32::from_be_bytes(fixed(raw)?))
}

/// The elements of an array, one after the other.
#[derive(Debug)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The next element; `None` is NULL.
    pub(super) fn next(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        let (length, rest) = self.0.split_at_checked(4).ok_or(Malformed)?;
        let Ok(length) = usize::try_from(number(length)?) else {
            self.0 = rest;
            return Ok(None);
        };
        let (element, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        Ok(Some(element))
    }
}
