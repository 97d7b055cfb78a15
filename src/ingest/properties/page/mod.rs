//! How an answer is read into records.

mod csv;
mod derived;
mod download;
mod schema;

use super::paging::path;
use super::set::PropertySet;
use crate::ingest::settings::{BlankPages, DownloadSettings, IngestSettings, PageForm, PageSettings};

/// The most bytes of a page, where nothing is said.
const PAGE_BYTES: u64 = 64 << 20;

/// The most bytes of a page that can be said.
const MOST_PAGE_BYTES: u64 = 4 << 30;

pub(super) fn page(set: &PropertySet<'_>) -> PageSettings {
    let form = form(set);
    let words = [("false", false), ("true", true)];
    PageSettings {
        schema: set.json("ms.output.schema", schema::schema),
        leaves_out_unknown: set.word("ms.enable.schema.based.filtering", &words).unwrap_or(true),
        derived: set.json("ms.derived.fields", derived::derived_fields).unwrap_or_default(),
        is_gzip: is_gzip(set),
        has_explicit_eof: set.flag("ms.data.explicit.eof").unwrap_or_default(),
        bytes: set.whole_up_to_default("rejoin.page.bytes", 1..=MOST_PAGE_BYTES).unwrap_or(PAGE_BYTES),
        blank: blank(set),
        form,
    }
}

pub(super) fn download(set: &PropertySet<'_>, form: &PageForm) -> Option<DownloadSettings> {
    download::download(set, form)
}

/// What only shows of a download when all settings are seen together.
pub(super) fn check_download(set: &PropertySet<'_>, settings: &IngestSettings) {
    download::check(set, settings);
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Json,
    Csv,
    Text,
    File,
}

const FORMS: [(&str, Form); 4] = [("json", Form::Json), ("csv", Form::Csv), ("text", Form::Text), ("file", Form::File)];

/// `rejoin.format`, or what the last part of `ms.extractor.class` stands for; JSON if neither is there.
fn form(set: &PropertySet<'_>) -> PageForm {
    let said = set.word("rejoin.format", &FORMS);
    let class = set.text("ms.extractor.class").and_then(|class| extractor(set, class));
    if let (Some(said), Some(class)) = (said, class)
        && said != class
    {
        set.refuse("rejoin.format", "it says something else than `ms.extractor.class`: one of them is enough");
    }
    let form = said.or(class).unwrap_or(Form::Json);
    let only = |key: &str, of: Form, name: &str| {
        if set.has(key) && form != of {
            set.refuse(key, format!("it is for answers in {name}, and these are not"));
        }
    };
    only("ms.data.field", Form::Json, "JSON");
    only("ms.total.count.field", Form::Json, "JSON");
    only("ms.csv", Form::Csv, "CSV");
    if set.text("rejoin.next").is_some_and(|next| next != "link") {
        only("rejoin.next", Form::Json, "JSON; `link` is for any");
    }
    match form {
        Form::Json => PageForm::Json { data: path(set, "ms.data.field") },
        Form::Csv => PageForm::Csv(set.json("ms.csv", csv::csv_page).flatten().unwrap_or_default()),
        Form::Text => PageForm::Text,
        Form::File => PageForm::File,
    }
}

/// A class by its last part, with or without the package.
fn extractor(set: &PropertySet<'_>, class: &str) -> Option<Form> {
    let name = class.rsplit('.').next().unwrap_or_default();
    match name {
        "JsonExtractor" => Some(Form::Json),
        "CsvExtractor" => Some(Form::Csv),
        "TextExtractor" => Some(Form::Text),
        "FileDumpExtractor" => Some(Form::File),
        _ => {
            let known = ["JsonExtractor", "CsvExtractor", "TextExtractor", "FileDumpExtractor"];
            set.refuse("ms.extractor.class", super::node::unknown_of("extractor", name, &known));
            None
        }
    }
}

/// `ms.extract.preprocessors`: only that which unpacks.
fn is_gzip(set: &PropertySet<'_>) -> bool {
    let classes = set.text("ms.extract.preprocessors").unwrap_or_default();
    let mut is_gzip = false;
    for class in classes.split(',').map(str::trim).filter(|class| !class.is_empty()) {
        let name = class.rsplit('.').next().unwrap_or_default();
        match name {
            "GunzipProcessor" => is_gzip = true,
            _ if name.starts_with("Gpg") => {
                set.refuse(
                    "ms.extract.preprocessors",
                    "answers are not decrypted: OpenPGP is no business of this service",
                );
            }
            _ => set.refuse(
                "ms.extract.preprocessors",
                super::node::unknown_of("preprocessor", name, &["GunzipProcessor"]),
            ),
        }
    }
    is_gzip
}

fn blank(set: &PropertySet<'_>) -> BlankPages {
    const KEY: &str = "rejoin.blank.pages";
    match set.text(KEY) {
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = set.whole(KEY, 1..=u64::from(u32::MAX)).unwrap_or(1);
            BlankPages::StopAfter(u32::try_from(number).unwrap_or(u32::MAX))
        }
        _ => set.word(KEY, &[("stop", BlankPages::Stop), ("continue", BlankPages::Continue)]).unwrap_or_default(),
    }
}
