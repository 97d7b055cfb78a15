use std::collections::HashMap;

use parking_lot::Mutex;

use super::Download;
use crate::activity::FileFolder;
use crate::ingest::settings::{Checksum, ChecksumSource, DownloadSettings, IngestSettings, Template};
use crate::ingest::transfer::{Digest, PartKept};
use crate::ingest::variables::{Values, fill};
use crate::resource::files::FileName;

/// What the downloads of an activity share: the folder, and which unit writes which file.
pub(in crate::activity::web) struct Downloads<'a> {
    folder: &'a FileFolder,
    settings: &'a DownloadSettings,
    claimed: Mutex<HashMap<FileName, u64>>,
}

impl<'a> Downloads<'a> {
    pub(in crate::activity::web) fn new(folder: &'a FileFolder, settings: &'a DownloadSettings) -> Self {
        Self { folder, settings, claimed: Mutex::default() }
    }

    /// Columns that the name or the checksum is made of are for that, and are not sent unless a template of the request names
    /// them.
    pub(in crate::activity::web::http_ingest) fn hold_back(&self, values: &mut Values) {
        let checksum = self.settings.checksum.as_ref().map(|checksum| &checksum.source);
        let of_checksum = match checksum {
            Some(ChecksumSource::Value(value)) => Some(value),
            _ => None,
        };
        let named: Vec<&str> =
            [Some(&self.settings.file), of_checksum].into_iter().flatten().flat_map(Template::variables).collect();
        let (held, sent): (Vec<_>, Vec<_>) =
            std::mem::take(&mut values.fields).into_iter().partition(|(name, _)| named.contains(&&**name));
        values.fields = sent;
        values.held.extend(held);
    }

    /// The file of the unit of that index, which an earlier request may have begun.
    ///
    /// # Errors
    ///
    /// Why it can't be one: its name is none, or another unit's; the digest is none.
    pub(in crate::activity::web::http_ingest) fn begin(
        &self,
        index: u64,
        settings: &IngestSettings,
        values: &Values,
        kept: Option<PartKept>,
    ) -> Result<Download<'_>, String> {
        let filled =
            |template, place| fill(template, &settings.parameters, values, place).map_err(|error| error.to_string());
        let name = filled(&self.settings.file, "the name of the file (`rejoin.download`)")?;
        let name = FileName::parse(&name).map_err(|error| error.to_string())?;
        let expected =
            match &self.settings.checksum {
                Some(Checksum { algorithm, source: ChecksumSource::Value(value) }) => {
                    let text = filled(value, "the checksum of `rejoin.download`")?;
                    let digest = Digest::parse(&text, *algorithm);
                    Some(digest.ok_or_else(|| {
                        format!("`{text}` is no {} digest in hexadecimal or base64", algorithm.name())
                    })?)
                }
                _ => None,
            };
        let other = *self.claimed.lock().entry(name.clone()).or_insert(index);
        if other != index {
            return Err(format!(
                "unit {} writes the file `{name}` already: name files by a variable of the unit (`rejoin.download`)",
                other + 1
            ));
        }
        let (folder, settings) = (self.folder.folder(), self.settings);
        let most = kept.as_ref().map_or(0, |kept| kept.bytes);
        Ok(Download { settings, folder, name, expected, kept, writing: None, most })
    }
}
