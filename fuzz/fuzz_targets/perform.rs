//! Whatever the bytes are, the reader of perform documents says something about them. What it reads, written again and read
//! again, is the same.

#![no_main]

use std::io::BufReader;

use libfuzzer_sys::fuzz_target;
use rejoin::document::{Element, Limits, PerformDocument, Problem, XmlEvent, XmlReader};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let whole = Element::parse(bytes, &limits);
    // UTF-16 is not read from a stream.
    if std::str::from_utf8(bytes).is_ok() && !bytes.contains(&0) {
        assert_eq!(whole.as_ref().err(), stream(bytes, &limits).as_ref().err());
    }
    let Ok(document) = PerformDocument::parse(bytes) else { return };
    assert!(whole.is_ok());
    let written = document.to_xml().expect("what was read can be written");
    match PerformDocument::parse(written.as_bytes()) {
        Ok(again) => {
            assert_eq!(again, document, "{written}");
            assert_eq!(again.to_xml().as_ref(), Ok(&written));
        }
        // Namespaces that were declared once for all activities are declared by each of them.
        Err(error) => assert_eq!(error.problem(), Problem::TooLarge, "{error} in {written}"),
    }
});

/// Reads the document from a stream that comes in small pieces.
fn stream(bytes: &[u8], limits: &Limits) -> Result<(), rejoin::document::DocumentError> {
    let mut reader = XmlReader::new(BufReader::with_capacity(7, bytes), limits);
    while !matches!(reader.next()?, XmlEvent::Eof) {}
    Ok(())
}
