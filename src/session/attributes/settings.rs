use std::path::{Path, PathBuf};

use crate::document::{Element, Fields};

/// What a static attribute is made from.
#[derive(Debug, Clone, Copy)]
pub struct StaticAttributeSettings<'a> {
    element: &'a Element,
    folder: &'a Path,
}

impl<'a> StaticAttributeSettings<'a> {
    /// The settings that a `sessionAttribute` element of a document in that folder gives.
    #[must_use]
    pub fn new(element: &'a Element, folder: &'a Path) -> Self {
        Self { element, folder }
    }

    /// The whole `sessionAttribute` element.
    #[must_use]
    pub fn element(&self) -> &'a Element {
        self.element
    }

    /// The fields of the element, its `name` and its `impl` read.
    pub fn fields(&self) -> Fields<'a> {
        let mut fields = self.element.fields();
        fields.attribute("name");
        fields.attribute("impl");
        fields
    }

    /// The name of the attribute.
    #[must_use]
    pub fn name(&self) -> &'a str {
        self.element.attribute("name").unwrap_or_default()
    }

    /// The folder of the configuration document.
    #[must_use]
    pub fn folder(&self) -> &'a Path {
        self.folder
    }

    /// The path of a file that the element names: relative to the configuration document, as every location is. In an attribute
    /// that is called `location` it is known to the running service: while the document can't be taken because of that
    /// file, a change of the file counts as one of the document.
    #[must_use]
    pub fn path(&self, location: &str) -> PathBuf {
        self.folder.join(location)
    }
}
