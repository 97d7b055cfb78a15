//! Streams into other streams.

use super::shape::{self, AttributeShape, ChildShape, Family, Shape, ValueShape};
use super::stream::Text;
use super::{ActivityElement, ElementWriter, FromStream, ToStream};
use crate::block::StreamType;
use crate::document::{DocumentError, Fields};

/// `blockAggregator`: joins so many blocks of text into one.
///
/// ```
/// use rejoin::document::activities::BlockAggregator;
///
/// assert_eq!(BlockAggregator::of("letters", 2).size, 2);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockAggregator {
    /// The small blocks.
    pub input: FromStream<Text>,
    /// How many become one.
    pub size: u32,
    /// The large ones.
    pub output: ToStream<Text>,
}

impl BlockAggregator {
    /// Joins so many blocks of a stream.
    #[must_use]
    pub fn of(blocks: impl Into<FromStream<Text>>, size: u32) -> Self {
        Self { input: blocks.into(), size, output: ToStream::default() }
    }
}

impl ActivityElement for BlockAggregator {
    const SHAPE: Shape = Shape::new("blockAggregator", Family::Transform, "Joins blocks of text into larger ones.")
        .children(&[
            ChildShape::input("input", StreamType::Text, ""),
            ChildShape::new("blocksize", "how many blocks become one").attributes(&[AttributeShape::new(
                "size",
                ValueShape::SMALL_COUNT,
                "",
            )
            .required()]),
            ChildShape::output("output", StreamType::Text, ""),
        ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        let input = fields.input("input")?;
        let mut block_size = fields.required_child("blocksize")?.fields();
        let size = block_size.required_attribute("size")?.integer(1..=u32::MAX)?;
        block_size.finish()?;
        Ok(Self { input, size, output: fields.output("output")? })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("input", &self.input);
        into.child("blocksize", |element| element.attribute("size", self.size));
        into.output("output", &self.output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.output.name_after(step, "output")
    }
}

/// `stringTokenizer`: cuts text into tokens, each a block.
///
/// ```
/// use rejoin::document::activities::StringTokenizer;
///
/// let words = StringTokenizer::of("line");
/// let fields = StringTokenizer { delimiters: ",;".into(), ..StringTokenizer::of("line") };
/// assert_eq!(words.delimiters, " ");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StringTokenizer {
    /// The text.
    pub string_blocks_input: FromStream<Text>,
    /// The characters to cut at; spaces if nothing is said.
    pub delimiters: String,
    /// The tokens.
    pub string_tokens_output: ToStream<Text>,
}

impl StringTokenizer {
    /// Cuts text at spaces.
    #[must_use]
    pub fn of(text: impl Into<FromStream<Text>>) -> Self {
        Self { string_blocks_input: text.into(), delimiters: " ".into(), string_tokens_output: ToStream::default() }
    }
}

impl ActivityElement for StringTokenizer {
    const SHAPE: Shape = Shape::new(
        "stringTokenizer",
        Family::Transform,
        "Cuts text into tokens at any of some characters; each token is a block.",
    )
    .children(&[
        ChildShape::input("stringBlocksInput", StreamType::Text, ""),
        ChildShape::setting("delimiters", &shape::value(ValueShape::Text, " "), "the characters to cut at"),
        ChildShape::output("stringTokensOutput", StreamType::Text, "a block for each token"),
    ]);

    type Output = ToStream<Text>;

    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
        Ok(Self {
            string_blocks_input: fields.input("stringBlocksInput")?,
            delimiters: fields.setting_or("delimiters", " ".to_owned(), |value| Ok(value.as_str().to_owned()))?,
            string_tokens_output: fields.output("stringTokensOutput")?,
        })
    }

    fn write(&self, into: &mut ElementWriter) {
        into.input("stringBlocksInput", &self.string_blocks_input);
        into.setting_unless("delimiters", &*self.delimiters, " ");
        into.output("stringTokensOutput", &self.string_tokens_output);
    }

    fn name_output(&mut self, step: &str) -> ToStream<Text> {
        self.string_tokens_output.name_after(step, "stringTokensOutput")
    }
}
