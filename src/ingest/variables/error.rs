use http::HeaderName;

/// Why a request can't be made of its values. No text holds a value: they may be secrets.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// A template names a variable that has no value: its column is null, or nothing defines it.
    #[error("the variable `{variable}` has no value, and {place} needs one")]
    Missing {
        /// The variable.
        variable: Box<str>,
        /// What names it.
        place: Box<str>,
    },
    /// A parameter is made of itself.
    #[error("the parameter `{parameter}` is made of itself")]
    Circular {
        /// The parameter.
        parameter: Box<str>,
    },
    /// A header would hold what no header can: a line break, a control character.
    #[error("the header `{header}` would hold a character that no header can, such as a line break")]
    Header {
        /// The header.
        header: HeaderName,
    },
    /// Values that are made of others come to more than a request may hold.
    #[error("{place} would hold more than {limit} bytes: values that are made of each other grow with every step")]
    TooLong {
        /// What would.
        place: Box<str>,
        /// How many there may be, in all values of a request together.
        limit: usize,
    },
    /// A variable would make a way up in the path: `..`, or a segment that means nothing.
    #[error(
        "the path of the URI would have a segment `.` or `..` by the value of a variable, and so lead elsewhere than its template \
         says"
    )]
    Path,
    /// Two parameters want the same place in the body.
    #[error("the parameter `{parameter}` can't be put at `{path}` of the body: what is there already is no object")]
    Body {
        /// The parameter.
        parameter: Box<str>,
        /// The place.
        path: Box<str>,
    },
}
