//! The static attributes that are built in, one file each.

mod constant;
mod counter;
mod document;
mod environment;
mod text;
mod transaction_manager;
mod xml;

pub use counter::Counter;

use super::StaticAttributeRegistry;

/// The one place where built-in implementations get their names.
pub(super) fn register(registry: &mut StaticAttributeRegistry) {
    registry.register("rejoin.Text", text::make);
    registry.register("rejoin.Xml", xml::make);
    registry.register("rejoin.Counter", counter::make);
    registry.register("rejoin.Document", document::make);
    registry.register("rejoin.Environment", environment::make);
    registry.register("rejoin.TransactionManager", transaction_manager::make);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::block::Scalar;
    use crate::document::{DocumentError, Element, Limits, StaticAttributeConfiguration};
    use crate::session::StaticAttributes;

    const NAMESPACE: &str = "xmlns='http://ogsadai.org.uk/namespaces/2005/10/config'";

    /// What a registry makes of an element that stands in the third line.
    fn made(implementation: &str, content: &str) -> Result<StaticAttributes, DocumentError> {
        let text =
            format!("\n\n<sessionAttribute {NAMESPACE} name='a' impl='{implementation}'>{content}</sessionAttribute>");
        let element = Element::parse(text.as_bytes(), &Limits::default())?;
        let position = element.position();
        let (name, implementation) = ("a".into(), implementation.into());
        let configured = StaticAttributeConfiguration { name, implementation, element, position };
        StaticAttributeRegistry::default()
            .make(&[configured], Path::new("/nowhere"))
            .map_err(|mut errors| errors.remove(0))
    }

    fn value(implementation: &str, content: &str) -> (&'static str, Option<Scalar>) {
        let statics = made(implementation, content).unwrap();
        let value = statics.get("a").unwrap();
        (value.type_name(), value.scalar())
    }

    #[test]
    fn built_in_attributes_are_what_their_elements_say() {
        // Behaviour 38: values come from the configuration.
        assert_eq!(value("rejoin.Text", "<text>hello</text>"), ("text", Some(Scalar::Text("hello".into()))));
        let default = "<variable name='REJOIN_NO_SUCH_VARIABLE' default='eu'/>";
        assert_eq!(value("rejoin.Environment", default), ("text", Some(Scalar::Text("eu".into()))));
        let name = "<variable name='CARGO_PKG_NAME' default='other'/>";
        assert_eq!(value("rejoin.Environment", name), ("text", Some(Scalar::Text("rejoin".into()))));
        assert_eq!(value("rejoin.Counter", ""), ("counter", Some(Scalar::Integer(0))));
        assert_eq!(value("rejoin.Counter", "<start>-7</start>"), ("counter", Some(Scalar::Integer(-7))));
        let (type_name, Some(Scalar::Xml(xml))) = value("rejoin.Xml", "<menu><item price='3'>tea</item></menu>") else {
            panic!("no XML");
        };
        assert_eq!(type_name, "xml");
        assert!(xml.contains("<item price=\"3\">tea</item>"), "{xml}");
        Element::parse(xml.as_bytes(), &Limits::default()).unwrap();
    }

    #[test]
    fn what_an_implementation_cannot_read_is_refused_with_its_place() {
        for (implementation, content, message) in [
            ("rejoin.Text", "<txt>hello</txt>", "text"),
            ("rejoin.Text", "", "text"),
            ("rejoin.Counter", "<start>three</start>", "three"),
            ("rejoin.Counter", "<stop/>", "stop"),
            ("rejoin.Xml", "", "element inside"),
            ("rejoin.Xml", "<a/><b/>", "`b`"),
            ("rejoin.Txt", "", "did you mean `rejoin.Text`? There are `rejoin.Counter`, `rejoin.Document`"),
            ("rejoin.Text", "<text lang='en'>hello</text>", "lang"),
            ("rejoin.Document", "", "document"),
            ("rejoin.Document", "<document/>", "location"),
            ("rejoin.Document", "<document location='menu.xml'/>", "can't be read"),
            ("rejoin.Document", "<document location='m' type='json'/>", "json"),
            ("rejoin.TransactionManager", "<pool/>", "pool"),
            ("rejoin.Environment", "", "variable"),
            ("rejoin.Environment", "<variable name='REJOIN_NO_SUCH_VARIABLE'/>", "give a `default`"),
            ("rejoin.Environment", "<variable name='A=B'/>", "`A=B`"),
            ("rejoin.Environment", "<variable/>", "name"),
        ] {
            let error = made(implementation, content).unwrap_err();
            assert_eq!(error.position().line, 3, "{error}");
            assert!(error.message().contains(message), "{error}");
        }
    }
}
