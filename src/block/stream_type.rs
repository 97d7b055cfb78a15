use std::fmt;

/// What kind of blocks a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamType {
    /// Rows in columns.
    Rows,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
    /// Known only when the stream runs: what an activity takes out of a session may be any of the three.
    Any,
}

impl StreamType {
    /// Whether a stream of this type may be read where `wanted` is expected. [`StreamType::Any`] fits everywhere before
    /// the run; what really flows is looked at then.
    ///
    /// ```
    /// use rejoin::block::StreamType;
    ///
    /// assert!(StreamType::Rows.fits(StreamType::Any));
    /// assert!(!StreamType::Rows.fits(StreamType::Text));
    /// ```
    #[must_use]
    pub fn fits(self, wanted: Self) -> bool {
        self == wanted || self == Self::Any || wanted == Self::Any
    }
}

impl fmt::Display for StreamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Rows => "rows",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Any => "blocks of any type",
        })
    }
}
