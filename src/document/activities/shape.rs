//! What an activity's element looks like, as constants: for the command, the documentation and generators of toolkits.

use crate::block::StreamType;

/// What an activity's element looks like: its attributes and children, in their order, with a sentence of meaning for each.
///
/// The attribute `name`, which every step has, is not among them. What reads and writes elements is
/// [`ActivityElement`](super::ActivityElement); tests hold the two and the XML Schema together.
///
/// ```
/// use rejoin::document::activities::{ActivityElement, Echo};
///
/// let children: Vec<&str> = Echo::SHAPE.children.iter().map(|child| child.name).collect();
/// assert_eq!((Echo::SHAPE.element, &children[..]), ("echo", &["text", "output"][..]));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// The name of the element.
    pub element: &'static str,
    /// What it has to do with.
    pub family: Family,
    /// Where it is available.
    pub requires: Requirement,
    /// What it does, in a sentence.
    pub summary: &'static str,
    /// Its attributes.
    pub attributes: &'static [AttributeShape],
    /// Its children, in their order.
    pub children: &'static [ChildShape],
}

/// What an activity has to do with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Databases, and rows in formats.
    Relational,
    /// What the session keeps.
    Session,
    /// Streams of the session, which clients read and write.
    Delivery,
    /// Streams into other streams.
    Transform,
    /// HTTP services.
    Web,
    /// Small things.
    Utility,
}

/// What an activity reaches beside the session and its own streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Requirement {
    /// Nothing: available everywhere.
    Nothing,
    /// A relational data resource: available where there is one.
    Relational,
    /// A web resource: available where there is one.
    Web,
    /// Something outside the session and its data resource (files, URLs, mail): has to be granted by name in an activity
    /// configuration document.
    Grant,
}

/// An attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributeShape {
    /// Its name.
    pub name: &'static str,
    /// What its value is.
    pub value: ValueShape,
    /// Whether it has to be there.
    pub is_required: bool,
    /// The value that holds without it.
    pub default: Option<&'static str>,
    /// What it means; blank where its element's meaning says it.
    pub meaning: &'static str,
}

/// What a value is: of an attribute, or of an element that holds text alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueShape {
    /// Any text.
    Text,
    /// A text of one character or more.
    NonEmptyText,
    /// One character.
    Character,
    /// A word without white space, of the characters that names have.
    Word,
    /// A name (`xs:NCName`).
    Name,
    /// `true` or `false`.
    Boolean,
    /// A whole number from the one to the other.
    Integer(i128, i128),
    /// A length of time: milliseconds, or an `xs:duration`.
    Duration,
    /// The name of a type of rows.
    RowType,
    /// A UUID.
    Uuid,
    /// One of these words.
    Choice(&'static [&'static str]),
}

impl ValueShape {
    /// A number from 1, of 32 bits.
    pub const SMALL_COUNT: Self = Self::Integer(1, u32::MAX as i128);
    /// A number from 1, of 64 bits.
    pub const COUNT: Self = Self::Integer(1, u64::MAX as i128);
    /// A number of 64 bits.
    pub const LONG: Self = Self::Integer(i64::MIN as i128, i64::MAX as i128);
}

/// A child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChildShape {
    /// Its name.
    pub name: &'static str,
    /// How often it stands there.
    pub occurs: Occurs,
    /// The number of the group of children of which one kind is chosen.
    pub choice: Option<u8>,
    /// The stream that it names, in `from` or `name`.
    pub stream: Option<StreamShape>,
    /// Its attributes, without those that name a stream.
    pub attributes: &'static [AttributeShape],
    /// The text that it holds.
    pub text: Option<ValueShape>,
    /// Whether it may hold elements of any kind.
    pub holds_any: bool,
    /// Its children.
    pub children: &'static [ChildShape],
    /// What it means.
    pub meaning: &'static str,
}

/// How often a child stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Occurs {
    /// Once.
    One,
    /// Once or not at all.
    Optional,
    /// Any number of times.
    Any,
    /// Once or more.
    Some,
}

/// A stream that a child names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamShape {
    /// Whether it flows in, by `from`, or out, by `name`.
    pub is_input: bool,
    /// What it carries.
    pub carries: StreamType,
    /// Whether the child may hold a text instead of naming a stream.
    pub or_content: bool,
}

impl Shape {
    /// An activity without attributes and children, available everywhere.
    #[must_use]
    pub const fn new(element: &'static str, family: Family, summary: &'static str) -> Self {
        Self { element, family, requires: Requirement::Nothing, summary, attributes: &[], children: &[] }
    }

    /// The same, available where there is that.
    #[must_use]
    pub const fn requires(self, requires: Requirement) -> Self {
        Self { requires, ..self }
    }

    /// The same with these attributes.
    #[must_use]
    pub const fn attributes(self, attributes: &'static [AttributeShape]) -> Self {
        Self { attributes, ..self }
    }

    /// The same with these children.
    #[must_use]
    pub const fn children(self, children: &'static [ChildShape]) -> Self {
        Self { children, ..self }
    }
}

impl AttributeShape {
    /// An attribute that may be left out.
    #[must_use]
    pub const fn new(name: &'static str, value: ValueShape, meaning: &'static str) -> Self {
        Self { name, value, is_required: false, default: None, meaning }
    }

    /// The same, but it has to be there.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The same with the value that holds without it.
    #[must_use]
    pub const fn default(self, default: &'static str) -> Self {
        Self { default: Some(default), ..self }
    }
}

impl ChildShape {
    /// A child without attributes and content that stands there once.
    #[must_use]
    pub const fn new(name: &'static str, meaning: &'static str) -> Self {
        Self {
            name,
            occurs: Occurs::One,
            choice: None,
            stream: None,
            attributes: &[],
            text: None,
            holds_any: false,
            children: &[],
            meaning,
        }
    }

    /// `<name from="…"/>`: an input.
    #[must_use]
    pub const fn input(name: &'static str, carries: StreamType, meaning: &'static str) -> Self {
        Self { stream: Some(StreamShape { is_input: true, carries, or_content: false }), ..Self::new(name, meaning) }
    }

    /// `<name name="…"/>`: an output.
    #[must_use]
    pub const fn output(name: &'static str, carries: StreamType, meaning: &'static str) -> Self {
        Self { stream: Some(StreamShape { is_input: false, carries, or_content: false }), ..Self::new(name, meaning) }
    }

    /// `<name>…</name>` or `<name from="…"/>`: a text or the stream that it comes from.
    #[must_use]
    pub const fn text_or_stream(name: &'static str, meaning: &'static str) -> Self {
        let stream = StreamShape { is_input: true, carries: StreamType::Text, or_content: true };
        Self { stream: Some(stream), ..Self::text(name, ValueShape::Text, meaning) }
    }

    /// `<name>…</name>`: a text.
    #[must_use]
    pub const fn text(name: &'static str, value: ValueShape, meaning: &'static str) -> Self {
        Self { text: Some(value), ..Self::new(name, meaning) }
    }

    /// `<name value="…"/>`: a setting that may be left out, with these as its one attribute.
    #[must_use]
    pub const fn setting(name: &'static str, value: &'static [AttributeShape], meaning: &'static str) -> Self {
        Self { attributes: value, ..Self::new(name, meaning) }.optional()
    }

    /// The same, but it may be left out.
    #[must_use]
    pub const fn optional(self) -> Self {
        Self { occurs: Occurs::Optional, ..self }
    }

    /// The same, but it may stand there any number of times.
    #[must_use]
    pub const fn any_number(self) -> Self {
        Self { occurs: Occurs::Any, ..self }
    }

    /// The same, but it may stand there more than once.
    #[must_use]
    pub const fn some(self) -> Self {
        Self { occurs: Occurs::Some, ..self }
    }

    /// The same as one of a group of which one is chosen.
    #[must_use]
    pub const fn choice(self, group: u8) -> Self {
        Self { choice: Some(group), ..self }
    }

    /// The same with these attributes.
    #[must_use]
    pub const fn attributes(self, attributes: &'static [AttributeShape]) -> Self {
        Self { attributes, ..self }
    }

    /// The same with elements of any kind in it.
    #[must_use]
    pub const fn any_elements(self) -> Self {
        Self { holds_any: true, ..self }
    }

    /// The same with these children.
    #[must_use]
    pub const fn children(self, children: &'static [ChildShape]) -> Self {
        Self { children, ..self }
    }
}

/// The attribute `value` of a setting, without which the default holds.
pub(super) const fn value(value: ValueShape, default: &'static str) -> [AttributeShape; 1] {
    [AttributeShape::new("value", value, "").required().default(default)]
}
