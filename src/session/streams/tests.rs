use bytes::Bytes;
use futures_util::poll;

use super::*;
use crate::block::{Block, PIPE_BLOCKS, StreamBroken, pipe};

/// A table with an output `tap` and an input `feed` of one request, and the other ends of their pipes.
struct Bench {
    streams: Arc<SessionStreams>,
    opened: OpenedStreams,
    writer: BlockWriter,
    reader: BlockReader,
}

fn table() -> Bench {
    let streams = Arc::new(SessionStreams::default());
    let (writer, tap) = pipe(StreamType::Text);
    let (feed, reader) = pipe(StreamType::Any);
    let new = [NewStream::output("tap", StreamType::Text, None, tap), NewStream::input("feed", feed)];
    let opened = streams.open(new).unwrap();
    Bench { streams, opened, writer, reader }
}

fn text(text: &'static str) -> Block {
    Block::Text(text.into())
}

fn output(name: &str) -> NewStream {
    NewStream::output(name, StreamType::Text, None, pipe(StreamType::Text).1)
}

fn broken(name: &str) -> StreamError {
    StreamError::Broken { name: name.into() }
}

#[tokio::test]
async fn an_output_has_one_reader_at_a_time() {
    let Bench { streams, writer, opened: _opened, reader: _reader } = table();
    writer.send(text("a")).await.unwrap();
    let mut first = streams.take_output("tap").unwrap();
    assert_eq!(streams.take_output("tap").err(), Some(StreamError::InUse { name: "tap".into() }));
    assert_eq!(streams.remove("tap"), Err(StreamError::InUse { name: "tap".into() }));
    assert_eq!(streams.list()[1].state, StreamState::Busy);
    assert!(first.next().await.unwrap().is_some());
    first.handed_over();
    drop(first);
    writer.send(text("b")).await.unwrap();
    let mut second = streams.take_output("tap").unwrap();
    assert!(matches!(second.next().await, Ok(Some(Block::Text(text))) if text == "b"));
}

#[tokio::test]
async fn a_reader_that_leaves_with_nothing_in_hand_loses_nothing() {
    let Bench { streams, opened, writer, reader: _reader } = table();
    let mut reader = streams.take_output("tap").unwrap();
    assert!(poll!(Box::pin(reader.next())).is_pending());
    drop(reader);
    writer.send(text("a")).await.unwrap();
    assert!(streams.take_output("tap").unwrap().next().await.unwrap().is_some());
    // That one was dropped with a block in hand.
    assert_eq!(&*opened.abandoned().await, "tap");
    assert!(writer.send(text("b")).await.is_err());
    assert!(matches!(streams.take_output("tap"), Err(StreamError::NotFound { .. })));
}

#[tokio::test]
async fn what_an_output_had_to_say_outlives_its_request() {
    let Bench { streams, opened, writer, reader: _reader } = table();
    writer.send(text("a")).await.unwrap();
    writer.finish().await;
    opened.complete();
    drop(opened);
    let mut tap = streams.take_output("tap").unwrap();
    assert!(tap.next().await.unwrap().is_some());
    assert!(tap.next().await.unwrap().is_none());
    tap.finish();
    assert_eq!(streams.list(), []);
}

#[tokio::test]
async fn the_outputs_of_a_failed_request_break_off_behind_what_is_there() {
    let Bench { streams, opened, writer, reader: _reader } = table();
    writer.send(text("a")).await.unwrap();
    // Complete by itself; another activity has failed.
    writer.finish().await;
    drop(opened);
    assert_eq!(streams.list()[0].state, StreamState::Broken);
    let mut tap = streams.take_output("tap").unwrap();
    assert!(tap.next().await.unwrap().is_some());
    assert_eq!(tap.next().await.unwrap_err(), broken("tap"));
}

#[tokio::test]
async fn a_request_knows_when_its_outputs_have_been_read() {
    let Bench { streams, opened, writer, reader: _reader } = table();
    writer.finish().await;
    let mut read_out = Box::pin(opened.read_out());
    assert!(poll!(&mut read_out).is_pending());
    let mut tap = streams.take_output("tap").unwrap();
    assert!(tap.next().await.unwrap().is_none());
    assert!(poll!(&mut read_out).is_pending());
    tap.finish();
    read_out.await;
}

#[tokio::test]
async fn a_deleted_output_is_one_that_nobody_wants() {
    let Bench { streams, opened, writer, reader: _reader } = table();
    streams.remove("tap").unwrap();
    assert!(writer.send(text("a")).await.is_err());
    assert_eq!(opened.abandoned_yet(), None);
    opened.read_out().await;
}

#[tokio::test]
async fn an_input_takes_blocks_and_an_end() {
    let Bench { streams, mut reader, opened: _opened, writer: _writer } = table();
    let mut feed = streams.take_input("feed").unwrap();
    assert!(matches!(streams.take_input("feed"), Err(StreamError::InUse { .. })));
    feed.send(Bytes::from_static("a\u{e9}".as_bytes()), InputForm::Text).await.unwrap();
    drop(feed);
    let mut feed = streams.take_input("feed").unwrap();
    feed.send(Bytes::from_static(b"\xff"), InputForm::Bytes).await.unwrap();
    feed.finish().await.unwrap();
    assert!(matches!(reader.next().await, Ok(Some(Block::Text(text))) if text == "aé"));
    assert!(matches!(reader.next().await, Ok(Some(Block::Bytes(bytes))) if *bytes == *b"\xff"));
    assert!(matches!(reader.next().await, Ok(None)));
    assert!(matches!(streams.take_input("feed"), Err(StreamError::NotFound { .. })));
}

#[tokio::test]
async fn a_character_may_be_cut_between_two_writers() {
    let Bench { streams, mut reader, opened: _opened, writer: _writer } = table();
    for piece in [&b"\xe2\x82"[..], b"\xacz"] {
        streams.take_input("feed").unwrap().send(Bytes::from_static(piece), InputForm::Text).await.unwrap();
    }
    assert!(matches!(reader.next().await, Ok(Some(Block::Text(text))) if text == "€z"));
    let mut feed = streams.take_input("feed").unwrap();
    let not_text = StreamError::NotText { name: "feed".into() };
    assert_eq!(feed.send(Bytes::from_static(b"\xff"), InputForm::Text).await, Err(not_text.clone()));
    feed.send(Bytes::from_static(b"\xe2"), InputForm::Text).await.unwrap();
    assert_eq!(feed.send(Bytes::from_static(b"x"), InputForm::Bytes).await, Err(not_text.clone()));
    assert_eq!(feed.finish().await, Err(not_text));
    assert!(streams.take_input("feed").is_ok(), "nothing was begun, so nothing is broken");
}

#[tokio::test]
async fn a_writer_that_leaves_midway_breaks_the_stream() {
    let Bench { streams, mut reader, opened: _opened, writer: _writer } = table();
    let mut feed = streams.take_input("feed").unwrap();
    feed.begin();
    drop(feed);
    assert_eq!(reader.next().await.unwrap_err(), StreamBroken);
}

#[tokio::test]
async fn a_writer_waits_for_room_and_gives_its_place_back_if_it_leaves() {
    let Bench { streams, mut reader, opened: _opened, writer: _writer } = table();
    for _ in 0..PIPE_BLOCKS {
        streams.take_input("feed").unwrap().send(Bytes::from_static(b"x"), InputForm::Bytes).await.unwrap();
    }
    let mut feed = streams.take_input("feed").unwrap();
    assert!(poll!(Box::pin(feed.send(Bytes::from_static(b"x"), InputForm::Bytes))).is_pending());
    drop(feed);
    reader.next().await.unwrap();
    streams.take_input("feed").unwrap().send(Bytes::from_static(b"x"), InputForm::Bytes).await.unwrap();
}

#[tokio::test]
async fn the_inputs_of_a_request_go_with_it() {
    let Bench { streams, opened, reader, writer: _writer } = table();
    let mut feed = streams.take_input("feed").unwrap();
    drop(reader);
    assert_eq!(feed.closed().await, broken("feed"));
    assert_eq!(feed.send(Bytes::new(), InputForm::Bytes).await, Err(broken("feed")));
    opened.complete();
    drop(feed);
    assert!(matches!(streams.take_input("feed"), Err(StreamError::NotFound { .. })));
}

#[tokio::test]
async fn all_streams_of_a_request_are_opened_or_none() {
    let Bench { streams, opened: _opened, writer: _writer, reader: _reader } = table();
    let taken = streams.open([output("other"), output("tap")]).err();
    assert_eq!(taken, Some(StreamError::NameTaken { name: "tap".into() }));
    assert_eq!(streams.list().len(), 2);
    assert!(matches!(streams.take_output("feed"), Err(StreamError::WrongDirection { .. })));
    assert!(matches!(streams.take_input("tap"), Err(StreamError::WrongDirection { .. })));
    let missing = streams.take_output("tab").err().unwrap();
    assert_eq!(missing.to_string(), "the session has no stream `tab`; did you mean `tap`?");
}

#[tokio::test]
async fn a_session_has_no_more_streams_than_it_may() {
    let Bench { streams, opened: _opened, writer: _writer, reader: _reader } = table();
    let rest = (0..MOST_STREAMS - 2).map(|number| output(&format!("s{number}")));
    let all = streams.open(rest).unwrap();
    assert_eq!(streams.open([output("more")]).err(), Some(StreamError::TooMany { limit: MOST_STREAMS }));
    streams.remove("s0").unwrap();
    assert!(streams.open([output("more")]).is_ok());
    drop(all);
}

#[tokio::test]
async fn the_end_of_the_session_frees_what_is_idle_and_stops_who_is_at_work() {
    let Bench { streams, opened, writer, reader: _reader } = table();
    let mut tap = streams.take_output("tap").unwrap();
    let feed = streams.take_input("feed").unwrap();
    let mut closed = Box::pin(feed.closed());
    {
        let mut reading = Box::pin(tap.next());
        assert!(poll!(&mut reading).is_pending());
        assert!(poll!(&mut closed).is_pending());
        streams.end();
        assert_eq!(reading.await.unwrap_err(), StreamError::SessionEnded);
        assert_eq!(closed.await, StreamError::SessionEnded);
    }
    drop(tap);
    assert!(writer.send(text("a")).await.is_err(), "nobody can read it any more");
    opened.read_out().await;
    assert_eq!(streams.take_output("tap").err(), Some(StreamError::SessionEnded));
    assert_eq!(streams.open([output("new")]).err(), Some(StreamError::SessionEnded));
}

#[tokio::test]
async fn an_end_that_comes_back_late_does_not_take_the_place_of_another() {
    let Bench { streams, opened, writer: _writer, reader: _reader } = table();
    let feed = streams.take_input("feed").unwrap();
    opened.fail();
    let second = streams.open([NewStream::input("feed", pipe(StreamType::Any).0)]).unwrap();
    drop(feed);
    assert_eq!(streams.list().len(), 2);
    assert!(streams.take_input("feed").unwrap().closed().await == broken("feed"), "the new one has no reader");
    drop(second);
}

#[test]
fn ends_travel_with_their_requests() {
    fn travels<T: Send + 'static>() {}
    travels::<OutputEnd>();
    travels::<InputEnd>();
    travels::<OpenedStreams>();
}
