//! `ms.watermark`, `ms.work.unit.partition`: windows of time, and listed units.

use chrono::{NaiveDate, NaiveDateTime};

use super::node::Node;
use super::set::PropertySet;
use crate::ingest::Json;
use crate::ingest::settings::{TimeZone, UnitList, WindowEnd, WindowSettings, WindowStep};

/// The name of the window of time, where none is given.
pub(super) const SYSTEM: &str = "system";

/// What `ms.watermark` says.
pub(super) struct Watermarks {
    /// The name of the window of time, and its ends.
    pub(super) window: Option<(String, WindowEnd, WindowEnd)>,
    pub(super) list: Option<UnitList>,
}

/// An array of one window of time and one list of units at the most.
pub(super) fn watermarks(node: &Node<'_>) -> Watermarks {
    let mut found = Watermarks { window: None, list: None };
    for element in node.elements() {
        let Some(members) = element.members(&["name", "type", "range", "units"]) else { continue };
        let name = members.need("name").and_then(|name| name.text());
        let kind = members.need("type").and_then(|kind| kind.word(&[("datetime", true), ("unit", false)]));
        let (Some(name), Some(is_time)) = (name, kind) else { continue };
        let stranger = if is_time { "units" } else { "range" };
        if let Some(member) = members.get(stranger) {
            member.refuse(format!("a watermark of this type has no `{stranger}`"));
        }
        if if is_time { found.window.is_some() } else { found.list.is_some() } {
            element.refuse("there is another watermark of this type: one of each may be");
            continue;
        }
        if is_time {
            let range = members.need("range").and_then(|range| self::range(&range));
            found.window = range.map(|(from, to)| (name.to_owned(), from, to));
        } else {
            found.list = members.need("units").map(|node| units(&node, name));
        }
    }
    found
}

/// The window that is cut as `ms.work.unit.partition` says. Without one, it reaches from 2019 to now, as DIL has it.
pub(super) fn window(set: &PropertySet<'_>, ends: Option<(WindowEnd, WindowEnd)>) -> WindowSettings {
    let steps = [
        ("none", None),
        ("hourly", Some(WindowStep::Hour)),
        ("daily", Some(WindowStep::Day)),
        ("weekly", Some(WindowStep::Week)),
        ("monthly", Some(WindowStep::Month)),
    ];
    let partition = set.text("ms.work.unit.partition");
    let step = if partition.is_some_and(|text| text.starts_with('{')) {
        set.refuse(
            "ms.work.unit.partition",
            "one step for the whole window: `monthly`, `weekly`, `daily`, `hourly` or `none`",
        );
        None
    } else {
        set.word("ms.work.unit.partition", &steps).flatten()
    };
    let since_2019 = || moment("2019-01-01").map_or(WindowEnd::Now, WindowEnd::Fixed);
    let (from, to) = ends.unwrap_or_else(|| (since_2019(), WindowEnd::Now));
    let is_last_partial = set.flag("ms.work.unit.partial.partition").unwrap_or(true);
    WindowSettings { from, to, step, is_last_partial }
}

fn range(node: &Node<'_>) -> Option<(WindowEnd, WindowEnd)> {
    let members = node.members(&["from", "to"])?;
    let from = members.need("from").and_then(|end| window_end(&end));
    let to = members.need("to").and_then(|end| window_end(&end));
    let (from, to) = (from?, to?);
    if let (WindowEnd::Fixed(from), WindowEnd::Fixed(to)) = (from, to)
        && from >= to
    {
        node.refuse("it ends before it begins");
    }
    Some((from, to))
}

fn window_end(node: &Node<'_>) -> Option<WindowEnd> {
    let text = node.text()?.trim();
    let (duration, zone) = match text.split_once('.') {
        Some((duration, zone)) if duration.starts_with('P') => (duration, TimeZone::parse(zone)),
        _ => (text, Some(TimeZone::LOS_ANGELES)),
    };
    let end = match text {
        "-" => Some(WindowEnd::Now),
        _ => zone.and_then(|zone| before_now(duration, zone)).or_else(|| moment(text).map(WindowEnd::Fixed)),
    };
    if end.is_none() {
        node.refuse(
            "expected a time such as `2026-01-31` or `2026-01-31T08:00:00Z`, `-` for now, or how long ago: `P7D`, `P0DT6H.UTC`",
        );
    }
    end
}

/// `P7D`, `P1DT6H`, `P0DT0H30M`: so long before now.
pub(super) fn before_now(text: &str, zone: TimeZone) -> Option<WindowEnd> {
    let (days, time) = text.strip_prefix('P')?.split_once('D')?;
    let number = |digits: &str| digits.parse::<u32>().ok().filter(|number| *number <= 100_000);
    let (mut hours, mut minutes) = (None, None);
    if !time.is_empty() {
        let (hour, rest) = time.strip_prefix('T')?.split_once('H')?;
        hours = Some(number(hour)?);
        if !rest.is_empty() {
            minutes = Some(number(rest.strip_suffix('M')?)?);
        }
    }
    Some(WindowEnd::Before { days: number(days)?, hours, minutes, zone })
}

/// A day, or a time of a day, in the zone that it names or in that of DIL.
fn moment(text: &str) -> Option<chrono::DateTime<chrono::Utc>> {
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(&text.replacen(' ', "T", 1)) {
        return Some(time.to_utc());
    }
    let day = |text: &str| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0);
    let time = |text: &str| {
        let text = text.replacen('T', " ", 1);
        let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
        forms.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
    };
    (day(text).or_else(|| time(text))).map(|local| TimeZone::LOS_ANGELES.moment(local))
}

/// `a,b,c`, or an array of texts or of objects with the one member that the list is named after.
fn units(node: &Node<'_>, name: &str) -> UnitList {
    let values: Vec<Box<str>> = match node.json {
        Json::Text(text) => match Json::parse(text) {
            Ok(json @ Json::Array(_)) => listed(&node.holding(&json), name),
            _ => text.split(',').map(|unit| unit.trim().into()).collect(),
        },
        _ => listed(node, name),
    };
    if values.iter().any(|value| value.is_empty()) {
        node.refuse("a unit is empty");
    }
    UnitList { name: name.into(), values }
}

fn listed(node: &Node<'_>, name: &str) -> Vec<Box<str>> {
    let unit = |node: &Node<'_>| match node.json {
        Json::Object(_) => node.members(&[name])?.need(name)?.scalar(),
        _ => node.scalar(),
    };
    node.elements().iter().filter_map(unit).map(Into::into).collect()
}
