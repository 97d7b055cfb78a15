use super::*;
use crate::block::{Block, StreamType};
use crate::session::StoredStream;

#[test]
fn an_empty_stream_keeps_its_type() {
    for stream_type in [StreamType::Any, StreamType::Rows, StreamType::Text, StreamType::Bytes] {
        let stored = StoredValue::encode(&StoredStream::new(stream_type).into()).unwrap();
        assert!(stored.pieces.is_empty());
        let AttributeValue::Stream(back) = stored.decode().unwrap() else { panic!("no stream") };
        assert_eq!((back.stream_type(), back.block_count(), back.byte_size()), (stream_type, 0, 0));
    }
}

#[test]
fn a_stream_has_its_blocks_and_its_size_again() {
    let mut stream = StoredStream::new(StreamType::Text);
    stream.push(Block::Text("a".into())).unwrap();
    let _before = stream.clone();
    stream.push(Block::Text("".into())).unwrap();
    stream.push(Block::Text("ü".into())).unwrap();
    let stored = StoredValue::encode(&stream.clone().into()).unwrap();
    assert_eq!(stored.pieces.len(), 2);
    let AttributeValue::Stream(back) = stored.decode().unwrap() else { panic!("no stream") };
    assert_eq!(back.byte_size(), stream.byte_size());
    assert_eq!(
        format!("{:?}", back.blocks().collect::<Vec<_>>()),
        format!("{:?}", stream.blocks().collect::<Vec<_>>())
    );
}
