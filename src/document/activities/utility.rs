//! Small activities.

use std::time::Duration;

use super::shape::{AttributeShape, ChildShape, Family, Shape, ValueShape};
use super::stream::{Any, Text};
use super::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields, duration};

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

/// `dataStore`: blocks that stand in the document, or those of a stream, read ahead of their reader.
///
/// ```
/// use rejoin::document::activities::DataStore;
///
/// let towns = DataStore::items(["Oban", "Wick"]);
/// let ahead = DataStore::of("rows");
/// # assert_ne!(towns, ahead);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataStore {
    /// The blocks.
    pub source: DataStoreSource,
    /// The blocks again.
    pub item_cursor: ToStream<Any>,
}

/// What is in a data store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataStoreSource {
    /// Texts, each a block.
    Items(Vec<String>),
    /// The blocks of a stream.
    Stream(FromStream<Any>),
}

impl DataStore {
    /// Texts, each a block.
    #[must_use]
    pub fn items<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(Into::into).collect();
        Self { source: DataStoreSource::Items(items), item_cursor: ToStream::default() }
    }

    /// The blocks of a stream.
    #[must_use]
    pub fn of(stream: impl Into<FromStream<Any>>) -> Self {
        Self { source: DataStoreSource::Stream(stream.into()), item_cursor: ToStream::default() }
    }
}

impl ActivityElement for DataStore {
    const SHAPE: Shape = Shape::new(
        "dataStore",
        Family::Utility,
        "Gives blocks of text that stand in the document, or reads ahead of the reader of a stream.",
    )
    .children(&[
        ChildShape::text("item", ValueShape::Text, "a block of text").any_number().choice(1),
        ChildShape::input("input", StreamType::Any, "").choice(1),
        ChildShape::output("itemCursor", StreamType::Any, "the items as text, or what the input carries"),
    ]);

    type Output = ToStream<Any>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let source = match fields.optional_input("input")? {
            Some(input) => DataStoreSource::Stream(input),
            None => {
                let items = fields.children("item").into_iter().map(|item| Ok(item.text_only()?.into_owned()));
                DataStoreSource::Items(items.collect::<Result<_, DocumentError>>()?)
            }
        };
        Ok(Self { source, item_cursor: fields.output("itemCursor")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        match &self.source {
            DataStoreSource::Items(items) => items.iter().for_each(|item| into.text_child("item", item)),
            DataStoreSource::Stream(input) => into.input("input", input),
        }
        into.output("itemCursor", &self.item_cursor);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Any> {
        self.item_cursor.name_after(step, "itemCursor")
    }
}

/// `refuse`: a condition: fails, unless data come.
///
/// ```
/// use rejoin::document::activities::Refuse;
///
/// let gate = Refuse::new("nobody lives there").unless("found");
/// assert!(gate.unless.is_some());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refuse {
    /// The data without which it fails; it always fails if nothing is said.
    pub unless: Option<FromStream<Any>>,
    /// What the client is told.
    pub message: String,
}

impl Refuse {
    /// Fails with a message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { unless: None, message: message.into() }
    }

    /// The same, unless data come.
    #[must_use]
    pub fn unless(mut self, data: impl Into<FromStream<Any>>) -> Self {
        self.unless = Some(data.into());
        self
    }
}

impl ActivityElement for Refuse {
    const SHAPE: Shape =
        Shape::new("refuse", Family::Utility, "A condition: fails with the message, unless data come.").children(&[
            ChildShape::input(
                "unless",
                StreamType::Any,
                "one row, or one character or byte, is enough; the rest is not read",
            )
            .optional(),
            ChildShape::text("message", ValueShape::Text, "what the client is told"),
        ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let unless = fields.optional_input("unless")?;
        let message = fields.required_child("message")?.text_only()?.trim().to_owned();
        Ok(Self { unless, message })
    }

    fn write(&self, into: &mut ElementWriter) {
        if let Some(unless) = &self.unless {
            into.input("unless", unless);
        }
        into.text_child("message", &self.message);
    }

    fn name_output(&mut self, _step: &str) {}
}

/// `requestInformation`: who asks, under which id, and for what.
///
/// ```
/// use rejoin::document::activities::RequestInformation;
///
/// let who = RequestInformation { principal: "user".into(), ..RequestInformation::default() };
/// assert_eq!(who.request_id.name(), None);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestInformation {
    /// The principal; no character for who did not say who he is.
    pub principal: ToStream<Text>,
    /// The id of the request.
    pub request_id: ToStream<Text>,
    /// The names of the request's activities, as XML.
    pub document: ToStream<Text>,
}

impl ActivityElement for RequestInformation {
    const SHAPE: Shape =
        Shape::new("requestInformation", Family::Utility, "Says who asks, under which id, and for what.").children(&[
            ChildShape::output(
                "principal",
                StreamType::Text,
                "the principal; no character for who did not say who he is",
            )
            .optional(),
            ChildShape::output("requestId", StreamType::Text, "the id of the request").optional(),
            ChildShape::output(
                "document",
                StreamType::Text,
                "`application/xml`: the names of the request's activities as an element",
            )
            .optional(),
        ]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            principal: fields.optional_output("principal")?,
            request_id: fields.optional_output("requestId")?,
            document: fields.optional_output("document")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.optional_output("principal", &self.principal);
        into.optional_output("requestId", &self.request_id);
        into.optional_output("document", &self.document);
    }

    fn name_output(&mut self, _step: &str) {}
}

/// `sleep`: waits.
///
/// ```
/// use std::time::Duration;
///
/// use rejoin::document::activities::{ActivityElement, Sleep};
///
/// assert_eq!(Sleep::new(Duration::from_secs(2)).step("nap").element.attribute("duration"), Some("2000"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sleep {
    /// How long, to the millisecond.
    pub duration: Duration,
}

impl Sleep {
    /// Waits for so long.
    #[must_use]
    pub fn new(duration: Duration) -> Self {
        Self { duration }
    }
}

impl ActivityElement for Sleep {
    const SHAPE: Shape = Shape::new(
        "sleep",
        Family::Utility,
        "Waits, and so keeps the request in its session for that long. For trying things out.",
    )
    .attributes(&[AttributeShape::new(
        "duration",
        ValueShape::Duration,
        "milliseconds such as `250`, or a duration such as `PT2S`",
    )
    .required()]);

    type Output = ();

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self { duration: fields.required_attribute("duration")?.duration_or_zero()? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.attribute("duration", duration::write(self.duration));
    }

    fn name_output(&mut self, _step: &str) {}
}
