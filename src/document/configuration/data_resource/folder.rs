//! What may be done in a folder.

use std::time::Duration;

use super::milliseconds;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Located};

/// `<folder write create fileBytes unfinished/>`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FolderConfiguration {
    /// Whether activities may put files there.
    pub write: bool,
    /// Whether the folder is made if it is missing.
    pub create: bool,
    /// The most bytes of one file; `None`: as many as there is room for.
    pub file_bytes: Option<u64>,
    /// How long an unfinished file is kept after its last byte.
    pub unfinished: Option<Duration>,
}

impl FolderConfiguration {
    pub(super) fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let mut flag = |name| fields.attribute(name).map_or(Ok(false), |value| value.boolean());
        let (write, create) = (flag("write")?, flag("create")?);
        let file_bytes = fields.attribute("fileBytes").map(|value| value.count_or_unbounded()).transpose()?.flatten();
        let unfinished = fields.attribute("unfinished").map(|value| value.duration_or_zero()).transpose()?;
        fields.finish()?;
        Ok(Located::new(Self { write, create, file_bytes, unfinished }, element.position()))
    }

    pub(super) fn write(self, writer: &mut XmlWriter) {
        writer.start("folder");
        writer.attribute("write", self.write);
        writer.attribute("create", self.create);
        writer.optional("fileBytes", self.file_bytes);
        writer.optional("unfinished", self.unfinished.map(milliseconds));
        writer.end();
    }
}
