//! The elements of the activities that come with the service: one definition, which the service reads, toolkits write, and
//! the documentation and generators describe.
//!
//! Each is a plain struct with what its element says, an [`ActivityElement`]. A client makes one and puts it into a perform
//! document; the service reads it, declares its streams and runs it (room `activity`).
//!
//! ```
//! use rejoin::document::activities::{ActivityElement, SqlQueryStatement, SqlResultsToCsv};
//! use rejoin::document::{PerformDocument, Step};
//!
//! let mut query = SqlQueryStatement::new("SELECT name FROM customer WHERE town = ?").parameter("Perth");
//! let rows = query.name_output("find");
//! let format = SqlResultsToCsv::of(rows).header(true);
//! let steps = vec![Step::Activity(query.step("find")), Step::Activity(format.step("format"))];
//! let document = PerformDocument { steps, ..PerformDocument::default() };
//! assert!(document.to_xml()?.contains(r#"<resultSet from="find.resultStream"/>"#));
//! # Ok::<(), rejoin::document::Unwritable>(())
//! ```
//!
//! Each has a [`Shape`], a constant that says what stands where and what it means; [`ACTIVITIES`] has them all, and
//! [`to_json`] writes them for generators. What an activity of one's own reads need not have one: see
//! [`Activity`](crate::activity::Activity).

mod delivery;
mod element_writer;
mod json;
mod parameter;
mod relational;
mod session;
mod setting;
mod shape;
mod statement;
pub mod stream;
mod text_or_stream;
mod transform;
mod utility;
mod words;

pub use delivery::{InputStream, OutputStream};
pub use element_writer::ElementWriter;
pub use json::to_json;
pub use parameter::{SqlParameter, SqlValue};
pub use relational::{
    ArrowToRows, CloseCursor, ColumnChoice, CsvColumns, CsvToRows, DatabaseSchemaToXml, ExtractDatabaseSchema,
    ExtractPhysicalSchema, FetchCursor, FetchFrom, LoadSource, LoadTarget, NewColumn, NewTable, OpenCursor,
    ParquetToRows, ProcedureArgument, ProcedureParameter, RelationalResourceManagement, ResultsetProjection,
    SqlBulkLoadRowSet, SqlQueryStatement, SqlResultsToArrow, SqlResultsToCsv, SqlResultsToJson, SqlResultsToParquet,
    SqlResultsToXml, SqlStoredProcedure, SqlUpdateStatement, TableContent, TableOperation, TransactionManagement,
    TransactionOperation, WebRowSetToRows,
};
pub use session::{AttributeOperation, DeliverFromSession, DeliverToSession, NewValue, SessionAttributeManagement};
pub use shape::{AttributeShape, ChildShape, Family, Occurs, Requirement, Shape, StreamShape, ValueShape};
pub use statement::SqlStatement;
pub use stream::{FromStream, StreamKind, ToStream};
pub use text_or_stream::TextOrStream;
pub(crate) use text_or_stream::expect_no_content_beside_from;
pub use transform::{BlockAggregator, StringTokenizer};
pub use utility::{DataStore, DataStoreSource, Echo, Refuse, RequestInformation, Sleep};
pub use words::{
    ArrowCompression, DeliveryMode, Isolation, JsonForm, LineBreak, ParameterMode, ParameterType, ParquetCompression,
    TemporalColumns,
};

use super::{DocumentError, Element, Fields, WrittenActivity};

/// The shapes of all activities that come with the service, in the order of the documentation.
pub const ACTIVITIES: &[Shape] = &[
    SqlQueryStatement::SHAPE,
    SqlUpdateStatement::SHAPE,
    SqlStoredProcedure::SHAPE,
    SqlBulkLoadRowSet::SHAPE,
    ResultsetProjection::SHAPE,
    SqlResultsToCsv::SHAPE,
    SqlResultsToXml::SHAPE,
    SqlResultsToJson::SHAPE,
    SqlResultsToArrow::SHAPE,
    SqlResultsToParquet::SHAPE,
    WebRowSetToRows::SHAPE,
    CsvToRows::SHAPE,
    ArrowToRows::SHAPE,
    ParquetToRows::SHAPE,
    TransactionManagement::SHAPE,
    OpenCursor::SHAPE,
    FetchCursor::SHAPE,
    CloseCursor::SHAPE,
    ExtractDatabaseSchema::SHAPE,
    DatabaseSchemaToXml::SHAPE,
    ExtractPhysicalSchema::SHAPE,
    RelationalResourceManagement::SHAPE,
    DeliverToSession::SHAPE,
    DeliverFromSession::SHAPE,
    SessionAttributeManagement::SHAPE,
    InputStream::SHAPE,
    OutputStream::SHAPE,
    BlockAggregator::SHAPE,
    StringTokenizer::SHAPE,
    DataStore::SHAPE,
    Echo::SHAPE,
    Refuse::SHAPE,
    RequestInformation::SHAPE,
    Sleep::SHAPE,
];

/// What the element of an activity says: read by the service, written by a toolkit.
///
/// The attribute `name`, the name of the step, is not part of it.
///
/// ```
/// use rejoin::document::activities::stream::Text;
/// use rejoin::document::activities::{ActivityElement, ElementWriter, Family, FromStream, Shape, ToStream};
/// use rejoin::document::{DocumentError, Fields};
///
/// /// `<upperCase name="loud"><input from="quiet"/><output name="shout"/></upperCase>`
/// #[derive(Debug, PartialEq)]
/// struct UpperCase {
///     input: FromStream<Text>,
///     output: ToStream<Text>,
/// }
///
/// impl ActivityElement for UpperCase {
///     const SHAPE: Shape = Shape::new("upperCase", Family::Transform, "Makes text upper case.");
///     type Output = ToStream<Text>;
///
///     fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError> {
///         Ok(Self { input: fields.input("input")?, output: fields.output("output")? })
///     }
///
///     fn write(&self, into: &mut ElementWriter) {
///         into.input("input", &self.input);
///         into.output("output", &self.output);
///     }
///
///     fn name_output(&mut self, step: &str) -> ToStream<Text> {
///         self.output.name_after(step, "output")
///     }
/// }
///
/// let loud = UpperCase { input: "quiet".into(), output: "shout".into() };
/// assert_eq!(UpperCase::of(&loud.step("loud").element), Ok(loud));
/// ```
pub trait ActivityElement: Sized {
    /// What the element looks like.
    const SHAPE: Shape;

    /// The name of the element.
    const ELEMENT: &'static str = Self::SHAPE.element;

    /// What the activity gives for others to go on from: [`ToStream`] of some kind; `()` where there is no output, or more
    /// than one to choose from.
    type Output;

    /// Reads the element: what was not asked for is refused afterwards.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    fn read(fields: &mut Fields<'_>) -> Result<Self, DocumentError>;

    /// Writes what [`ActivityElement::read`] reads.
    fn write(&self, into: &mut ElementWriter);

    /// Names the output after the step, unless it has a name, and gives it: what another activity is made from.
    fn name_output(&mut self, step: &str) -> Self::Output;

    /// The activity as a step of a perform document. An output that has to be there and has no name is called
    /// `STEP.CHILD`.
    fn step(&self, name: &str) -> WrittenActivity {
        let mut writer = ElementWriter::new(Self::ELEMENT, name);
        self.write(&mut writer);
        WrittenActivity { name: name.into(), element: writer.finish() }
    }

    /// Reads a whole element, and refuses what does not belong there.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] at the first thing that is wrong.
    fn of(element: &Element) -> Result<Self, DocumentError> {
        let mut fields = element.fields();
        fields.attribute("name");
        let read = Self::read(&mut fields)?;
        fields.finish()?;
        Ok(read)
    }
}
