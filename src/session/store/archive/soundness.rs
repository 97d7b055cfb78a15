//! What no store can have written: a file may have been edited, and what is imported is believed from then on.

use crate::document::{Element, Limits};
use crate::session::resident::MOST_KEYS;
use crate::session::{EndedSession, LONGEST_LABEL, Moment, SessionRecord, StoredAttribute, StoredSession, ValueKind};

/// The highest that a number which is counted up may be: nothing counts so far, and from here nothing comes to its end.
const MOST: u64 = 1 << 62;

/// For XML that was an attribute once, under the limits of whichever service. Its elements take far more memory than its text:
/// there may be forty times as many as a perform document may have by default.
const WIDE: Limits = Limits {
    document_bytes: u64::MAX,
    depth: Limits::MOST_DEPTH,
    elements: 4_000_000,
    attributes: Limits::MOST_ATTRIBUTES,
    name_bytes: u32::MAX,
    text_bytes: u64::MAX,
};

/// What of a session can't be.
pub(super) fn check_session(session: &StoredSession, exported: Moment) -> Result<(), String> {
    let StoredSession { record, attributes } = session;
    let SessionRecord { fence, version, sequence, next_order, .. } = *record;
    let counted = [("fence", fence), ("version", version), ("sequence", sequence), ("nextOrder", next_order)];
    let orders = attributes.iter().map(|attribute| ("order", attribute.order));
    if let Some((name, number)) = counted.into_iter().chain(orders).find(|(_, number)| *number > MOST) {
        return Err(format!("`{name}` can't be {number}: {MOST} at the most"));
    }
    check_past("released", record.released, exported)?;
    check_keys(record.keys.len())?;
    if let Some(bytes) = record.label.as_ref().map(|label| label.len()).filter(|bytes| *bytes > LONGEST_LABEL) {
        return Err(format!("`label` has {bytes} bytes: {LONGEST_LABEL} at the most"));
    }
    attributes.iter().try_for_each(check_attribute)?;
    check_totals(record, attributes)
}

fn check_keys(keys: usize) -> Result<(), String> {
    if (1..=MOST_KEYS).contains(&keys) {
        return Ok(());
    }
    Err(format!(
        "there are {keys} `keys`: expected 1 to {MOST_KEYS}, that of the id and those of the last that were rotated away"
    ))
}

/// What a session is said to have is what it is charged for, and what it has. Of one that held something alive, that is not among
/// what follows.
fn check_totals(record: &SessionRecord, attributes: &[StoredAttribute]) -> Result<(), String> {
    let mut bytes = 0_u64;
    for StoredAttribute { name, value, .. } in attributes {
        let value = value.decode().map_err(|error| format!("the attribute `{name}`: {error}"))?;
        bytes = bytes.saturating_add(value.byte_size()).saturating_add(name.len() as u64);
    }
    for (name, told, found) in
        [("attributeCount", u64::from(record.attributes), attributes.len() as u64), ("bytes", record.bytes, bytes)]
    {
        let fits = if record.perishable { told >= found && told <= MOST } else { told == found && told <= MOST };
        if !fits {
            return Err(format!(
                "`{name}` is {told}, and the `attributes` that follow have {found}: expected the same"
            ));
        }
    }
    Ok(())
}

/// What of an end can't be.
pub(super) fn check_end(end: &EndedSession, exported: Moment) -> Result<(), String> {
    check_keys(end.keys.len())?;
    check_past("moment", end.moment, exported)
}

/// A store goes on no earlier than the last that happened in it. What happens in the future would end its other sessions.
fn check_past(name: &str, moment: Moment, exported: Moment) -> Result<(), String> {
    if moment > exported {
        return Err(format!("`{name}` can't be after the export, the `moment` of the first line"));
    }
    Ok(())
}

/// Each has a name. XML is put into answers as it is.
fn check_attribute(attribute: &StoredAttribute) -> Result<(), String> {
    if attribute.name.is_empty() {
        return Err("the `name` of an attribute is empty: expected one byte at least".into());
    }
    if attribute.value.kind != ValueKind::Xml {
        return Ok(());
    }
    let bytes = attribute.value.pieces.concat();
    match Element::parse(&bytes, &WIDE) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("the attribute `{}` is no XML element: {error}", attribute.name)),
    }
}
