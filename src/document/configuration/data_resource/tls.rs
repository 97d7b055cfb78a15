//! The protection of connections.

use crate::document::configuration::contradictory;
use crate::document::writer::XmlWriter;
use crate::document::{DocumentError, Element, Located};

/// `<tls mode authority/>`
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TlsConfiguration {
    /// Whether connections are encrypted.
    pub mode: TlsModeConfiguration,
    /// A file with the certificates that are trusted, relative to this document.
    pub authority: Option<Located<String>>,
}

/// `mode` of `<tls>`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum TlsModeConfiguration {
    /// `automatic`: as `verify`, but without TLS to the machine itself.
    #[default]
    Automatic,
    /// `verify`: encrypted, to a server whose certificate is trusted and has its name.
    Verify,
    /// `off`: not encrypted.
    Off,
}

impl TlsModeConfiguration {
    const NAMED: [(&'static str, Self); 3] =
        [("automatic", Self::Automatic), ("verify", Self::Verify), ("off", Self::Off)];

    fn name(self) -> &'static str {
        Self::NAMED.into_iter().find_map(|(name, mode)| (mode == self).then_some(name)).unwrap_or("automatic")
    }
}

impl TlsConfiguration {
    pub(super) fn read(element: &Element) -> Result<Located<Self>, DocumentError> {
        let mut fields = element.fields();
        let mode = fields.attribute("mode").map(|value| value.choice(&TlsModeConfiguration::NAMED)).transpose()?;
        let authority = fields.attribute("authority").map(|value| value.non_empty()).transpose()?;
        fields.finish()?;
        let mode = mode.unwrap_or_default();
        match authority {
            Some(file) if mode == TlsModeConfiguration::Off => Err(contradictory(
                file.position,
                "without TLS no certificate is checked: leave `authority` or the mode out",
            )),
            authority => Ok(Located::new(Self { mode, authority }, element.position())),
        }
    }

    pub(super) fn write(&self, writer: &mut XmlWriter) {
        writer.start("tls");
        writer.attribute("mode", self.mode.name());
        writer.optional("authority", self.authority.as_ref().map(|file| &file.value));
        writer.end();
    }
}
