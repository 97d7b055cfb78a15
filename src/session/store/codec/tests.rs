use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, NullArray, RecordBatch};
use arrow_schema::{DataType, Schema};
use bytes::Bytes;
use proptest::prelude::*;

use super::samples::{rows, types};
use super::*;
use crate::block::{Block, Scalar, StreamType};
use crate::session::{AttributeWrite, StoredStream};

/// A stream with the blocks in pieces: each list is one.
fn stream(stream_type: StreamType, pieces: &[Vec<Block>]) -> StoredStream {
    let mut whole = StoredStream::new(stream_type);
    for piece in pieces {
        let before = whole.clone();
        for block in piece {
            whole.push(block.clone()).unwrap();
        }
        drop(before);
    }
    whole
}

fn restored(value: impl Into<AttributeValue>) -> AttributeValue {
    StoredValue::encode(&value.into()).unwrap().decode().unwrap()
}

fn restored_stream(stream: &StoredStream) -> StoredStream {
    let AttributeValue::Stream(stream) = restored(stream.clone()) else { panic!("no stream") };
    stream
}

/// Everything of a stream that anybody can see.
fn assert_same(one: &StoredStream, other: &StoredStream) {
    assert_eq!(one.stream_type(), other.stream_type());
    assert_eq!(one.byte_size(), other.byte_size());
    let lengths = |stream: &StoredStream| stream.pieces().map(|piece| piece.blocks().len()).collect::<Vec<_>>();
    assert_eq!(lengths(one), lengths(other));
    for (one, other) in one.blocks().zip(other.blocks()) {
        match (one, other) {
            (Block::Rows(one), Block::Rows(other)) => {
                assert_eq!(one.schema(), other.schema());
                assert_eq!(one, other);
            }
            (Block::Text(one), Block::Text(other)) => assert_eq!(one, other),
            (Block::Bytes(one), Block::Bytes(other)) => assert_eq!(one, other),
            _ => panic!("{one:?} became {other:?}"),
        }
    }
}

#[test]
fn an_empty_stream_keeps_its_type() {
    for stream_type in [StreamType::Any, StreamType::Rows, StreamType::Text, StreamType::Bytes] {
        assert!(StoredValue::encode(&StoredStream::new(stream_type).into()).unwrap().pieces.is_empty());
        assert_same(&restored_stream(&StoredStream::new(stream_type)), &StoredStream::new(stream_type));
    }
}

#[test]
fn a_column_of_any_type_survives() {
    for data_type in types() {
        let rows = rows(std::slice::from_ref(&data_type), 20);
        for (from, length) in [(0, 20), (0, 0), (7, 6), (13, 7), (0, 1), (19, 1)] {
            let whole = stream(StreamType::Rows, &[vec![Block::Rows(rows.slice(from, length))]]);
            assert_same(&restored_stream(&whole), &whole);
        }
    }
}

#[test]
fn a_slice_is_not_written_whole() {
    for data_type in types() {
        let most = rows(std::slice::from_ref(&data_type), 20);
        let all = rows(std::slice::from_ref(&data_type), 20_000);
        let stored = |rows: RecordBatch| {
            let stream = stream(StreamType::Rows, &[vec![Block::Rows(rows)]]);
            StoredValue::encode(&stream.into()).unwrap().pieces[0].len()
        };
        let (slice, most) = (stored(all.slice(10_000, 10)), stored(most));
        assert!(slice <= most + 64, "{data_type}: ten rows take {slice} bytes, and twenty {most}");
    }
}

#[test]
fn rows_without_columns_and_columns_without_bytes_survive() {
    let none: &[DataType] = &[];
    let nulls = [DataType::Null];
    let pieces = [vec![Block::Rows(rows(none, 7)), Block::Rows(rows(none, 0))], vec![Block::Rows(rows(&nulls, 3))]];
    let whole = stream(StreamType::Rows, &pieces);
    assert_same(&restored_stream(&whole), &whole);
}

#[test]
fn what_is_read_takes_no_more_memory_when_it_is_handed_on() {
    let block = Block::Rows(rows(&[DataType::Int64, DataType::Utf8, DataType::Float64, DataType::Utf8], 500));
    let whole = stream(StreamType::Rows, &[vec![block; 8]]);
    let mut copy = StoredStream::new(StreamType::Rows);
    for block in restored_stream(&whole).blocks() {
        copy.push(block.clone()).unwrap();
    }
    assert!(copy.byte_size() <= whole.byte_size() + 8 * 1024, "{} of {}", copy.byte_size(), whole.byte_size());
}

#[test]
fn blocks_of_one_schema_share_it_again() {
    let block = || Block::Rows(rows(&[DataType::Int64], 1));
    let back = restored_stream(&stream(StreamType::Rows, &[vec![block(), block()], vec![block()]]));
    let schemas: Vec<_> =
        back.blocks().map(|block| if let Block::Rows(rows) = block { rows.schema() } else { panic!() }).collect();
    assert!(schemas.windows(2).all(|pair| Arc::ptr_eq(&pair[0], &pair[1])));
}

#[test]
fn appending_writes_what_is_new() {
    let text = |text: &'static str| Block::Text(text.into());
    let mut whole = stream(StreamType::Text, &[vec![text("a"), text("b")], vec![text("c")]]);
    let before = AttributeValue::from(whole.clone());
    whole.append(&stream(StreamType::Text, &[vec![text("d")], vec![text("e"), text("f")]])).unwrap();
    let written = AttributeWrite::of("log".into(), 9, &whole.clone().into(), Some(&before)).unwrap();
    let AttributeWrite::Append { order: 9, present: 2, pieces, .. } = written else { panic!("{written:?}") };
    let mut stored = StoredValue::encode(&before).unwrap();
    stored.pieces.extend(pieces);
    assert_eq!(stored, StoredValue::encode(&whole.clone().into()).unwrap());

    let unchanged = AttributeWrite::of("log".into(), 9, &before, Some(&before)).unwrap();
    assert!(matches!(unchanged, AttributeWrite::Append { present: 2, pieces, .. } if pieces.is_empty()));
}

#[test]
fn what_is_not_appended_to_the_very_same_stream_is_written_whole() {
    let piece = || vec![Block::Text("a".into())];
    let value = AttributeValue::from(stream(StreamType::Text, &[piece(), piece()]));
    let equal = AttributeValue::from(stream(StreamType::Text, &[piece()]));
    let empty = AttributeValue::from(StoredStream::new(StreamType::Any));
    let scalar = AttributeValue::from(Scalar::Boolean(true));
    for before in [None, Some(&equal), Some(&empty), Some(&scalar)] {
        let written = AttributeWrite::of("log".into(), 1, &value, before).unwrap();
        assert!(matches!(written, AttributeWrite::Set(set) if set.value.pieces.len() == 2), "{before:?}");
    }
}

#[test]
fn what_lives_with_the_process_is_not_stored() {
    let counter: Arc<dyn crate::session::StaticSessionAttribute> = Arc::new(crate::session::Counter::new(1));
    let refused = StoredValue::encode(&AttributeValue::Static(counter));
    assert_eq!(refused, Err(ValueError::Alive { type_name: "counter" }));
}

#[test]
fn what_arrow_ipc_has_no_form_for_is_refused() {
    let too_many: ArrayRef = Arc::new(NullArray::new(1 << 40));
    let inner = DataType::Dictionary(Box::new(DataType::Int8), Box::new(DataType::Utf8));
    let nested = DataType::Dictionary(Box::new(DataType::Int8), Box::new(inner));
    for rows in [RecordBatch::try_from_iter([("n", too_many)]).unwrap(), rows(&[nested], 5)] {
        let refused = StoredValue::encode(&stream(StreamType::Rows, &[vec![Block::Rows(rows)]]).into());
        assert!(matches!(refused, Err(ValueError::Unsupported { .. })), "{refused:?}");
    }
}

#[test]
fn damage_is_found_and_said_where() {
    let block = |number: i64| {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![number]));
        Block::Rows(RecordBatch::try_from_iter([("n", column)]).unwrap())
    };
    let mut stored = StoredValue::encode(&stream(StreamType::Rows, &[vec![block(1)], vec![block(2)]]).into()).unwrap();
    let whole = stored.pieces[1].clone();
    for (piece, reason) in [
        (whole.slice(..9), "piece 2: it has 9 bytes, and 16 is the least"),
        (whole.slice(..whole.len() - 1), "piece 2: its checksum does not match"),
        (forged(&whole[..whole.len() - 8]), "piece 2: its Arrow IPC stream has no end"),
        (forged(&whole[..16]), "piece 2: it has no blocks"),
        (
            forged(&[&whole[..], &[0]].concat()),
            &format!("piece 2: there is no Arrow IPC message at byte {}", whole.len() - 16),
        ),
    ] {
        stored.pieces[1] = piece;
        assert_eq!(stored.decode().unwrap_err(), ValueError::damaged(reason));
    }
    stored.pieces[1] = Bytes::from([&[2], &whole[1..]].concat());
    assert_eq!(stored.decode().unwrap_err(), ValueError::TooNew { found: 2, known: 1 });
}

fn forged(piece: &[u8]) -> Bytes {
    super::piece::forge(piece.to_vec()).into()
}

#[test]
fn scalars_have_one_form() {
    for (kind, pieces) in [
        (ValueKind::Boolean, vec![vec![2]]),
        (ValueKind::Boolean, vec![vec![]]),
        (ValueKind::Integer, vec![vec![0; 7]]),
        (ValueKind::Real, vec![vec![0; 9]]),
        (ValueKind::Text, vec![vec![0xFF]]),
        (ValueKind::Xml, vec![]),
        (ValueKind::Text, vec![vec![], vec![]]),
        (ValueKind::EmptyStream, vec![vec![]]),
    ] {
        let stored = StoredValue { kind, pieces: pieces.into_iter().map(Bytes::from).collect() };
        assert!(matches!(stored.decode(), Err(ValueError::Damaged { .. })), "{stored:?}");
    }
}

fn scalar() -> impl Strategy<Value = Scalar> {
    prop_oneof![
        any::<String>().prop_map(|text| Scalar::Text(text.into())),
        any::<String>().prop_map(|text| Scalar::Xml(text.into())),
        any::<i64>().prop_map(Scalar::Integer),
        any::<u64>().prop_map(|bits| Scalar::Real(f64::from_bits(bits))),
        any::<bool>().prop_map(Scalar::Boolean),
    ]
}

fn pieces(block: impl Strategy<Value = Block>) -> impl Strategy<Value = Vec<Vec<Block>>> {
    prop::collection::vec(prop::collection::vec(block, 1..5), 0..4)
}

fn text() -> impl Strategy<Value = Block> {
    any::<String>().prop_map(|text| Block::Text(text.into()))
}

fn bytes() -> impl Strategy<Value = Block> {
    any::<Vec<u8>>().prop_map(|bytes| Block::Bytes(bytes.into()))
}

/// A slice of rows of up to three columns, each of one of many types: a stream of them changes its schema now and then.
fn some_rows() -> impl Strategy<Value = Block> {
    let columns = prop::sample::subsequence(types(), 0..4);
    (columns, 0..40_usize, 0..40_usize)
        .prop_map(|(types, one, other)| Block::Rows(rows(&types, 40).slice(one.min(other), one.abs_diff(other))))
}

fn some_stream() -> impl Strategy<Value = StoredStream> {
    prop_oneof![
        pieces(text()).prop_map(|pieces| stream(StreamType::Text, &pieces)),
        pieces(bytes()).prop_map(|pieces| stream(StreamType::Bytes, &pieces)),
        pieces(some_rows()).prop_map(|pieces| stream(StreamType::Rows, &pieces)),
    ]
}

proptest! {
    #[test]
    fn any_scalar_survives(scalar in scalar()) {
        let AttributeValue::Scalar(back) = restored(scalar.clone()) else { panic!("no scalar") };
        // Not by equality: a number that is none, and the sign of zero, survive too.
        prop_assert_eq!(format!("{back:?}"), format!("{scalar:?}"));
        if let (Scalar::Real(back), Scalar::Real(scalar)) = (back, scalar) {
            prop_assert_eq!(back.to_bits(), scalar.to_bits());
        }
    }

    #[test]
    fn any_stream_survives(stream in some_stream()) {
        assert_same(&restored_stream(&stream), &stream);
    }

    #[test]
    fn any_change_of_a_byte_is_noticed(stream in some_stream(), at: prop::sample::Index, by in 1..=255_u8) {
        let mut stored = StoredValue::encode(&stream.into()).unwrap();
        if !stored.pieces.is_empty() {
            let piece = at.index(stored.pieces.len());
            let mut bytes = stored.pieces[piece].to_vec();
            let byte = at.index(bytes.len());
            bytes[byte] ^= by;
            stored.pieces[piece] = bytes.into();
            prop_assert!(stored.decode().is_err());
        }
    }

    /// Somebody who means harm makes the checksum right. Nothing is asked but that it ends in a value or an error, and that a
    /// value can be looked at.
    #[test]
    fn forged_bytes_do_no_harm(
        stream in some_stream(),
        kind in prop::sample::select(ValueKind::ALL.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        keep in any::<bool>(),
    ) {
        let mut stored = StoredValue::encode(&stream.into()).unwrap();
        if let Some(piece) = stored.pieces.last_mut() {
            let mut bytes = piece.to_vec();
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            *piece = forged(&bytes);
        }
        stored.kind = if keep { stored.kind } else { kind };
        if let Ok(value) = stored.decode() {
            let _ = format!("{value:?}");
            prop_assert!(StoredValue::encode(&value).is_ok());
        }
    }
}

#[test]
fn schemas_without_columns_are_schemas() {
    let rows = RecordBatch::new_empty(Arc::new(Schema::empty()));
    let whole = stream(StreamType::Rows, &[vec![Block::Rows(rows)]]);
    assert_same(&restored_stream(&whole), &whole);
}
