//! `rejoin.download`, `ms.extractor.target.file.name`

use http::{HeaderName, Method};

use crate::ingest::properties::node::Node;
use crate::ingest::properties::set::PropertySet;
use crate::ingest::settings::{
    Checksum, ChecksumAlgorithm, ChecksumSource, DownloadSettings, IngestSettings, PageForm, Template, TemplatePart,
};
use crate::ingest::transfer::{Digest, REFUSED_HEADERS};
use crate::resource::files::FileName;

const NAME: &str = "ms.extractor.target.file.name";
const DOWNLOAD: &str = "rejoin.download";

const ALGORITHMS: [(&str, ChecksumAlgorithm); 3] =
    [("sha256", ChecksumAlgorithm::Sha256), ("sha512", ChecksumAlgorithm::Sha512), ("md5", ChecksumAlgorithm::Md5)];

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
        None => (None, plain()),
    };
    // Without a name the answer flows on as bytes.
    settings.file = file.or_else(|| name.map(Template::parse))?;
    Some(settings)
}

fn plain() -> DownloadSettings {
    let file = Template::default();
    DownloadSettings { resource: None, file, uses_etag: true, resumes: true, bytes: None, checksum: None }
}

/// `{"file": …, "resource": …, "etag": true, "resume": true, "bytes": …, "checksum": {"algorithm": "sha256", "value": …}}`
fn object(node: &Node<'_>, is_named: bool) -> Option<(Option<Template>, DownloadSettings)> {
    let members = node.members(&["file", "resource", "etag", "resume", "bytes", "checksum"])?;
    let file = members.get("file");
    match &file {
        Some(file) if is_named => {
            file.refuse(format!("`{NAME}` says the name of the file already: one of them is enough"));
        }
        None if !is_named => node.refuse("`file` is missing: the name of the file"),
        _ => {}
    }
    let flag = |name| members.get(name).map_or(Some(true), |node| node.flag());
    let (uses_etag, resumes) = (flag("etag"), flag("resume"));
    let settings = DownloadSettings {
        resource: members.get("resource").and_then(|node| node.text()).map(Into::into),
        uses_etag: uses_etag?,
        resumes: resumes?,
        bytes: members.get("bytes").and_then(|node| node.whole(1..=u64::MAX)),
        checksum: members.get("checksum").and_then(|node| checksum(&node)),
        ..plain()
    };
    Some((file.and_then(|file| file.text()).map(Template::parse), settings))
}

/// `{"algorithm": "sha256", "value": …}`, or `"header"` in the place of `"value"`.
fn checksum(node: &Node<'_>) -> Option<Checksum> {
    let members = node.members(&["algorithm", "value", "header"])?;
    let algorithm = members.need("algorithm").and_then(|node| node.word(&ALGORITHMS));
    let source = match (members.get("value"), members.get("header")) {
        (Some(value), None) => value.text().map(|value| ChecksumSource::Value(Template::parse(value))),
        (None, Some(header)) => {
            let name = header.text()?;
            let parsed = HeaderName::from_bytes(name.as_bytes()).ok();
            if parsed.is_none() {
                header.refuse("expected the name of a header, such as `Repr-Digest`");
            }
            parsed.map(ChecksumSource::Header)
        }
        _ => {
            node.refuse("expected `value`, the digest, or `header`, which has it: one of the two");
            None
        }
    };
    Some(Checksum { algorithm: algorithm?, source: source? })
}

/// What a file can't be: several pages, an answer without a body, something that is unpacked on the way.
pub(super) fn check(set: &PropertySet<'_>, settings: &IngestSettings) {
    if !matches!(settings.page.form, PageForm::File) {
        return;
    }
    if settings.page.is_gzip {
        set.refuse("ms.extract.preprocessors", "files are given as they come: they are not unpacked");
    }
    let Some(download) = &settings.download else { return };
    let key = if set.has(DOWNLOAD) { DOWNLOAD } else { NAME };
    if settings.paging.is_on {
        let problem = "a download is one answer, and pages are asked for (`ms.pagination`, `rejoin.next`, or a session key without \
                       a `condition`): make a unit of each file";
        set.refuse(key, problem);
    }
    if !settings.units.columns.payload.is_empty() {
        set.refuse(key, "a download is one answer, and rows of the category `payload` are sent one by one");
    }
    if settings.request.method == Method::HEAD {
        set.refuse(key, "HEAD has no body that could be a file");
    }
    for (name, _) in &settings.request.headers {
        if REFUSED_HEADERS.contains(name) {
            let problem = format!("the header `{name}` is said by `{key}` itself: leave it out");
            set.refuse("ms.http.request.headers", problem);
        }
    }
    if let [TemplatePart::Text(name)] = download.file.parts()
        && let Err(error) = FileName::parse(name)
    {
        set.refuse(key, error.to_string());
    }
    if let Some(Checksum { source: ChecksumSource::Value(value), algorithm }) = &download.checksum
        && let [TemplatePart::Text(text)] = value.parts()
        && Digest::parse(text, *algorithm).is_none()
    {
        let problem = format!("expected a digest of {} bytes in hexadecimal or base64", algorithm.bytes());
        set.refuse_inside(DOWNLOAD, "checksum.value", problem);
    }
}
