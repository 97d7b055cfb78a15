//! How moments, durations, hashes and bytes are written.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::session::{EndReason, Moment, SessionHandle};

const NANOS: u64 = 1_000_000_000;

/// Writes and reads a form as a string.
macro_rules! form {
    ($(#[$about:meta])* $name:ident($inner:ty), $write:expr, $read:expr, $expected:literal) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(into = "String", try_from = "String")]
        pub(super) struct $name(pub(super) $inner);

        impl From<$name> for String {
            fn from(form: $name) -> Self {
                let write: fn(&$inner) -> String = $write;
                write(&form.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                let read: fn(&str) -> Option<$inner> = $read;
                read(&text).map(Self).ok_or_else(|| format!("`{text}` is not {}", $expected))
            }
        }
    };
}

form!(
    /// A moment on the timeline.
    MomentForm(Moment), |moment| write_moment(*moment), read_moment, "a moment such as `2026-11-22T05:19:17.123456789Z`, or `never`"
);
form!(
    /// A time of day.
    WallForm(DateTime<Utc>), write_wall, read_wall, "a time such as `2026-11-22T05:19:17.123456789Z`"
);
form!(
    /// A length of time.
    DurationForm(Duration), write_duration, read_duration, "a duration in seconds such as `PT600S`"
);
form!(
    /// A SHA-256.
    HashForm([u8; 32]), write_hash, read_hash, "a SHA-256 in 64 hexadecimal digits"
);
form!(
    /// Bytes.
    BytesForm(Bytes), |bytes| STANDARD.encode(bytes), |text| STANDARD.decode(text).ok().map(Bytes::from), "base64"
);
form!(
    /// The handle of a session.
    HandleForm(SessionHandle), ToString::to_string, |text| Uuid::try_parse(text).ok().map(SessionHandle::new),
    "the handle of a session: a UUID"
);
form!(
    /// A UUID.
    UuidForm(Uuid), ToString::to_string, |text| Uuid::try_parse(text).ok(), "a UUID"
);
form!(
    /// Why a session ended.
    ReasonForm(EndReason), |reason| reason_name(*reason).to_owned(),
    |text| EndReason::ALL.into_iter().find(|reason| reason_name(*reason) == text), "a reason for an end"
);
form!(
    /// A real number, in the lexical form of XML Schema; what has none of its own (not-a-number, of many kinds) by its bits.
    RealForm(Real), |real| write_real(*real), read_real, "a number, or 16 hexadecimal digits after `bits:`"
);

/// A real number that is equal to another when it has the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Real(pub(super) u64);

fn write_moment(moment: Moment) -> String {
    let nanos = moment.as_nanos();
    let seconds = i64::try_from(nanos / NANOS).unwrap_or(i64::MAX);
    let fraction = u32::try_from(nanos % NANOS).unwrap_or_default();
    match DateTime::from_timestamp(seconds, fraction) {
        Some(time) if moment != Moment::NEVER => write_wall(&time),
        _ => "never".to_owned(),
    }
}

fn read_moment(text: &str) -> Option<Moment> {
    if text == "never" {
        return Some(Moment::NEVER);
    }
    let time = read_wall(text)?;
    let seconds = u64::try_from(time.timestamp()).ok()?.checked_mul(NANOS)?;
    let nanos = seconds.checked_add(time.timestamp_subsec_nanos().into())?;
    Some(Moment::from_nanos(nanos))
}

fn write_wall(time: &DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Nanos, true)
}

fn read_wall(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

fn write_duration(duration: &Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos == 0 { format!("PT{seconds}S") } else { format!("PT{seconds}.{nanos:09}S") }
}

fn read_duration(text: &str) -> Option<Duration> {
    let number = text.strip_prefix("PT")?.strip_suffix('S')?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    Some(Duration::new(seconds.parse().ok()?, format!("{fraction:0<9}").parse().ok()?))
}

fn write_hash(hash: &[u8; 32]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read_hash(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in hash.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

fn write_real(real: Real) -> String {
    let text = crate::block::Scalar::Real(f64::from_bits(real.0)).to_string();
    if read_real(&text) == Some(real) { text } else { format!("bits:{:016x}", real.0) }
}

fn read_real(text: &str) -> Option<Real> {
    use crate::block::{Scalar, ScalarType};
    if let Some(bits) = text.strip_prefix("bits:") {
        return u64::from_str_radix(bits, 16).ok().map(Real);
    }
    match Scalar::parse(ScalarType::Real, text)? {
        Scalar::Real(value) => Some(Real(value.to_bits())),
        _ => None,
    }
}

/// The name of a reason: unlike those of documents, one for each.
fn reason_name(reason: EndReason) -> &'static str {
    if reason == EndReason::Completed { "completed" } else { reason.name() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn again<T: Clone + Into<String> + TryFrom<String, Error = String>>(form: &T) -> T {
        T::try_from(form.clone().into()).unwrap()
    }

    proptest! {
        #[test]
        fn every_form_is_read_as_it_was_written(nanos: u64, seconds: u64, hash: [u8; 32], bytes: Vec<u8>) {
            let moment = MomentForm(Moment::from_nanos(nanos));
            prop_assert_eq!(again(&moment), moment);
            let duration = DurationForm(Duration::new(seconds, (nanos % NANOS) as u32));
            prop_assert_eq!(again(&duration), duration);
            let hash = HashForm(hash);
            prop_assert_eq!(again(&hash), hash);
            let bytes = BytesForm(bytes.into());
            prop_assert_eq!(again(&bytes), bytes);
            let real = RealForm(Real(nanos));
            prop_assert_eq!(again(&real), real);
        }

        #[test]
        fn any_text_is_a_form_or_refused(text: String) {
            let _ = (MomentForm::try_from(text.clone()), DurationForm::try_from(text.clone()), HashForm::try_from(text.clone()));
            let _ = (BytesForm::try_from(text.clone()), RealForm::try_from(text.clone()), ReasonForm::try_from(text));
        }
    }

    #[test]
    fn forms_can_be_read_by_people() {
        let moment = |nanos| String::from(MomentForm(Moment::from_nanos(nanos)));
        assert_eq!(moment(1_500_000_000), "1970-01-01T00:00:01.500000000Z");
        assert_eq!(moment(u64::MAX), "never");
        assert_eq!(String::from(DurationForm(Duration::from_millis(1500))), "PT1.500000000S");
        assert_eq!(read_duration("PT1.5S"), Some(Duration::from_millis(1500)));
        assert_eq!(String::from(RealForm(Real(0.1_f64.to_bits()))), "0.1");
        assert_eq!(String::from(RealForm(Real(u64::MAX))), "bits:ffffffffffffffff");
        for reason in EndReason::ALL {
            assert_eq!(again(&ReasonForm(reason)), ReasonForm(reason));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in ["", "1969-12-31T23:59:59Z", "2600-01-01T00:00:00Z", "NEVER"] {
            assert!(read_moment(text).is_none(), "{text}");
        }
        for text in ["", "PTS", "PT-1S", "PT1", "1", "PT1.1234567890S", "PT+1S"] {
            assert!(read_duration(text).is_none(), "{text}");
        }
        assert!(read_hash(&"ü".repeat(32)).is_none());
    }
}
