//! A session configuration to text. Everything is written, also what is the default.

use std::time::Duration;

use super::{CONFIGURATION_NAMESPACE, ROOT, SessionConfiguration, carrier};
use crate::document::writer::XmlWriter;
use crate::document::{Unwritable, duration};

pub(super) fn write(configuration: &SessionConfiguration) -> Result<String, Unwritable> {
    let mut writer = XmlWriter::new();
    writer.root(ROOT, CONFIGURATION_NAMESPACE);
    writer.start("sessionManagerFactory");
    writer.attribute("impl", &configuration.factory);
    writer.optional("explicit", (!configuration.explicit).then_some("disabled"));
    write_settings(configuration, &mut writer);
    for attribute in &configuration.attributes {
        writer.element(&attribute.element);
    }
    writer.end();
    writer.end();
    writer.finish()
}

fn write_settings(configuration: &SessionConfiguration, writer: &mut XmlWriter) {
    let SessionConfiguration { timeout, join, limits, replay, .. } = configuration;
    section(writer, "timeout", &[("default", &or_unbounded(timeout.default)), ("max", &or_unbounded(timeout.max))]);
    section(writer, "lifetime", &[("max", &or_unbounded(configuration.lifetime))]);
    section(
        writer,
        "join",
        &[
            ("wait", &duration::write(join.wait)),
            ("maxWait", &duration::write(join.max_wait)),
            ("maxWaiters", &join.max_waiters.to_string()),
            ("execution", &or_unbounded(join.execution)),
            ("overrun", if join.overrun_ends { "end" } else { "keep" }),
        ],
    );
    section(
        writer,
        "expiry",
        &[
            ("pollingTime", &duration::write(configuration.polling_time)),
            ("retention", &duration::write(configuration.retention)),
        ],
    );
    carrier::write(&configuration.carrier, writer);
    section(
        writer,
        "limits",
        &[
            ("sessions", &count(limits.sessions)),
            ("perPrincipal", &count(limits.per_principal)),
            ("attributes", &count(limits.attributes)),
            ("attributeBytes", &count(limits.attribute_bytes)),
            ("sessionBytes", &count(limits.session_bytes)),
        ],
    );
    section(
        writer,
        "replay",
        &[
            ("answers", &replay.answers.to_string()),
            ("answerBytes", &replay.answer_bytes.to_string()),
            ("retention", &duration::write(replay.retention)),
        ],
    );
    if let Some(perform) = &configuration.on_create {
        section(writer, "onCreate", &[("perform", perform)]);
    }
    if let Some(store) = &configuration.store {
        section(writer, "store", &[("path", &store.path), ("durability", if store.full { "full" } else { "os" })]);
    }
}

fn section(writer: &mut XmlWriter, name: &str, attributes: &[(&str, &str)]) {
    writer.start(name);
    for (name, value) in attributes {
        writer.attribute(name, value);
    }
    writer.end();
}

fn or_unbounded(time: Option<Duration>) -> String {
    time.map_or_else(|| "unbounded".into(), duration::write)
}

fn count(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unbounded".into(), |limit| limit.to_string())
}
