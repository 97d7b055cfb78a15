/// How much of a document is read before it is refused. The bounds hold for every kind of document.
///
/// A document from outside is hostile until it has been read: each of these is checked while it is read, before memory is
/// given to what breaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The size of the document, in bytes as they come in.
    pub document_bytes: u64,
    /// How deep elements may stand in each other; the root is 1. It is 256 at the most.
    pub depth: u32,
    /// How many elements the document may have.
    pub elements: u32,
    /// How many attributes and namespace declarations a start tag may have: 64 at the most.
    pub attributes: u32,
    /// The length of a name with its prefix, in bytes.
    pub name_bytes: u32,
    /// The length of one text, attribute value, comment or tag, in bytes.
    pub text_bytes: u64,
}

impl Limits {
    /// The greatest depth: what is nested is handled nested, whatever the configuration says.
    pub const MOST_DEPTH: u32 = 256;

    /// The most attributes and namespace declarations of a start tag: [`Fields`](super::Fields) keeps a bit for each.
    pub const MOST_ATTRIBUTES: u32 = 64;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            document_bytes: 10 * 1024 * 1024,
            depth: 64,
            elements: 100_000,
            attributes: 64,
            name_bytes: 256,
            text_bytes: 10 * 1024 * 1024,
        }
    }
}
