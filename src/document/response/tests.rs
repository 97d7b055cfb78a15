//! What was written is read again.

use std::io::BufReader;

use super::*;
use crate::document::{Position, Problem, TYPES_NAMESPACE};

/// What a client makes of a response: text and bytes of each result joined, the rest as it comes.
fn read(document: &[u8], buffer: usize) -> Result<Vec<String>, crate::document::DocumentError> {
    let mut reader = ResponseReader::new(BufReader::with_capacity(buffer, document))?;
    let mut events: Vec<String> = vec![reader.request_id().into()];
    let (mut text, mut bytes) = (String::new(), Vec::new());
    loop {
        match reader.next()? {
            ResponseEvent::Text(piece) => text.push_str(piece),
            ResponseEvent::Bytes(piece) => bytes.extend_from_slice(piece),
            ResponseEvent::End => return Ok(events),
            ResponseEvent::ResultEnd => {
                events.push(format!("end {:?} {:?}", std::mem::take(&mut text), std::mem::take(&mut bytes)));
            }
            ResponseEvent::Result(start) => {
                events.push(format!("{} {:?} {:?} {:?}", start.name, start.status, start.content_type, start.encoding));
            }
            ResponseEvent::Error(error) => events.push(format!("error {} {}", error.code, error.message)),
            ResponseEvent::Session(session) => events.push(format!("{:?} {:?}", session.id, session.timeout)),
            ResponseEvent::Request { status, error, .. } => events.push(format!("{status:?} {}", error.is_some())),
        }
    }
}

fn error(message: &str) -> ResponseError {
    let location = Some(Position { line: 1, column: 2 });
    ResponseError { code: "SqlError".into(), kind: ErrorKind::Server, message: message.into(), location }
}

fn session() -> ResponseSession {
    ResponseSession {
        id: Some("q0Zk".into()),
        created: false,
        timeout: Some(GrantedTimeout::Unbounded),
        idle_expires: None,
        lifetime_expires: crate::document::time::parse("2026-11-21T21:40:00Z"),
    }
}

#[test]
fn what_was_written_is_read() {
    let mut writer = ResponseWriter::new("0193");
    writer.session(&session());
    writer.result("find", Status::Completed);
    writer.failed_result("format", Status::Error, &error("no & <table>"));
    writer.begin_text("table", Status::Processing, "text/csv");
    writer.text("a]]").unwrap();
    writer.text(">b\n").unwrap();
    writer.break_result(&error("broken"));
    writer.begin_text("blank", Status::Completed, "text/plain");
    writer.text("  ").unwrap();
    writer.begin_bytes("raw", Status::Completed, "image/png");
    writer.bytes(&[0, 1]).unwrap();
    writer.bytes(&[2, 3, 4]).unwrap();
    writer.request(Status::Error, Some(&error("all of it")));
    let document = writer.take();
    for buffer in [1, 7, 4096] {
        assert_eq!(
            read(&document, buffer).unwrap(),
            [
                "0193",
                "Some(\"q0Zk\") Some(Unbounded)",
                "find Completed None Text",
                "end \"\" []",
                "format Error None Text",
                "error SqlError no & <table>",
                "end \"\" []",
                "table Processing Some(\"text/csv\") Text",
                "error SqlError broken",
                "end \"a]]>b\\n\" []",
                "blank Completed Some(\"text/plain\") Text",
                "end \"  \" []",
                "raw Completed Some(\"image/png\") Base64",
                "end \"\" [0, 1, 2, 3, 4]",
                "Error true",
            ]
        );
    }
}

#[test]
fn data_of_any_size_goes_through_in_bounded_memory() {
    let mut writer = ResponseWriter::new("0193");
    writer.session(&session());
    writer.begin_text("text", Status::Completed, "text/plain");
    let block = "0123456789]]>\n".repeat(5_000);
    for _ in 0..50 {
        writer.text(&block).unwrap();
    }
    writer.begin_bytes("bytes", Status::Completed, "application/octet-stream");
    for _ in 0..50 {
        writer.bytes(block.as_bytes()).unwrap();
    }
    writer.request(Status::Completed, None);
    let document = writer.take();

    let mut reader = ResponseReader::new(BufReader::new(&document[..])).unwrap();
    let (mut text, mut bytes) = (0, 0);
    loop {
        match reader.next().unwrap() {
            ResponseEvent::Text(piece) => {
                assert!(piece.len() < 300 * 1024);
                text += piece.len();
            }
            ResponseEvent::Bytes(piece) => {
                assert!(piece.len() < 300 * 1024);
                bytes += piece.len();
            }
            ResponseEvent::End => break,
            _ => {}
        }
    }
    assert_eq!((text, bytes), (50 * block.len(), 50 * block.len()));
}

fn document(content: &str) -> String {
    format!("<response xmlns='{TYPES_NAMESPACE}' requestId='r'>{content}</response>")
}

#[test]
fn a_response_that_breaks_off_is_never_taken_for_a_whole_one() {
    let mut writer = ResponseWriter::new("0193");
    writer.session(&session());
    writer.begin_text("t", Status::Completed, "text/plain");
    writer.text("data").unwrap();
    writer.request(Status::Completed, None);
    let document = writer.take();
    let document = document.trim_ascii_end();
    for end in 0..document.len() {
        assert!(read(&document[..end], 64).is_err(), "{}", String::from_utf8_lossy(&document[..end]));
    }
}

#[test]
fn what_is_no_response_is_refused() {
    const SESSION: &str = "<session id='x' created='1'/>";
    assert!(read(document(&format!("{SESSION}<request status='COMPLETED'/>")).as_bytes(), 64).is_ok());
    for content in [
        String::new(),
        SESSION.into(),
        "<request status='COMPLETED'/>".into(),
        format!("{SESSION}{SESSION}<request status='COMPLETED'/>"),
        format!("{SESSION}<request status='completed'/>"),
        format!("{SESSION}<request status='COMPLETED'/><result name='a' status='ERROR'/>"),
        format!("{SESSION}<result name='a' status='ERROR'><b/></result><request status='COMPLETED'/>"),
        format!("{SESSION}<result name='a' status='ERROR' encoding='hex'/><request status='COMPLETED'/>"),
        format!("{SESSION}<result name='a' status='ERROR' encoding='base64'>AAA</result><request status='COMPLETED'/>"),
        format!(
            "{SESSION}<result name='a' status='ERROR' encoding='base64'>AA==AA==</result><request status='COMPLETED'/>"
        ),
        format!(
            "{SESSION}<result name='a' status='ERROR'><error code='c' kind='client'><message/></error>x</result><request status='COMPLETED'/>"
        ),
        format!("{SESSION}<request status='ERROR'><error code='c' kind='nobody'><message/></error></request>"),
        "<session id='x' created='1' idleExpires='tomorrow'/><request status='COMPLETED'/>".into(),
    ] {
        let outcome = read(document(&content).as_bytes(), 64);
        assert_eq!(outcome.map_err(|error| error.problem()), Err(Problem::Invalid), "{content}");
    }
}

#[test]
fn the_session_id_is_shown_nowhere() {
    assert!(!format!("{:?}", session()).contains("q0Zk"));
    assert!(!format!("{:?}", ResponseEvent::Session(session())).contains("q0Zk"));
}
