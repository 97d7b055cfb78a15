use std::fmt;

/// Where in a JSON document a value is: `records.cursor`, `items.0.id`.
///
/// A path is strict: every segment has to be there. A number picks an element of an array, or a member of that name of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValuePath(Box<[Segment]>);

/// One step of a [`ValuePath`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// The name of a member of an object.
    pub name: Box<str>,
    /// The place in an array, from 0, if the name is one.
    pub index: Option<usize>,
}

impl ValuePath {
    /// Reads a dotted path; `None` where it is blank or a segment is empty.
    ///
    /// ```
    /// use rejoin::ingest::settings::ValuePath;
    ///
    /// let path = ValuePath::parse("items.0.id").unwrap();
    /// assert_eq!(path.segments()[1].index, Some(0));
    /// assert!(ValuePath::parse("items..id").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let segments: Vec<Segment> =
            text.trim().split('.').map(|name| Segment { name: name.into(), index: name.parse().ok() }).collect();
        segments.iter().all(|segment| !segment.name.is_empty()).then(|| Self(segments.into()))
    }

    /// Its steps, the outermost first.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.0.iter().enumerate() {
            let dot = if index == 0 { "" } else { "." };
            write!(f, "{dot}{}", segment.name)?;
        }
        Ok(())
    }
}
