use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Appends bytes in base64.
pub(crate) fn push_base64(out: &mut String, bytes: &[u8]) {
    STANDARD.encode_string(bytes, out);
}
