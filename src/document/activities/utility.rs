//! Small activities.

use super::shape::{ChildShape, Family, Shape, ValueShape};
use super::stream::Text;
use super::{ActivityElement, ElementWriter, ToStream};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields};

/// `echo`: says a text.
///
/// ```
/// use rejoin::document::activities::{ActivityElement, Echo};
///
/// let mut echo = Echo::new("hello");
/// assert_eq!(echo.name_output("say"), "say.output".into());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// What to say.
    pub text: String,
    /// The text again.
    pub output: ToStream<Text>,
}

impl Echo {
    /// An echo of a text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), output: ToStream::default() }
    }
}

impl ActivityElement for Echo {
    const SHAPE: Shape = Shape::new("echo", Family::Utility, "Says a text.").children(&[
        ChildShape::text("text", ValueShape::Text, "what to say"),
        ChildShape::output("output", StreamType::Text, "").optional(),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let text = fields.required_child("text")?.text_only()?.into_owned();
        Ok(Self { text, output: fields.optional_output("output")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.text_child("text", &self.text);
        into.optional_output("output", &self.output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.output.name_after(step, "output")
    }
}
