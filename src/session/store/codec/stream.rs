//! Streams, piece by piece.

use bytes::Bytes;

use super::piece::{self, PieceWriter};
use super::{StoredValue, ValueError, ValueKind, blocks, rows};
use crate::block::{Block, StreamType};
use crate::session::StoredStream;
use crate::session::attributes::StreamPiece;

pub(super) fn encode(stream: &StoredStream) -> Result<StoredValue, ValueError> {
    let pieces = stream.pieces().map(encode_piece).collect::<Result<_, _>>()?;
    Ok(StoredValue { kind: kind_of(stream.stream_type()), pieces })
}

pub(super) fn kind_of(stream_type: StreamType) -> ValueKind {
    match stream_type {
        StreamType::Rows => ValueKind::RowStream,
        StreamType::Text => ValueKind::TextStream,
        StreamType::Bytes => ValueKind::ByteStream,
        StreamType::Any => ValueKind::EmptyStream,
    }
}

pub(super) fn encode_piece(piece: &StreamPiece) -> Result<Bytes, ValueError> {
    let mut writer = PieceWriter::new(piece.byte_size());
    let mut run = Vec::new();
    for block in piece.blocks() {
        match block {
            Block::Rows(rows) => run.push(rows),
            Block::Text(text) => blocks::encode(text.as_bytes(), writer.content())?,
            Block::Bytes(bytes) => blocks::encode(bytes, writer.content())?,
        }
    }
    rows::encode(&run, writer.content())?;
    Ok(writer.finish())
}

pub(super) fn decode(kind: ValueKind, pieces: &[Bytes]) -> Result<StoredStream, ValueError> {
    let stream_type = match kind {
        ValueKind::RowStream => StreamType::Rows,
        ValueKind::TextStream => StreamType::Text,
        ValueKind::ByteStream => StreamType::Bytes,
        ValueKind::EmptyStream if pieces.is_empty() => StreamType::Any,
        ValueKind::EmptyStream => return Err(ValueError::damaged("a stream without a type has pieces")),
        _ => return Err(ValueError::damaged("a stream was expected, and this is a scalar")),
    };
    let mut stream = StoredStream::new(stream_type);
    let mut schemas = rows::Schemas::default();
    for (index, piece) in pieces.iter().enumerate() {
        let piece = decode_piece(stream_type, piece, &mut schemas).map_err(|error| error.in_piece(index))?;
        stream.restore(piece);
    }
    Ok(stream)
}

fn decode_piece(
    stream_type: StreamType,
    piece: &Bytes,
    schemas: &mut rows::Schemas,
) -> Result<StreamPiece, ValueError> {
    let (charge, content) = piece::open(piece)?;
    let blocks = match stream_type {
        StreamType::Rows => rows::decode(&content, schemas)?,
        StreamType::Text => blocks::decode(content, blocks::text)?,
        StreamType::Bytes | StreamType::Any => blocks::decode(content, |bytes| Ok(Block::Bytes(bytes)))?,
    };
    if blocks.is_empty() {
        return Err(ValueError::damaged("it has no blocks"));
    }
    Ok(StreamPiece::restored(blocks, charge))
}
