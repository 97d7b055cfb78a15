//! All settings of a set of properties, and what only shows when they are seen together.

use super::SecondaryNames;
use super::names::Names;
use super::parameters::{Context, parameters};
use super::set::PropertySet;
use super::units::{Secondary, secondary};
use super::window::{SYSTEM, Watermarks, watermarks};
use super::{answers, key, names, pace, page, paging, request, stop, units};
use crate::ingest::settings::{IngestSettings, Parameter, ParameterValue};

pub(super) fn settings(set: &PropertySet<'_>, names: &SecondaryNames) -> IngestSettings {
    let watermarks = set.json("ms.watermark", watermarks).unwrap_or(Watermarks { window: None, list: None });
    let context = Context {
        is_full: set.flag("extract.is.full").unwrap_or_default(),
        window: watermarks.window.as_ref().map_or(SYSTEM, |(name, ..)| name),
    };
    let parameters = set.json("ms.parameters", |node| parameters(node, context)).unwrap_or_default();
    let mut key = set.json("ms.session.key.field", key::session_key).flatten();
    if let Some(key) = &mut key {
        key.is_sent_back = parameters.iter().any(|parameter| parameter.value.sends_key());
    }
    let secondary: Secondary = set.json("ms.secondary.input", secondary).unwrap_or_default();
    let has_window = speaks_of_window(&parameters);
    let page = page::page(set);
    let answers = answers::answers(set, &page.form);
    let settings = IngestSettings {
        request: request::request(set),
        paging: paging::paging(set, key.as_ref()),
        pace: pace::pace(set, key.as_ref()),
        retry: pace::retry(set, &answers, secondary.retry),
        stop: stop::stop(set, key.as_ref()),
        units: units::units(set, &secondary, watermarks, has_window),
        download: page::download(set, &page.form),
        parameters,
        key,
        page,
        answers,
    };
    names::check(set, &settings, &Names::new(set, &settings, names));
    ends::check(set, &settings);
    page::check_download(set, &settings);
    settings
}

fn speaks_of_window(parameters: &[Parameter]) -> bool {
    parameters.iter().any(|parameter| match &parameter.value {
        ParameterValue::Watermark { .. } => true,
        ParameterValue::Object(inner) => speaks_of_window(inner),
        _ => false,
    })
}

mod ends {
    //! What would never end, or could never begin.

    use http::Method;

    use crate::ingest::properties::set::PropertySet;
    use crate::ingest::settings::{IngestSettings, Parameter, ParameterValue, Placement};

    pub(super) fn check(set: &PropertySet<'_>, settings: &IngestSettings) {
        key_without_end(set, settings);
        key_that_is_not_there(set, settings);
        body_without_place(set, settings);
    }

    /// A `failCondition` alone: nobody sends the key back, and no other signal ends the ingestion well. A key without any
    /// condition is the end when it is blank.
    fn key_without_end(set: &PropertySet<'_>, settings: &IngestSettings) {
        const KEY: &str = "ms.session.key.field";
        let Some(key) = &settings.key else { return };
        let paging = &settings.paging;
        let is_paged = set.has("ms.pagination") || paging.total.is_some() || paging.next.is_some();
        let is_alone = key.condition.is_none() && key.failure.is_some();
        if is_alone && !key.is_sent_back && !is_paged && settings.stop.when.is_empty() {
            set.refuse(
                KEY,
                "`failCondition` alone ends nothing well: add a `condition`, a parameter of the type `session`, \
                 `ms.pagination`, `ms.total.count.field`, `rejoin.next` or `rejoin.stop.when`",
            );
        }
    }

    fn key_that_is_not_there(set: &PropertySet<'_>, settings: &IngestSettings) {
        if settings.key.is_some() || set.has("ms.session.key.field") {
            return;
        }
        for parameter in settings.parameters.iter().filter(|parameter| parameter.value.sends_key()) {
            let problem = format!("`{}` is the session key, and there is none: `ms.session.key.field`", parameter.name);
            set.refuse("ms.parameters", problem);
        }
    }

    /// What is to go into a body where there is none.
    fn body_without_place(set: &PropertySet<'_>, settings: &IngestSettings) {
        let request = &settings.request;
        if !settings.units.columns.payload.is_empty() && [Method::GET, Method::HEAD].contains(&request.method) {
            set.refuse("ms.secondary.input", format!("`payload` is for a body, and {} has none", request.method));
        }
        let uri: Vec<&str> = request.uri.variables().collect();
        for Parameter { name, placement, value } in &settings.parameters {
            match placement {
                Some(Placement::Body(_)) if request.method == Method::HEAD => {
                    set.refuse("ms.parameters", format!("`{name}` is to go into the body, and HEAD has none"));
                }
                Some(Placement::Path) if !uri.contains(&&**name) => {
                    let problem = format!("`{name}` is to go into the path, and the URI has no `{{{{{name}}}}}`");
                    set.refuse("ms.parameters", problem);
                }
                Some(Placement::Header(header)) if is_structure(value) => {
                    let problem = format!("`{name}` is to go into the header `{header}`, and is no text");
                    set.refuse("ms.parameters", problem);
                }
                _ => {}
            }
        }
    }

    fn is_structure(value: &ParameterValue) -> bool {
        match value {
            ParameterValue::Object(_) => true,
            ParameterValue::Json(json) => json.is_structure(),
            _ => false,
        }
    }
}
