//! Stored attributes that nobody sees, because a static one has the same name.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::session::SessionHandle;

/// The names that the log has told of: once each, however many sessions have such an attribute.
#[derive(Debug, Default)]
pub(super) struct Hidden(Mutex<BTreeSet<Box<str>>>);

impl Hidden {
    /// A session was loaded that has attributes of these names, and its static attributes too.
    pub(super) fn tell<'a>(&self, session: SessionHandle, names: impl Iterator<Item = &'a str>) {
        for attribute in names {
            if self.0.lock().insert(attribute.into()) {
                tracing::warn!(
                    target: "rejoin::session", event = "session.attribute_hidden", %session, attribute,
                    "a static attribute hides a stored one of the same name, in this session and maybe in others: give the \
                     `sessionAttribute` another name to have the stored one back"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::*;

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn each_name_is_told_once_however_many_sessions_have_it() {
        let (log, hidden) = (Log::default(), Hidden::default());
        let lines = log.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || lines.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            for number in 1..=3 {
                let session = SessionHandle::new(uuid::Uuid::from_u128(number));
                hidden.tell(session, ["greeting", "visits"].into_iter());
            }
        });
        let text = String::from_utf8(log.0.lock().clone()).unwrap();
        let told = |name: &str| text.matches(&format!("\"attribute\":\"{name}\"")).count();
        assert_eq!((text.lines().count(), told("greeting"), told("visits")), (2, 1, 1), "{text}");
        assert!(text.contains("\"level\":\"WARN\"") && text.contains("session.attribute_hidden"), "{text}");
    }
}
