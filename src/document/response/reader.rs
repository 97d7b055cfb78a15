//! A response document to its events, as it comes.

use std::io::BufRead;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{ResponseError, ResponseSession, STATUSES, Status};
use crate::document::characters::{is_blank, is_space};
use crate::document::reader::{TreeReader, XmlEvent, XmlReader};
use crate::document::{DocumentError, Element, Limits, Position, TYPES_NAMESPACE, root};

/// Reads a response document of any size in bounded memory: what a client does with the answer of the service.
///
/// ```
/// use rejoin::document::{ResponseEvent, ResponseReader, Status};
///
/// let document = br#"<response xmlns="http://ogsadai.org.uk/namespaces/2005/10/types" requestId="0193">
///   <session id="q0Zk" created="true"/>
///   <result name="said" status="COMPLETED" contentType="text/plain"><![CDATA[hello]]></result>
///   <request status="COMPLETED"/>
/// </response>"#;
/// let mut reader = ResponseReader::new(&document[..])?;
/// let mut said = String::new();
/// loop {
///     match reader.next()? {
///         ResponseEvent::Text(text) => said.push_str(text),
///         ResponseEvent::Request { status, .. } => assert_eq!(status, Status::Completed),
///         ResponseEvent::End => break,
///         _ => {}
///     }
/// }
/// assert_eq!(said, "hello");
/// # Ok::<(), rejoin::document::DocumentError>(())
/// ```
#[derive(Debug)]
pub struct ResponseReader<R> {
    reader: XmlReader<R>,
    trees: TreeReader,
    request_id: Box<str>,
    stage: Stage,
    /// Base64 that makes no whole group yet, and then the bytes it stands for.
    base64: Base64Reader,
}

/// What a response consists of, in order.
#[derive(Debug, PartialEq)]
pub enum ResponseEvent<'a> {
    /// The session that the request was joined to.
    Session(ResponseSession),
    /// A result begins.
    Result(ResultStart),
    /// Text of the result, in order: a piece.
    Text(&'a str),
    /// Bytes of the result, in order: a piece.
    Bytes(&'a [u8]),
    /// Why the activity failed, or the stream of the end-point broke: then the data before it is not all.
    Error(ResponseError),
    /// The result ends.
    ResultEnd,
    /// The status of the request and, if it failed as a whole, why.
    Request {
        /// How far it is.
        status: Status,
        /// Why it failed.
        error: Option<ResponseError>,
        /// Whether the results are here. `resultsKept="false"` says that the answer is told again without them, because they
        /// were too large to be kept.
        results_kept: bool,
    },
    /// The end of the document.
    End,
}

/// `<result name status contentType encoding>`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResultStart {
    /// The name of the activity or of the end-point.
    pub name: Box<str>,
    /// How far it is. Of an end-point that streams, [`Status::Processing`].
    pub status: Status,
    /// The media type of the data; an activity has none.
    pub content_type: Option<Box<str>>,
    /// How the data is written.
    pub encoding: DataEncoding,
}

/// How the data of a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataEncoding {
    /// As text.
    Text,
    /// As base64; it is read to bytes.
    Base64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Session,
    Results,
    /// In a result, with how its data is written, whether white space alone is data, and whether its error has been read.
    Result {
        encoding: DataEncoding,
        typed: bool,
        failed: bool,
    },
    Request,
    End,
}

impl<R: BufRead> ResponseReader<R> {
    /// Begins to read a document in UTF-8.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] when it is no response document.
    pub fn new(source: R) -> Result<Self, DocumentError> {
        /// Far more than the service writes into one section.
        const SECTION_BYTES: u64 = 16 * 1024 * 1024;
        let limits =
            Limits { document_bytes: u64::MAX, elements: u32::MAX, text_bytes: SECTION_BYTES, ..Limits::default() };
        let mut reader = XmlReader::new(source, &limits);
        let response = reader.expect_root()?.to_element();
        root::check(&response, "response", TYPES_NAMESPACE)?;
        let mut fields = response.fields();
        let request_id = fields.required_attribute("requestId")?.one_word()?.value.into();
        fields.finish()?;
        let (trees, base64) = (TreeReader::default(), Base64Reader::default());
        Ok(Self { reader, trees, request_id, stage: Stage::Session, base64 })
    }

    /// The id of the request: what to name when asking the operator about it.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// The next event. After [`ResponseEvent::End`] it comes again and again.
    ///
    /// # Errors
    ///
    /// [`DocumentError`] where the document is wrong, or breaks off. Reading on after an error has no meaning.
    // It lends what it returns, so it can't be the method of an iterator.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<ResponseEvent<'_>, DocumentError> {
        match self.stage {
            Stage::Result { encoding, typed, failed } => self.next_in_result(encoding, typed, failed),
            Stage::End => Ok(ResponseEvent::End),
            Stage::Session | Stage::Results | Stage::Request => self.next_child(),
        }
    }

    fn next_child(&mut self) -> Result<ResponseEvent<'_>, DocumentError> {
        let Some(child) = self.reader.next_child("response", TYPES_NAMESPACE)? else {
            if self.stage != Stage::Request {
                let message = "the response ends without a `request` element: it is not complete";
                return Err(DocumentError::invalid(self.reader.position(), message));
            }
            self.reader.expect_end()?;
            self.stage = Stage::End;
            return Ok(ResponseEvent::End);
        };
        match (self.stage, child.local_name()) {
            (Stage::Session, "session") => {
                let element = self.trees.read_content(child, &mut self.reader)?;
                self.stage = Stage::Results;
                ResponseSession::read(&element).map(ResponseEvent::Session)
            }
            (Stage::Results, "result") => self.begin_result(&child).map(ResponseEvent::Result),
            (Stage::Results, "request") => {
                let element = self.trees.read_content(child, &mut self.reader)?;
                self.stage = Stage::Request;
                read_request(&element)
            }
            _ => Err(unexpected(&child, "a response holds `session`, then `result` elements, then `request`")),
        }
    }

    fn begin_result(&mut self, element: &Element) -> Result<ResultStart, DocumentError> {
        let mut fields = element.fields();
        let name = fields.required_attribute("name")?.name()?.into();
        let status = fields.required_attribute("status")?.choice(&STATUSES)?;
        let content_type = fields.attribute("contentType").map(|value| value.non_empty()).transpose()?;
        let encoding = fields.attribute("encoding");
        fields.finish()?;
        let encoding =
            encoding.map_or(Ok(DataEncoding::Text), |word| word.choice(&[("base64", DataEncoding::Base64)]))?;
        self.stage = Stage::Result { encoding, typed: content_type.is_some(), failed: false };
        self.base64 = Base64Reader::default();
        Ok(ResultStart { name, status, content_type: content_type.map(|located| located.value.into()), encoding })
    }

    fn next_in_result(
        &mut self,
        encoding: DataEncoding,
        typed: bool,
        failed: bool,
    ) -> Result<ResponseEvent<'_>, DocumentError> {
        loop {
            // What is returned here is looked at again below: a loop can't lend it.
            match self.reader.next()? {
                XmlEvent::Text(text) if (failed || !typed) && is_blank(text) => {}
                XmlEvent::Text(_) => break,
                XmlEvent::Start(tag) => {
                    let child = tag.to_element();
                    if failed || child.local_name() != "error" || child.name().namespace() != Some(TYPES_NAMESPACE) {
                        return Err(unexpected(&child, "a result holds data, and behind it one `error`"));
                    }
                    let element = self.trees.read_content(child, &mut self.reader)?;
                    self.stage = Stage::Result { encoding, typed, failed: true };
                    return ResponseError::read(&element).map(ResponseEvent::Error);
                }
                XmlEvent::End | XmlEvent::Eof => {
                    if !failed {
                        self.base64.end(self.reader.position())?;
                    }
                    self.stage = Stage::Results;
                    return Ok(ResponseEvent::ResultEnd);
                }
            }
        }
        let position = self.reader.position();
        if failed {
            return Err(DocumentError::invalid(position, "contradictory: data behind the error of a result"));
        }
        match encoding {
            DataEncoding::Text => Ok(ResponseEvent::Text(self.reader.text())),
            DataEncoding::Base64 => self.base64.read(self.reader.text(), position).map(ResponseEvent::Bytes),
        }
    }
}

fn read_request<'a>(element: &Element) -> Result<ResponseEvent<'a>, DocumentError> {
    let mut fields = element.fields();
    let status = fields.required_attribute("status")?.choice(&STATUSES)?;
    let results_kept = fields.attribute("resultsKept").map_or(Ok(true), |value| value.boolean())?;
    let error = fields.child("error").map(ResponseError::read).transpose()?;
    fields.finish()?;
    Ok(ResponseEvent::Request { status, error, results_kept })
}

fn unexpected(child: &Element, expected: &str) -> DocumentError {
    DocumentError::invalid(child.position(), format!("unexpected element `{}`: {expected}", child.local_name()))
}

/// Base64 that comes in pieces, with or without white space.
#[derive(Debug, Default)]
struct Base64Reader {
    /// What makes no whole group of four yet.
    carried: Vec<u8>,
    decoded: Vec<u8>,
    /// Whether the padding was read: nothing comes behind it.
    padded: bool,
}

impl Base64Reader {
    fn read(&mut self, text: &str, position: Position) -> Result<&[u8], DocumentError> {
        self.decoded.clear();
        self.carried.extend(text.bytes().filter(|byte| !is_space(*byte)));
        let whole = self.carried.len() / 4 * 4;
        if self.padded && !self.carried.is_empty() {
            return Err(DocumentError::invalid(position, "contradictory: base64 goes on behind its padding"));
        }
        if STANDARD.decode_vec(&self.carried[..whole], &mut self.decoded).is_err() {
            return Err(DocumentError::invalid(position, "contradictory: the data is not the base64 it is said to be"));
        }
        self.padded = self.carried[..whole].last() == Some(&b'=');
        self.carried.drain(..whole);
        Ok(&self.decoded)
    }

    fn end(&self, position: Position) -> Result<(), DocumentError> {
        if self.carried.is_empty() {
            return Ok(());
        }
        Err(DocumentError::invalid(position, "contradictory: the base64 ends within a group of four"))
    }
}
