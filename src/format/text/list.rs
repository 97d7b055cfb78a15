use std::fmt::Write;

use super::Sql;
use crate::format::cells::{Lists, Plain, Values};

/// Appends a list as PostgreSQL writes an array, whatever the style of what stands around it: `{1,2,NULL,"a b"}`.
///
/// Truth values are `t` and `f` in it, and bytes hexadecimal, `"\\x00ff"`: so an array of PostgreSQL's can be loaded as it
/// is.
pub(crate) fn push_list(out: &mut String, lists: &Lists<'_>, row: usize) {
    out.push('{');
    for (count, item) in lists.range(row).enumerate() {
        if count > 0 {
            out.push(',');
        }
        if lists.items.is_null(item) {
            out.push_str("NULL");
            continue;
        }
        push_item(out, &lists.items.values, item);
    }
    out.push('}');
}

fn push_item(out: &mut String, items: &Values<'_>, item: usize) {
    match items {
        Values::Plain(Plain::Booleans(array)) => out.push(if array.value(item) { 't' } else { 'f' }),
        Values::Plain(plain) => {
            let start = out.len();
            plain.push::<Sql>(out, item);
            if needs_quotes(&out[start..]) {
                let text = out.split_off(start);
                push_quoted(out, &text);
            }
        }
        Values::Texts(array) => push_quoted(out, array.value(item)),
        Values::Blobs(array) | Values::Mixed(array) => {
            out.push_str(r#""\\x"#);
            for byte in array.value(item) {
                // Writing into a string does not fail.
                let _ = write!(out, "{byte:02x}");
            }
            out.push('"');
        }
        Values::Lists(lists) => push_list(out, lists, item),
    }
}

/// Whether a text in an array could be misread as it is.
fn needs_quotes(text: &str) -> bool {
    let is_special =
        |byte: u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',' | b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C);
    text.is_empty() || text.eq_ignore_ascii_case("NULL") || text.bytes().any(is_special)
}

fn push_quoted(out: &mut String, text: &str) {
    if !needs_quotes(text) {
        out.push_str(text);
        return;
    }
    out.push('"');
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
}
