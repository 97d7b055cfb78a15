use serde::{Deserialize, Serialize};

/// The value of the session key in an answer.
///
/// ```
/// use rejoin::ingest::control::KeyValue;
///
/// assert_eq!(KeyValue::Null.text(), "null");
/// assert!(KeyValue::Text("  ".into()).is_blank());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum KeyValue {
    /// The answer has none.
    #[default]
    Absent,
    /// It is JSON's `null`, or the header says `null`.
    Null,
    /// Its text; of an array or an object, its JSON.
    Text(String),
}

impl KeyValue {
    /// What conditions look at: nothing for an absent value, `null` for a null.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Absent => "",
            Self::Null => "null",
            Self::Text(text) => text,
        }
    }

    /// Whether there is nothing that could be sent back.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Absent | Self::Null => true,
            Self::Text(text) => text.trim().is_empty(),
        }
    }

    /// What is sent back, if there is anything.
    #[must_use]
    pub fn sent(&self) -> Option<&str> {
        (!self.is_blank()).then(|| self.text())
    }
}
