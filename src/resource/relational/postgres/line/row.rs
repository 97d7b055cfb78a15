/// A row as it was received: the body of a `DataRow` message.
#[derive(Debug)]
pub(in super::super) struct RawRow<'a> {
    rest: &'a [u8],
}

impl<'a> RawRow<'a> {
    /// The row in the body of a message.
    pub(in super::super) fn new(body: &'a [u8]) -> Self {
        // The number of values, which is known.
        Self { rest: body.get(2..).unwrap_or_default() }
    }
}

/// Its values; `None` is NULL. They end early in a row that is cut off.
impl<'a> Iterator for RawRow<'a> {
    type Item = Option<&'a [u8]>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.rest = rest;
            return Some(None);
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(Some(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_where_they_are() {
        let row = RawRow::new(b"\0\x03\0\0\0\x02ab\xFF\xFF\xFF\xFF\0\0\0\0");
        assert_eq!(row.collect::<Vec<_>>(), [Some(&b"ab"[..]), None, Some(&b""[..])]);
    }

    #[test]
    fn a_row_that_is_cut_off_has_fewer_values() {
        for body in [&b""[..], b"\0", b"\0\x01", b"\0\x01\0\0", b"\0\x01\0\0\0\x02a"] {
            assert_eq!(RawRow::new(body).count(), 0, "{body:?}");
        }
    }
}
