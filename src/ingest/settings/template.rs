/// A text with variables in it: `/jobs/query/{{id}}`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Template {
    parts: Vec<TemplatePart>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplatePart {
    /// As it stands.
    Text(Box<str>),
    /// The value of the variable of that name.
    Variable(Box<str>),
}

impl Template {
    /// Reads a text. What looks like a variable and is none, because its name holds other characters than letters, digits, `_`,
    /// `.`, `$` and `-`, is text.
    ///
    /// ```
    /// use rejoin::ingest::settings::Template;
    ///
    /// let uri = Template::parse("/jobs/{{id}}/results?maxRecords={{size}}");
    /// assert_eq!(uri.variables().collect::<Vec<_>>(), ["id", "size"]);
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        let mut plain = String::new();
        while let Some((before, behind)) = rest.split_once("{{") {
            plain.push_str(before);
            match behind.split_once("}}") {
                Some((name, after)) if is_variable(name) => {
                    if !plain.is_empty() {
                        parts.push(TemplatePart::Text(std::mem::take(&mut plain).into()));
                    }
                    parts.push(TemplatePart::Variable(name.into()));
                    rest = after;
                }
                _ => {
                    plain.push_str("{{");
                    rest = behind;
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(plain.into()));
        }
        parts.shrink_to_fit();
        Self { parts }
    }

    /// Its pieces, in order.
    #[must_use]
    pub fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }

    /// The names of its variables, in order; one that stands twice is there twice.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            TemplatePart::Variable(name) => Some(name.as_ref()),
            TemplatePart::Text(_) => None,
        })
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.$-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_variable_is_text() {
        for text in ["", "plain", "{{", "{{}}", "{{a b}}", "}}{{", "{{a", "{ {a} }"] {
            let template = Template::parse(text);
            assert_eq!(template.variables().count(), 0, "{text}");
            let again: String = template
                .parts()
                .iter()
                .map(|part| match part {
                    TemplatePart::Text(text) | TemplatePart::Variable(text) => text.as_ref(),
                })
                .collect();
            assert_eq!(again, text);
        }
        assert_eq!(Template::parse("{{{{a}}").variables().collect::<Vec<_>>(), ["a"]);
    }
}
