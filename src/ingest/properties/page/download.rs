//! `rejoin.download`, `ms.extractor.target.file.name`

use crate::ingest::properties::node::Node;
use crate::ingest::properties::set::PropertySet;
use crate::ingest::settings::{Checksum, ChecksumAlgorithm, DownloadSettings, PageForm, Template};

const NAME: &str = "ms.extractor.target.file.name";
const DOWNLOAD: &str = "rejoin.download";

pub(super) fn download(set: &PropertySet<'_>, form: &PageForm) -> Option<DownloadSettings> {
    if !matches!(form, PageForm::File) {
        for key in [NAME, DOWNLOAD] {
            if set.has(key) {
                set.refuse(key, "it is for answers that are files: `rejoin.format` is not `file`");
            }
        }
        return None;
    }
    let name = set.text(NAME);
    let object = set.json(DOWNLOAD, |node| object(node, name.is_some())).flatten();
    let (file, mut settings) = match object {
        Some((file, settings)) => (file, settings),
        None if set.has(DOWNLOAD) => return None,
        None => (None, DownloadSettings { file: Template::default(), uses_etag: true, resumes: true, checksum: None }),
    };
    // Without a name the answer flows on as bytes.
    settings.file = file.or_else(|| name.map(Template::parse))?;
    Some(settings)
}

/// `{"file": …, "etag": true, "resume": true, "checksum": {"algorithm": "sha256", "value": …}}`
fn object(node: &Node<'_>, is_named: bool) -> Option<(Option<Template>, DownloadSettings)> {
    let members = node.members(&["file", "etag", "resume", "checksum"])?;
    let file = members.get("file");
    match &file {
        Some(file) if is_named => {
            file.refuse(format!("`{NAME}` says the name of the file already: one of them is enough"));
        }
        None if !is_named => node.refuse("`file` is missing: the name of the file"),
        _ => {}
    }
    let checksum = members.get("checksum").and_then(|node| {
        let members = node.members(&["algorithm", "value"])?;
        let algorithms = [("sha256", ChecksumAlgorithm::Sha256), ("sha512", ChecksumAlgorithm::Sha512)];
        let algorithm = members.need("algorithm").and_then(|node| node.word(&algorithms));
        let value = members.need("value").and_then(|node| node.text());
        Some(Checksum { algorithm: algorithm?, value: Template::parse(value?) })
    });
    let flag = |name| members.get(name).map_or(Some(true), |node| node.flag());
    let (uses_etag, resumes) = (flag("etag"), flag("resume"));
    let settings = DownloadSettings { file: Template::default(), uses_etag: uses_etag?, resumes: resumes?, checksum };
    Some((file.and_then(|file| file.text()).map(Template::parse), settings))
}
