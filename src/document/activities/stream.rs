//! The streams that go into activities and come out of them, as elements name them.

use std::fmt::Debug;
use std::marker::PhantomData;

use super::ElementWriter;
use crate::block::StreamType;
use crate::document::{DocumentError, Element, Fields, Located, Value};

/// What a stream carries, as a type: an output of rows can't be given to an input of text.
pub trait StreamKind: Debug + Clone + Copy + PartialEq + Eq + Default + Send + Sync + 'static {
    /// The same as a value.
    const TYPE: StreamType;
}

/// A stream of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rows;

/// A stream of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Text;

/// A stream of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bytes;

/// A stream of rows, text or bytes: which, is known when it flows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Any;

impl StreamKind for Rows {
    const TYPE: StreamType = StreamType::Rows;
}

impl StreamKind for Text {
    const TYPE: StreamType = StreamType::Text;
}

impl StreamKind for Bytes {
    const TYPE: StreamType = StreamType::Bytes;
}

impl StreamKind for Any {
    const TYPE: StreamType = StreamType::Any;
}

/// An input of this kind takes a stream of the kind `K`: the same, or one that may be anything.
pub trait Takes<K: StreamKind>: StreamKind {}

impl Takes<Rows> for Rows {}
impl Takes<Text> for Text {}
impl Takes<Bytes> for Bytes {}
impl<K: StreamKind> Takes<K> for Any {}
impl Takes<Any> for Rows {}
impl Takes<Any> for Text {}
impl Takes<Any> for Bytes {}

/// An input: the name of the stream that an activity reads, `from="rows"`.
///
/// It is made from the output of another activity, whose kind has to fit, or from a name.
///
/// ```
/// use rejoin::document::activities::{FromStream, ToStream, stream::Rows};
///
/// let output = ToStream::<Rows>::new("rows");
/// assert_eq!(FromStream::<Rows>::from(&output), FromStream::from("rows"));
/// ```
///
/// ```compile_fail
/// # use rejoin::document::activities::{FromStream, ToStream, stream::{Rows, Text}};
/// let text = FromStream::<Text>::from(ToStream::<Rows>::new("rows"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromStream<K: StreamKind> {
    name: Located<Box<str>>,
    kind: PhantomData<K>,
}

/// An output: the name of the stream that an activity writes, `name="rows"`. One without a name that may be left out is not
/// asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ToStream<K: StreamKind> {
    name: Option<Located<Box<str>>>,
    kind: PhantomData<K>,
}

impl<K: StreamKind> FromStream<K> {
    /// Reads the value of an attribute `from`.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is not a name.
    pub fn read(from: &Value<'_>) -> Result<Self, DocumentError> {
        Ok(Self { name: Located::new(from.name()?.into(), from.position()), kind: PhantomData })
    }

    /// The name, and where it stands.
    #[must_use]
    pub fn name(&self) -> &Located<Box<str>> {
        &self.name
    }
}

impl<K: StreamKind> ToStream<K> {
    /// An output of that name.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self { name: Some(Located::from(name.into())), kind: PhantomData }
    }

    fn read(child: &Element) -> Result<Self, DocumentError> {
        let mut fields = child.fields();
        let name = fields.required_attribute("name")?;
        fields.finish()?;
        Ok(Self { name: Some(Located::new(name.name()?.into(), name.position())), kind: PhantomData })
    }

    /// The name, and where it stands, if it has one.
    #[must_use]
    pub fn name(&self) -> Option<&Located<Box<str>>> {
        self.name.as_ref()
    }

    /// The same output, which is known to carry that.
    #[must_use]
    pub fn carrying<L: StreamKind>(self) -> ToStream<L> {
        ToStream { name: self.name, kind: PhantomData }
    }

    /// Names the output after its step and its child, `STEP.CHILD`, unless it has a name; and gives a copy of it.
    pub fn name_after(&mut self, step: &str, child: &str) -> Self {
        self.name.get_or_insert_with(|| default_name(step, child).into());
        self.clone()
    }
}

/// What an output is called that has to be there and was not named.
pub(super) fn default_name(step: &str, child: &str) -> Box<str> {
    format!("{step}.{child}").into()
}

impl<K: StreamKind> From<&str> for FromStream<K> {
    fn from(name: &str) -> Self {
        Self { name: Located::from(Box::from(name)), kind: PhantomData }
    }
}

impl<K: StreamKind> From<&str> for ToStream<K> {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl<K: StreamKind, L: Takes<K>> From<&ToStream<K>> for FromStream<L> {
    /// An output that has no name yet is the stream of no name, which no service takes.
    fn from(output: &ToStream<K>) -> Self {
        let name = output.name.clone().unwrap_or_else(|| Located::from(Box::default()));
        Self { name, kind: PhantomData }
    }
}

impl<K: StreamKind, L: Takes<K>> From<ToStream<K>> for FromStream<L> {
    fn from(output: ToStream<K>) -> Self {
        Self::from(&output)
    }
}

/// How streams are read.
impl Fields<'_> {
    /// The next child, `<child from="…"/>`: an input.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when another child stands there, or its `from` is missing or not a name.
    pub fn input<K: StreamKind>(&mut self, child: &'static str) -> Result<FromStream<K>, DocumentError> {
        read_input(self.required_child(child)?)
    }

    /// The next child, `<child from="…"/>`, if it is there: an input that may be left out.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when its `from` is missing or not a name.
    pub fn optional_input<K: StreamKind>(
        &mut self,
        child: &'static str,
    ) -> Result<Option<FromStream<K>>, DocumentError> {
        self.child(child).map(read_input).transpose()
    }

    /// The next child, `<child name="…"/>`: an output.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when another child stands there, or its `name` is missing or not a name.
    pub fn output<K: StreamKind>(&mut self, child: &'static str) -> Result<ToStream<K>, DocumentError> {
        ToStream::read(self.required_child(child)?)
    }

    /// The next child, `<child name="…"/>`, if it is there: an output that may be left out.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when its `name` is missing or not a name.
    pub fn optional_output<K: StreamKind>(&mut self, child: &'static str) -> Result<ToStream<K>, DocumentError> {
        self.child(child).map_or(Ok(ToStream::default()), ToStream::read)
    }
}

/// Reads `<child from="…"/>`, where the child has been found already.
pub(super) fn read_input<K: StreamKind>(child: &Element) -> Result<FromStream<K>, DocumentError> {
    let mut fields = child.fields();
    let from = fields.required_attribute("from")?;
    fields.finish()?;
    FromStream::read(&from)
}

/// How streams are written.
impl ElementWriter {
    /// An input, `<child from="…"/>`.
    pub fn input<K: StreamKind>(&mut self, child: &str, input: &FromStream<K>) {
        self.child(child, |element| element.attribute("from", &input.name.value));
    }

    /// An output, `<child name="…"/>`. One without a name is called after its step.
    pub fn output<K: StreamKind>(&mut self, child: &str, output: &ToStream<K>) {
        let default = || default_name(self.step(), child);
        let name = output.name.as_ref().map_or_else(default, |name| name.value.clone());
        self.child(child, |element| element.attribute("name", &name));
    }

    /// An output that is left out when it has no name.
    pub fn optional_output<K: StreamKind>(&mut self, child: &str, output: &ToStream<K>) {
        if output.name.is_some() {
            self.output(child, output);
        }
    }
}
