use rejoin::session::Moment;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub(crate) method: String,
    /// Path and query as they were sent.
    pub(crate) target: String,
    /// In the order in which they were sent, as they were written.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// When its head was there.
    pub(crate) moment: Moment,
}

impl Recorded {
    /// `METHOD TARGET`, and the body behind it if there is one.
    pub(crate) fn line(&self) -> String {
        let Self { method, target, body, .. } = self;
        let body = String::from_utf8_lossy(body);
        if body.is_empty() { format!("{method} {target}") } else { format!("{method} {target} {body}") }
    }

    /// The target without its query.
    pub(crate) fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    /// The values of a header, whatever the case of its name, joined by `, `; `None` when it was not sent.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let values: Vec<&str> = self
            .headers
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
            .collect();
        (!values.is_empty()).then(|| values.join(", "))
    }
}
