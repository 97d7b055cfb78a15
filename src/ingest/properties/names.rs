//! Whether every variable that a template names can have a value.

use std::collections::BTreeSet;

use super::SecondaryNames;
use super::set::PropertySet;
use crate::document::nearest;
use crate::ingest::Json;
use crate::ingest::settings::{
    Checksum, ChecksumSource, DerivedSource, IngestSettings, Parameter, ParameterValue, Template,
};

/// The names that variables can have.
pub(super) struct Names {
    /// Of parameters and of the page.
    known: BTreeSet<Box<str>>,
    /// Of columns of the secondary input, and of listed units.
    columns: BTreeSet<Box<str>>,
    /// Whether there are other columns, which are known only when rows flow.
    others: bool,
}

/// The variables that need no parameter.
const PAGE: [&str; 3] = ["pagestart", "pagesize", "pageno"];

impl Names {
    /// All that the properties and the secondary input define. What `ms.secondary.input` says and the input doesn't have is
    /// refused.
    pub(super) fn new(set: &PropertySet<'_>, settings: &IngestSettings, secondary: &SecondaryNames) -> Self {
        let mut known: BTreeSet<Box<str>> = PAGE.iter().map(|name| (*name).into()).collect();
        known.extend(settings.parameters.iter().map(|parameter| parameter.name.clone()));
        let said = &settings.units.columns;
        let listed = || said.activation.iter().flatten().chain(&said.authentication);
        let mut columns: BTreeSet<Box<str>> = listed().cloned().collect();
        columns.extend(settings.units.list.iter().map(|list| list.name.clone()));
        // What can't be read may define anything.
        let mut others = set.report.has_any_about(&["ms.parameter", "ms.secondary", "ms.watermark"]);
        match secondary {
            SecondaryNames::None | SecondaryNames::Given(_) => {
                if let SecondaryNames::Given(names) = secondary {
                    columns.extend(names.iter().cloned());
                }
                if set.has("ms.secondary.input") {
                    set.refuse("ms.secondary.input", "there is no secondary input to take rows from");
                }
            }
            SecondaryNames::Known(names) => {
                for name in listed().chain(&said.payload).filter(|name| !names.contains(name)) {
                    set.refuse("ms.secondary.input", no_column(name, names));
                }
                if said.activation.is_none() {
                    columns.extend(names.iter().filter(|name| !said.payload.contains(name)).cloned());
                }
            }
            SecondaryNames::Any => others |= said.activation.is_none(),
        }
        Self { known, columns, others }
    }

    fn has(&self, name: &str) -> bool {
        self.is_column(name) || self.known.contains(name)
    }

    /// Whether something beside the parameters and the page has the name.
    fn is_column(&self, name: &str) -> bool {
        self.others || self.columns.contains(name)
    }
}

fn no_column(name: &str, names: &[Box<str>]) -> String {
    match nearest(name, names.iter().map(AsRef::as_ref)) {
        Some(near) => format!("the secondary input has no column `{name}`; did you mean `{near}`?"),
        None => format!("the secondary input has no column `{name}`; it has `{}`", names.join("`, `")),
    }
}

/// Refuses templates that name what nothing defines, what is made of itself, and what has no value when it is needed first.
pub(super) fn check(set: &PropertySet<'_>, settings: &IngestSettings, names: &Names) {
    let checker = Checker { set, settings, names };
    let request = &settings.request;
    checker.template("ms.source.uri", &request.uri);
    checker.needed_at_once("ms.source.uri", &request.uri);
    for (_, template) in &request.headers {
        checker.template("ms.http.request.headers", template);
    }
    if let Some(authentication) = &request.authentication {
        checker.template("ms.authentication", &authentication.token);
        checker.needed_at_once("ms.authentication", &authentication.token);
    }
    for (index, parameter) in settings.parameters.iter().enumerate() {
        checker.parameter(index, parameter);
    }
    for field in &settings.page.derived {
        if let DerivedSource::Variables(template) = &field.source {
            checker.variables("ms.derived.fields", template.variables().filter(|name| *name != "ms.source.uri"));
        }
    }
    if let Some(download) = &settings.download {
        let key = if set.has("rejoin.download") { "rejoin.download" } else { "ms.extractor.target.file.name" };
        checker.template(key, &download.file);
        checker.needed_at_once(key, &download.file);
        if let Some(Checksum { source: ChecksumSource::Value(value), .. }) = &download.checksum {
            checker.template(key, value);
        }
    }
}

struct Checker<'a> {
    set: &'a PropertySet<'a>,
    settings: &'a IngestSettings,
    names: &'a Names,
}

impl Checker<'_> {
    fn find(&self, name: &str) -> Option<&Parameter> {
        self.settings.parameters.iter().find(|parameter| *parameter.name == *name)
    }

    fn template(&self, key: &str, template: &Template) {
        self.variables(key, template.variables());
    }

    fn variables<'t>(&self, key: &str, variables: impl Iterator<Item = &'t str>) {
        for name in variables.collect::<BTreeSet<_>>() {
            if let Some(problem) = self.undefined(name) {
                self.set.refuse(key, problem);
            }
        }
    }

    /// What is said of a variable that nothing defines.
    fn undefined(&self, name: &str) -> Option<String> {
        if self.names.has(name) {
            return None;
        }
        let known = self.names.known.iter().chain(&self.names.columns);
        let hint = match nearest(name, known.map(AsRef::as_ref)) {
            Some(near) => format!("; did you mean `{{{{{near}}}}}`?"),
            None => "; parameters, the secondary input and `ms.watermark` define variables".to_owned(),
        };
        Some(format!("nothing defines `{{{{{name}}}}}`{hint}"))
    }

    /// Checks what a parameter is made of. A variable of its own name is the column of that name.
    fn parameter(&self, index: usize, parameter: &Parameter) {
        let own = &*parameter.name;
        let mut named = Vec::new();
        variables_of(&parameter.value, &mut named);
        if named.iter().any(|name| **name == *own) && !self.names.is_column(own) {
            self.refuse_parameter(index, format!("`{own}` is made of itself"));
        }
        for name in named.iter().filter(|name| ***name != *own).collect::<BTreeSet<_>>() {
            if let Some(problem) = self.undefined(name) {
                self.refuse_parameter(index, problem);
            }
        }
        if let Some(other) = self.way_back(parameter) {
            self.refuse_parameter(index, format!("`{own}` is made of itself, by way of `{other}`"));
        }
    }

    fn refuse_parameter(&self, index: usize, problem: String) {
        self.set.refuse_inside("ms.parameters", &format!("[{index}]"), problem);
    }

    /// The last parameter on the way from a parameter back to itself.
    fn way_back(&self, parameter: &Parameter) -> Option<&str> {
        let mut seen = BTreeSet::new();
        let mut next = self.parameters_in(&parameter.value, &parameter.name);
        while let Some(other) = next.pop() {
            let inner = self.parameters_in(&other.value, &other.name);
            if inner.iter().any(|inner| inner.name == parameter.name) {
                return Some(&other.name);
            }
            if seen.insert(&other.name) {
                next.extend(inner);
            }
        }
        None
    }

    /// The other parameters that a value names.
    fn parameters_in(&self, value: &ParameterValue, own: &str) -> Vec<&Parameter> {
        let mut named = Vec::new();
        variables_of(value, &mut named);
        named.iter().filter(|name| ***name != *own).filter_map(|name| self.find(name)).collect()
    }

    /// Refuses what has no value in the first request, where a template can't do without.
    fn needed_at_once(&self, key: &str, template: &Template) {
        for name in template.variables().collect::<BTreeSet<_>>() {
            if let Some(why) = self.absent_at_first(name, &mut BTreeSet::new()) {
                self.set.refuse(key, format!("`{{{{{name}}}}}` has no value in the first request: {why}"));
            }
        }
    }

    /// Why a variable has no value in the first request.
    fn absent_at_first(&self, name: &str, seen: &mut BTreeSet<Box<str>>) -> Option<&'static str> {
        let initial = &self.settings.paging.initial;
        let page = |value: Option<u64>| {
            value.is_none().then_some("give the page's first values, `initialvalues` of `ms.pagination`")
        };
        let Some(parameter) = self.find(name) else {
            return match name {
                _ if self.names.is_column(name) => None,
                "pagestart" => page(initial.start),
                "pagesize" => page(initial.size),
                "pageno" => page(initial.number),
                _ => None,
            };
        };
        if !seen.insert(name.into()) {
            return None;
        }
        match &parameter.value {
            ParameterValue::Session => {
                let key = self.settings.key.as_ref()?;
                key.initial.is_none().then_some("give the session key an `initValue`, which may be empty")
            }
            ParameterValue::PageStart => page(initial.start),
            ParameterValue::PageSize => page(initial.size),
            ParameterValue::PageNumber => page(initial.number),
            ParameterValue::Text(template) => self.absent_inside(template, name, seen),
            ParameterValue::Json(Json::Text(text)) => self.absent_inside(&Template::parse(text), name, seen),
            // Members of objects and elements of arrays are left out by themselves.
            ParameterValue::Json(_) | ParameterValue::Object(_) | ParameterValue::Watermark { .. } => None,
        }
    }

    fn absent_inside(&self, template: &Template, own: &str, seen: &mut BTreeSet<Box<str>>) -> Option<&'static str> {
        template.variables().filter(|inner| *inner != own).find_map(|inner| self.absent_at_first(inner, seen))
    }
}

/// The variables inside of a value.
fn variables_of(value: &ParameterValue, into: &mut Vec<Box<str>>) {
    match value {
        ParameterValue::Text(template) => into.extend(template.variables().map(Into::into)),
        ParameterValue::Json(json) => variables_of_json(json, into),
        ParameterValue::Object(parameters) => {
            for parameter in parameters {
                variables_of(&parameter.value, into);
            }
        }
        _ => {}
    }
}

fn variables_of_json(json: &Json, into: &mut Vec<Box<str>>) {
    match json {
        Json::Text(text) => into.extend(Template::parse(text).variables().map(Into::into)),
        Json::Array(elements) => elements.iter().for_each(|element| variables_of_json(element, into)),
        Json::Object(members) => members.iter().for_each(|(_, value)| variables_of_json(value, into)),
        _ => {}
    }
}
