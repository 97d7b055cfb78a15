use super::ValuePath;

/// Which page is asked for next.
#[derive(Debug, Clone, Default)]
pub struct PagingSettings {
    /// Whether pages are asked for until there is none: `ms.pagination` was given, or a session key without a condition.
    pub is_on: bool,
    /// `ms.pagination`, `fields`: where an answer says what page it is.
    pub fields: PageValues<ValuePath>,
    /// `ms.pagination`, `initialvalues`: what is sent first.
    pub initial: PageValues<u64>,
    /// `ms.total.count.field`: where an answer says how many records there are altogether.
    pub total: Option<ValuePath>,
    /// `rejoin.next`: the answer names the address of the next page.
    pub next: Option<NextLink>,
}

/// Something of each of the three values that tell a page from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct PageValues<T> {
    /// Of the first record of the page: `pagestart`.
    pub start: Option<T>,
    /// Of the number of records on it: `pagesize`.
    pub size: Option<T>,
    /// Of its number: `pageno`.
    pub number: Option<T>,
}

impl<T> Default for PageValues<T> {
    fn default() -> Self {
        Self { start: None, size: None, number: None }
    }
}

/// Where the address of the next page is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NextLink {
    /// The header `Link` with the relation `next` (RFC 8288).
    LinkHeader,
    /// A value of the body: an address, absolute or relative.
    Body(ValuePath),
}
