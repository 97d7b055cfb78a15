use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use crate::block::{Scalar, ScalarType};
use crate::document::{DocumentError, Element, Limits, Located, Position, WatchedFile};
use crate::session::{StaticAttributeSettings, StaticSessionAttribute};

/// The largest file.
const MOST_BYTES: u64 = 1024 * 1024;

/// `rejoin.Document`: the content of a file, which is read again when it changes.
///
/// A change counts when two looks in a row saw the same: a file that is being written is half there for a moment.
struct Document {
    scalar_type: ScalarType,
    content: RwLock<Scalar>,
    watched: Mutex<Watched>,
}

struct Watched {
    file: WatchedFile,
    /// The last look saw something new.
    is_changed: bool,
}

/// What is wrong with the content of the file, and where, if that can be said.
struct Unusable {
    place: Option<Position>,
    message: String,
}

impl Document {
    /// Reads the file.
    fn open(mut file: WatchedFile, scalar_type: ScalarType) -> Result<Self, Unusable> {
        file.look();
        let content = RwLock::new(read(&file, scalar_type)?);
        Ok(Self { scalar_type, content, watched: Mutex::new(Watched { file, is_changed: false }) })
    }
}

impl StaticSessionAttribute for Document {
    fn type_name(&self) -> &'static str {
        self.scalar_type.name()
    }

    fn scalar(&self) -> Option<Scalar> {
        Some(self.content.read().clone())
    }

    fn refresh(&self) {
        let mut watched = self.watched.lock();
        let is_new = watched.file.look();
        if std::mem::replace(&mut watched.is_changed, is_new) && !is_new {
            let file = watched.file.path().display();
            match read(&watched.file, self.scalar_type) {
                Ok(content) if content == *self.content.read() => {}
                Ok(content) => {
                    *self.content.write() = content;
                    tracing::info!(%file, "the document of a static session attribute has changed");
                }
                Err(problem) => {
                    tracing::warn!(%file, %problem, "a changed document is not taken; its static session attribute stays as it was");
                }
            }
        }
    }
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("scalar_type", &self.scalar_type).finish_non_exhaustive()
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place {
            Some(place) => write!(f, "{place}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// What a file holds, if it is what it should be: XML as one element, without its declaration, so that it can stand inside
/// another.
fn read(file: &WatchedFile, scalar_type: ScalarType) -> Result<Scalar, Unusable> {
    let unusable = |message: String| Unusable { place: None, message };
    let bytes = file.content().map_err(|error| unusable(format!("it can't be read: {error}")))?;
    if scalar_type != ScalarType::Xml {
        let text = std::str::from_utf8(bytes).map_err(|_| unusable("it is not UTF-8".into()))?;
        return Ok(Scalar::Text(text.into()));
    }
    let element = Element::parse(bytes, &Limits::default())
        .map_err(|error| Unusable { place: Some(error.position()), message: error.message().to_owned() })?;
    let xml = element.to_xml().map_err(|error| unusable(error.to_string()))?;
    Ok(Scalar::Xml(xml.trim_end().into()))
}

/// `<document location="menu.xml"/>`, with `type="text"` where it is no XML. The location is relative to the configuration
/// document.
pub(super) fn make(settings: &StaticAttributeSettings<'_>) -> Result<Arc<dyn StaticSessionAttribute>, DocumentError> {
    let mut fields = settings.fields();
    let mut document = fields.required_child("document")?.fields();
    let Located { value: location, position } = document.required_attribute("location")?.non_empty()?;
    let types = [("xml", ScalarType::Xml), ("text", ScalarType::Text)];
    let scalar_type = document.attribute("type").map_or(Ok(ScalarType::Xml), |value| value.choice(&types))?;
    document.finish()?;
    fields.finish()?;
    let file = WatchedFile::new(settings.path(&location), MOST_BYTES);
    // Without its path: clients may see this.
    let refuse = |problem: Unusable| DocumentError::invalid(position, format!("the document: {problem}"));
    Ok(Arc::new(Document::open(file, scalar_type).map_err(refuse)?))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    fn document(content: &str, scalar_type: ScalarType) -> (TempDir, Result<Document, Unusable>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, content).unwrap();
        let document = Document::open(WatchedFile::new(path, MOST_BYTES), scalar_type);
        (folder, document)
    }

    #[test]
    fn a_changed_file_counts_when_two_looks_saw_the_same() {
        let (folder, document) = document("one", ScalarType::Text);
        let document = document.ok().unwrap();
        let text = |text: &str| Some(Scalar::Text(text.into()));
        let path = folder.path().join("file");
        fs::write(&path, "tw").unwrap();
        document.refresh();
        assert_eq!(document.scalar(), text("one"));
        fs::write(&path, "two").unwrap();
        document.refresh();
        assert_eq!(document.scalar(), text("one"), "it was still being written");
        document.refresh();
        assert_eq!(document.scalar(), text("two"));
    }

    #[test]
    fn the_last_good_content_stays() {
        let (folder, document) = document("<menu/>", ScalarType::Xml);
        let document = document.ok().unwrap();
        let path = folder.path().join("file");
        for broken in ["<menu>", "\u{1}", "<!DOCTYPE menu []><menu/>", &"x".repeat(1024 * 1024 + 1)] {
            fs::write(&path, broken).unwrap();
            document.refresh();
            document.refresh();
            assert_eq!(document.scalar(), Some(Scalar::Xml("<menu/>".into())));
        }
        fs::remove_file(&path).unwrap();
        document.refresh();
        document.refresh();
        assert_eq!(document.scalar(), Some(Scalar::Xml("<menu/>".into())));
    }

    #[test]
    fn what_is_no_xml_says_where() {
        let (_folder, document) = document("<menu>\n<tea></menu>", ScalarType::Xml);
        assert!(document.err().unwrap().to_string().starts_with("2:6: "));
    }
}
