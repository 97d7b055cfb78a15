//! The text of one value that was received in binary form, as the server itself would write it.

use super::super::text::{push_date, push_hex, push_interval, push_real, push_small_real, push_time, push_timestamp};
use super::list::{Elements, header};
use super::numeric::Numeric;
use super::{Kind, Malformed, fixed};

/// Appends a value as text.
pub(super) fn push_value(out: &mut Vec<u8>, kind: &Kind, raw: &[u8]) -> Result<(), Malformed> {
    let mut text = String::new();
    match kind {
        Kind::Boolean => text.push(if fixed::<1>(raw)? == [0] { 'f' } else { 't' }),
        Kind::Int16 => text.push_str(itoa::Buffer::new().format(i16::from_be_bytes(fixed(raw)?))),
        Kind::Int32 => text.push_str(itoa::Buffer::new().format(i32::from_be_bytes(fixed(raw)?))),
        Kind::Int64 => text.push_str(itoa::Buffer::new().format(i64::from_be_bytes(fixed(raw)?))),
        Kind::UInt32 => text.push_str(itoa::Buffer::new().format(u32::from_be_bytes(fixed(raw)?))),
        Kind::Float32 => push_small_real(&mut text, f32::from_be_bytes(fixed(raw)?)),
        Kind::Float64 => push_real(&mut text, f64::from_be_bytes(fixed(raw)?)),
        Kind::Date => push_date(&mut text, i32::from_be_bytes(fixed(raw)?)),
        Kind::Time => push_time(&mut text, i64::from_be_bytes(fixed(raw)?)),
        Kind::Timestamp { has_zone } => push_timestamp(&mut text, i64::from_be_bytes(fixed(raw)?), *has_zone),
        Kind::Interval => {
            let (microseconds, days, months) = interval(raw)?;
            push_interval(&mut text, months, days, microseconds);
        }
        Kind::Bytes => push_hex(&mut text, raw),
        Kind::Decimal128 { .. } | Kind::Decimal256 { .. } | Kind::Numeric => Numeric::read(raw)?.push_text(out),
        Kind::Text => out.extend_from_slice(raw),
        Kind::Jsonb => out.extend_from_slice(jsonb(raw)?),
        Kind::Uuid => push_uuid(out, raw)?,
        Kind::List(element) => push_array(out, element, raw)?,
    }
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

/// The parts of an interval: microseconds, days, months.
pub(super) fn interval(raw: &[u8]) -> Result<(i64, i32, i32), Malformed> {
    let raw = fixed::<16>(raw)?;
    let (microseconds, rest) = raw.split_at(8);
    let (days, months) = rest.split_at(4);
    Ok((i64::from_be_bytes(fixed(microseconds)?), i32::from_be_bytes(fixed(days)?), i32::from_be_bytes(fixed(months)?)))
}

/// The text of a `jsonb`, whose only version is 1.
pub(super) fn jsonb(raw: &[u8]) -> Result<&[u8], Malformed> {
    raw.strip_prefix(&[1]).ok_or(Malformed)
}

/// Appends a UUID in its usual form.
pub(super) fn push_uuid(out: &mut Vec<u8>, raw: &[u8]) -> Result<(), Malformed> {
    let uuid = uuid::Uuid::from_bytes(fixed(raw)?);
    out.extend_from_slice(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()).as_bytes());
    Ok(())
}

/// Appends an array, such as `{1,NULL,"a b"}` or `[0:1]={{1},{2}}`.
fn push_array(out: &mut Vec<u8>, kind: &Kind, raw: &[u8]) -> Result<(), Malformed> {
    let (dimensions, elements) = header(raw)?;
    if dimensions.is_empty() {
        out.extend_from_slice(b"{}");
        return Ok(());
    }
    if dimensions.iter().any(|(_, lower)| *lower != 1) {
        for (length, lower) in &dimensions {
            let upper = i64::from(*lower) + i64::try_from(*length).unwrap_or(0) - 1;
            out.extend_from_slice(format!("[{lower}:{upper}]").as_bytes());
        }
        out.push(b'=');
    }
    let lengths: Vec<usize> = dimensions.iter().map(|(length, _)| *length).collect();
    push_dimension(out, kind, &lengths, &mut Elements(elements))
}

fn push_dimension(
    out: &mut Vec<u8>,
    kind: &Kind,
    lengths: &[usize],
    elements: &mut Elements<'_>,
) -> Result<(), Malformed> {
    let Some((length, inner)) = lengths.split_first() else { return push_element(out, kind, elements) };
    out.push(b'{');
    for index in 0..*length {
        if index > 0 {
            out.push(b',');
        }
        push_dimension(out, kind, inner, elements)?;
    }
    out.push(b'}');
    Ok(())
}

fn push_element(out: &mut Vec<u8>, kind: &Kind, elements: &mut Elements<'_>) -> Result<(), Malformed> {
    let Some(raw) = elements.next()? else {
        out.extend_from_slice(b"NULL");
        return Ok(());
    };
    let mut text = Vec::new();
    push_value(&mut text, kind, raw)?;
    let is_special =
        |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',') || byte.is_ascii_whitespace() || *byte == 0x0B;
    if !text.is_empty() && !text.eq_ignore_ascii_case(b"NULL") && !text.iter().any(is_special) {
        out.extend_from_slice(&text);
        return Ok(());
    }
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
    Ok(())
}
