//! Whatever the bytes are, the readers of the other documents say something about them. What they read, written again and
//! read again, is the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rejoin::document::{
    ActivityConfiguration, Fault, Limits, ResourceConfiguration, ResponseEvent, ResponseReader, ServiceConfiguration,
    SessionConfiguration,
};

macro_rules! reads_the_same {
    ($bytes:expr, $($kind:ty),+) => {$(
        if let Ok(document) = <$kind>::parse($bytes, &Limits::default()) {
            let written = document.to_xml().expect("what was read can be written");
            let again = <$kind>::parse(written.as_bytes(), &Limits::default()).expect("what was written can be read");
            assert_eq!(again, document, "{written}");
        }
    )+};
}

fuzz_target!(|bytes: &[u8]| {
    reads_the_same!(bytes, ServiceConfiguration, ResourceConfiguration, ActivityConfiguration, SessionConfiguration);
    if let Ok(fault) = Fault::parse(bytes, &Limits::default()) {
        let again = Fault::parse(fault.to_xml().as_bytes(), &Limits::default()).expect("what was written can be read");
        let json = Fault::parse_json(fault.to_json().as_bytes()).expect("what was written can be read");
        // Both are written to the millisecond.
        assert_eq!(again, json);
    }
    if let Ok(mut reader) = ResponseReader::new(bytes) {
        while reader.next().is_ok_and(|event| event != ResponseEvent::End) {}
    }
});
