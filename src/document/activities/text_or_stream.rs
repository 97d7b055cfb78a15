use super::stream::{FromStream, Takes, Text, ToStream};
use super::{ElementWriter, StreamKind};
use crate::document::{DocumentError, Element, Fields};

/// A text that stands in the document, or the stream that it comes from.
///
/// ```
/// use rejoin::document::activities::{TextOrStream, ToStream, stream::Text};
///
/// let towns = ToStream::<Text>::new("towns");
/// assert_eq!(TextOrStream::from("Perth"), TextOrStream::Text("Perth".into()));
/// assert_eq!(TextOrStream::from(&towns), TextOrStream::Stream("towns".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextOrStream {
    /// The text.
    Text(String),
    /// The stream that gives it.
    Stream(FromStream<Text>),
}

impl TextOrStream {
    /// Reads what an element holds; all its attributes but `from` have been asked for.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when there is both a content and a stream, another attribute, or an element in it.
    pub fn read(mut fields: Fields<'_>) -> Result<Self, DocumentError> {
        let element = fields.element();
        let from = fields.attribute("from");
        fields.finish_attributes()?;
        match from {
            Some(from) => {
                expect_no_content_beside_from(element)?;
                Ok(Self::Stream(FromStream::read(&from)?))
            }
            None => Ok(Self::Text(element.text()?.into_owned())),
        }
    }

    /// Writes it into an element that has its other attributes.
    pub fn write(&self, into: &mut ElementWriter) {
        match self {
            Self::Text(text) => into.text(text),
            Self::Stream(stream) => into.attribute("from", &stream.name().value),
        }
    }
}

/// Checks an element that has a `from`: what comes from a stream is not given in the document as well.
pub(crate) fn expect_no_content_beside_from(element: &Element) -> Result<(), DocumentError> {
    if element.is_blank() {
        return Ok(());
    }
    let name = element.local_name();
    Err(DocumentError::invalid(
        element.position(),
        format!("contradictory `{name}`: it has both a content and a stream (`from`): leave one out"),
    ))
}

impl From<&str> for TextOrStream {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for TextOrStream {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<FromStream<Text>> for TextOrStream {
    fn from(stream: FromStream<Text>) -> Self {
        Self::Stream(stream)
    }
}

impl<K: StreamKind> From<&ToStream<K>> for TextOrStream
where
    Text: Takes<K>,
{
    fn from(output: &ToStream<K>) -> Self {
        Self::Stream(output.into())
    }
}
