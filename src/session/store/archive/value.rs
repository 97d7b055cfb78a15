//! Values of attributes: as text where that shows all of them.

use bytestring::ByteString;
use serde::{Deserialize, Serialize};

use super::forms::{BytesForm, Real, RealForm};
use crate::block::{Block, Scalar, StreamType};
use crate::session::attributes::StreamPiece;
use crate::session::{AttributeValue, StoredStream, StoredValue, ValueError, ValueKind};

/// A value, under the name of its kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ValueForm {
    Text(String),
    Integer(i64),
    Real(RealForm),
    Boolean(bool),
    Xml(String),
    /// The pieces as they are stored.
    RowStream(Vec<BytesForm>),
    TextStream(Vec<TextPiece>),
    /// The pieces as they are stored.
    ByteStream(Vec<BytesForm>),
    EmptyStream,
}

/// A piece of a stream of text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextPiece {
    /// What it counts for of its session's bytes.
    bytes: u64,
    blocks: Vec<String>,
}

impl ValueForm {
    /// The form of what is stored, if that is whole.
    pub(super) fn of(stored: &StoredValue) -> Result<Self, ValueError> {
        let pieces = || stored.pieces.iter().cloned().map(BytesForm).collect();
        Ok(match stored.decode()? {
            AttributeValue::Scalar(Scalar::Text(text)) => Self::Text(text.to_string()),
            AttributeValue::Scalar(Scalar::Xml(xml)) => Self::Xml(xml.to_string()),
            AttributeValue::Scalar(Scalar::Integer(value)) => Self::Integer(value),
            AttributeValue::Scalar(Scalar::Real(value)) => Self::Real(RealForm(Real(value.to_bits()))),
            AttributeValue::Scalar(Scalar::Boolean(value)) => Self::Boolean(value),
            AttributeValue::Stream(stream) => match stream.stream_type() {
                StreamType::Rows => Self::RowStream(pieces()),
                StreamType::Bytes => Self::ByteStream(pieces()),
                StreamType::Text => Self::TextStream(stream.pieces().map(TextPiece::of).collect()),
                StreamType::Any => Self::EmptyStream,
            },
            AttributeValue::Live(_) | AttributeValue::Static(_) => {
                return Err(ValueError::Damaged { reason: "a stored value is not alive".into() });
            }
        })
    }

    /// What is stored, if that can be a value.
    pub(super) fn stored(self) -> Result<StoredValue, ValueError> {
        let pieces = |kind, pieces: Vec<BytesForm>| {
            let stored = StoredValue { kind, pieces: pieces.into_iter().map(|piece| piece.0).collect() };
            stored.decode().map(|_| stored)
        };
        let value: AttributeValue = match self {
            Self::Text(text) => Scalar::Text(text.into()).into(),
            Self::Xml(xml) => Scalar::Xml(xml.into()).into(),
            Self::Integer(value) => Scalar::Integer(value).into(),
            Self::Real(RealForm(Real(bits))) => Scalar::Real(f64::from_bits(bits)).into(),
            Self::Boolean(value) => Scalar::Boolean(value).into(),
            Self::RowStream(stored) => return pieces(ValueKind::RowStream, stored),
            Self::ByteStream(stored) => return pieces(ValueKind::ByteStream, stored),
            Self::TextStream(pieces) => text_stream(pieces)?.into(),
            Self::EmptyStream => StoredStream::new(StreamType::Any).into(),
        };
        StoredValue::encode(&value)
    }
}

impl TextPiece {
    fn of(piece: &StreamPiece) -> Self {
        let text = |block: &Block| match block {
            Block::Text(text) => Some(text.to_string()),
            Block::Rows(_) | Block::Bytes(_) => None,
        };
        Self { bytes: piece.byte_size(), blocks: piece.blocks().iter().filter_map(text).collect() }
    }
}

fn text_stream(pieces: Vec<TextPiece>) -> Result<StoredStream, ValueError> {
    let mut stream = StoredStream::new(StreamType::Text);
    for piece in pieces {
        if piece.blocks.is_empty() {
            return Err(ValueError::Damaged { reason: "a piece has no blocks".into() });
        }
        let blocks = piece.blocks.into_iter().map(|text| Block::Text(ByteString::from(text))).collect();
        stream.restore(StreamPiece::restored(blocks, piece.bytes));
    }
    Ok(stream)
}
