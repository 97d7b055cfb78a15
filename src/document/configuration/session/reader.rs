//! The session manager factory element to what it says.

use std::time::Duration;

use super::{
    JoinSettings, ReplaySettings, SessionConfiguration, SessionConfigurationPlaces, SessionLimits,
    StaticAttributeConfiguration, StoreSettings, TimeoutSettings, carrier,
};
use crate::document::configuration::{contradictory, read_unique_name};
use crate::document::{DocumentError, Element, Fields};

/// The name that OGSA-DAI has for a factory of sessions in memory.
const OGSA_DAI_TRANSIENT_FACTORY: &str = "uk.org.ogsadai.sessions.impl.TransientSessionManagerFactory";

pub(super) fn read_factory(element: &Element) -> Result<SessionConfiguration, DocumentError> {
    let mut configuration = SessionConfiguration::default();
    let mut fields = element.fields();
    let factory = fields.required_attribute("impl")?.one_word()?;
    configuration.places.factory = factory.position;
    if factory.value != OGSA_DAI_TRANSIENT_FACTORY {
        configuration.factory = factory.value;
    }
    if let Some(value) = fields.attribute("explicit") {
        configuration.explicit = value.choice(&[("enabled", true), ("disabled", false)])?;
    }
    read_section(&mut fields, "timeout", |section| read_timeout(section, &mut configuration.timeout))?;
    read_section(&mut fields, "lifetime", |section| read_lifetime(section, &mut configuration.lifetime))?;
    read_section(&mut fields, "join", |section| read_join(section, &mut configuration.join))?;
    read_section(&mut fields, "expiry", |section| read_expiry(section, &mut configuration))?;
    read_section(&mut fields, "carrier", |section| carrier::read(section, &mut configuration))?;
    read_section(&mut fields, "limits", |section| read_limits(section, &mut configuration.limits))?;
    read_section(&mut fields, "replay", |section| read_replay(section, &mut configuration.replay))?;
    read_section(&mut fields, "onCreate", |section| {
        let perform = section.required_attribute("perform")?.non_empty()?;
        configuration.places.on_create = perform.position;
        configuration.on_create = Some(perform.value);
        Ok(())
    })?;
    read_section(&mut fields, "store", |section| {
        configuration.store = Some(read_store(section, &mut configuration.places)?);
        Ok(())
    })?;
    while let Some(element) = fields.child("sessionAttribute") {
        let attribute = read_static_attribute(element, &configuration.attributes)?;
        configuration.attributes.push(attribute);
    }
    fields.finish()?;
    Ok(configuration)
}

/// Reads a child that has attributes alone, if it comes next.
fn read_section(
    fields: &mut Fields<'_>,
    name: &'static str,
    read: impl FnOnce(&mut Fields<'_>) -> Result<(), DocumentError>,
) -> Result<(), DocumentError> {
    let Some(element) = fields.child(name) else { return Ok(()) };
    let mut section = element.fields();
    read(&mut section)?;
    section.finish()
}

fn read_timeout(section: &mut Fields<'_>, timeout: &mut TimeoutSettings) -> Result<(), DocumentError> {
    let default = section.attribute("default");
    if let Some(value) = section.attribute("max") {
        timeout.max = value.duration_or_unbounded()?;
    }
    let above = |default: Option<Duration>, max: Option<Duration>| {
        max.is_some_and(|max| default.is_none_or(|default| default > max))
    };
    if let Some(value) = default {
        timeout.default = value.duration_or_unbounded()?;
        if above(timeout.default, timeout.max) {
            let message = "`default` can't be above `max`, which is PT24H where it is not given";
            return Err(contradictory(value.position(), message));
        }
    } else if above(timeout.default, timeout.max) {
        timeout.default = timeout.max;
    }
    Ok(())
}

fn read_lifetime(section: &mut Fields<'_>, lifetime: &mut Option<Duration>) -> Result<(), DocumentError> {
    if let Some(value) = section.attribute("max") {
        *lifetime = value.duration_or_unbounded()?;
    }
    Ok(())
}

fn read_join(section: &mut Fields<'_>, join: &mut JoinSettings) -> Result<(), DocumentError> {
    let wait = section.attribute("wait");
    if let Some(value) = section.attribute("maxWait") {
        join.max_wait = value.duration_or_zero()?;
    }
    join.wait = join.wait.min(join.max_wait);
    if let Some(value) = wait {
        join.wait = value.duration_or_zero()?;
        if join.wait > join.max_wait {
            let message = "`wait` can't be above `maxWait`, which is PT1M where it is not given";
            return Err(contradictory(value.position(), message));
        }
    }
    if let Some(value) = section.attribute("maxWaiters") {
        join.max_waiters = value.integer(0..=u32::MAX)?;
    }
    if let Some(value) = section.attribute("execution") {
        join.execution = value.duration_or_unbounded()?;
    }
    if let Some(value) = section.attribute("overrun") {
        join.overrun_ends = value.choice(&[("keep", false), ("end", true)])?;
    }
    Ok(())
}

fn read_expiry(section: &mut Fields<'_>, configuration: &mut SessionConfiguration) -> Result<(), DocumentError> {
    if let Some(value) = section.attribute("pollingTime") {
        configuration.polling_time = value.duration()?;
    }
    if let Some(value) = section.attribute("retention") {
        configuration.retention = value.duration_or_zero()?;
    }
    Ok(())
}

fn read_limits(section: &mut Fields<'_>, limits: &mut SessionLimits) -> Result<(), DocumentError> {
    for (name, limit) in [
        ("sessions", &mut limits.sessions),
        ("perPrincipal", &mut limits.per_principal),
        ("attributes", &mut limits.attributes),
        ("attributeBytes", &mut limits.attribute_bytes),
        ("sessionBytes", &mut limits.session_bytes),
    ] {
        if let Some(value) = section.attribute(name) {
            *limit = value.count_or_unbounded()?;
        }
    }
    Ok(())
}

fn read_replay(section: &mut Fields<'_>, replay: &mut ReplaySettings) -> Result<(), DocumentError> {
    if let Some(value) = section.attribute("answers") {
        replay.answers = value.integer(1..=u32::MAX)?;
    }
    if let Some(value) = section.attribute("answerBytes") {
        replay.answer_bytes = value.integer(0..=u64::MAX)?;
    }
    if let Some(value) = section.attribute("retention") {
        replay.retention = value.duration()?;
    }
    Ok(())
}

fn read_store(
    section: &mut Fields<'_>,
    places: &mut SessionConfigurationPlaces,
) -> Result<StoreSettings, DocumentError> {
    let path = section.required_attribute("path")?.non_empty()?;
    places.store = path.position;
    let durability = section.attribute("durability");
    let full = durability.map_or(Ok(true), |value| value.choice(&[("full", true), ("os", false)]))?;
    Ok(StoreSettings { path: path.value, full })
}

fn read_static_attribute(
    element: &Element,
    earlier: &[StaticAttributeConfiguration],
) -> Result<StaticAttributeConfiguration, DocumentError> {
    let mut fields = element.fields();
    let names = earlier.iter().map(|attribute| &attribute.name);
    let name = read_unique_name(&fields.required_attribute("name")?, names)?.value;
    let implementation = fields.required_attribute("impl")?.one_word()?.value;
    fields.finish_attributes()?;
    Ok(StaticAttributeConfiguration { name, implementation, element: element.clone(), position: element.position() })
}
