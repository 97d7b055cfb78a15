//! The shapes of activities against the XML Schema: the same attributes and children, said the same way.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use rejoin::document::activities::{ACTIVITIES, AttributeShape, ChildShape, Occurs, Shape, ValueShape};
use rejoin::document::{Element, Limits};

#[test]
fn every_shape_is_that_of_the_schema() {
    let schema = Schema::load();
    for shape in ACTIVITIES {
        assert_eq!(by_shape(shape), schema.outline(shape.element), "`{}`", shape.element);
    }
}

/// An element as lines: attributes in alphabetical order, then children, indented.
fn by_shape(shape: &Shape) -> String {
    let mut outline = String::new();
    write_attributes(shape.attributes.iter().map(attribute).collect(), 0, &mut outline);
    write_children(shape.children, 0, &mut outline);
    outline
}

fn write_children(children: &[ChildShape], depth: usize, outline: &mut String) {
    for child in children {
        let ChildShape { name, occurs, choice, text, holds_any, .. } = child;
        let text = text.map(value).unwrap_or_default();
        let any = if *holds_any { "any" } else { "" };
        let choice = choice.is_some();
        let line = line(name, *occurs, choice, &text, any);
        writeln!(outline, "{:indent$}{line}", "", indent = depth * 2).unwrap();
        let mut attributes: Vec<String> = child.attributes.iter().map(attribute).collect();
        if let Some(stream) = child.stream {
            let name = if stream.is_input { "from" } else { "name" };
            attributes.push(attribute_line(name, !stream.or_content, "name", None));
        }
        write_attributes(attributes, depth + 1, outline);
        write_children(child.children, depth + 1, outline);
    }
}

fn write_attributes(mut attributes: Vec<String>, depth: usize, outline: &mut String) {
    attributes.sort();
    for attribute in attributes {
        writeln!(outline, "{:indent$}{attribute}", "", indent = depth * 2).unwrap();
    }
}

fn line(name: &str, occurs: Occurs, is_choice: bool, text: &str, any: &str) -> String {
    format!("{name} {occurs:?} {} {text} {any}", if is_choice { "choice" } else { "" })
}

fn attribute(shape: &AttributeShape) -> String {
    let default = shape.default.filter(|_| !shape.is_required);
    attribute_line(shape.name, shape.is_required, &value(shape.value), default)
}

fn attribute_line(name: &str, is_required: bool, value: &str, default: Option<&str>) -> String {
    format!("@{name} {} {value} {default:?}", if is_required { "required" } else { "optional" })
}

fn value(shape: ValueShape) -> String {
    match shape {
        ValueShape::Text => "text".into(),
        ValueShape::NonEmptyText => "nonEmpty".into(),
        ValueShape::Character => "character".into(),
        ValueShape::Word => "word".into(),
        ValueShape::Name => "name".into(),
        ValueShape::Boolean => "boolean".into(),
        ValueShape::Integer(least, most) => format!("{least}..{most}"),
        ValueShape::Duration => "duration".into(),
        ValueShape::PositiveDuration => "positive duration".into(),
        ValueShape::RowType => "rowType".into(),
        ValueShape::Uuid => "uuid".into(),
        ValueShape::Choice(words) => words.join("|"),
    }
}

/// The schema of perform documents with those that it includes.
struct Schema {
    elements: BTreeMap<String, Element>,
    types: BTreeMap<String, Element>,
}

impl Schema {
    fn load() -> Self {
        let (mut elements, mut types) = (BTreeMap::new(), BTreeMap::new());
        for name in ["types", "perform", "activities"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas").join(name).with_extension("xsd");
            let schema = Element::parse(&fs::read(path).unwrap(), &Limits::default()).unwrap();
            for declared in schema.elements() {
                let Some(name) = declared.attribute("name") else { continue };
                let kind = if declared.local_name() == "element" { &mut elements } else { &mut types };
                kind.insert(name.to_owned(), declared.clone());
            }
        }
        Self { elements, types }
    }

    fn outline(&self, activity: &str) -> String {
        let mut outline = String::new();
        let element = self.elements.get(activity).unwrap_or_else(|| panic!("the schema has no `{activity}`"));
        let content = self.content(self.type_of(element).unwrap());
        // The name of the step is not of the shape.
        let own = content.attributes.into_iter().filter(|attribute| !attribute.starts_with("@name "));
        write_attributes(own.collect(), 0, &mut outline);
        self.write_particles(&content.particles, 0, &mut outline);
        outline
    }

    /// The complex type of an element, if it is one.
    fn type_of<'a>(&'a self, element: &'a Element) -> Option<&'a Element> {
        match element.attribute("type") {
            Some(name) => self.types.get(name).filter(|named| named.local_name() == "complexType"),
            None => element.elements().find(|child| child.local_name() == "complexType"),
        }
    }

    fn write_particles(&self, particles: &[Particle<'_>], depth: usize, outline: &mut String) {
        for Particle { element, is_choice } in particles {
            let name = element.attribute("name").unwrap();
            let occurs = match (element.attribute("minOccurs"), element.attribute("maxOccurs")) {
                (None, None) => Occurs::One,
                (Some("0"), None) => Occurs::Optional,
                (Some("0"), Some("unbounded")) => Occurs::Any,
                (None, Some("unbounded")) => Occurs::Some,
                other => panic!("{other:?}"),
            };
            let Some(complex) = self.type_of(element) else {
                let text = Self::value(element);
                writeln!(outline, "{:i$}{}", "", line(name, occurs, *is_choice, &text, ""), i = depth * 2).unwrap();
                continue;
            };
            let content = self.content(complex);
            let any = if content.holds_any { "any" } else { "" };
            let line = line(name, occurs, *is_choice, &content.text, any);
            writeln!(outline, "{:indent$}{line}", "", indent = depth * 2).unwrap();
            write_attributes(content.attributes, depth + 1, outline);
            self.write_particles(&content.particles, depth + 1, outline);
        }
    }

    /// What a complex type has, with what it extends.
    fn content<'a>(&'a self, complex: &'a Element) -> Content<'a> {
        let mut content = Content::default();
        if complex.attribute("mixed") == Some("true") {
            content.text = "text".into();
        }
        self.add(complex, false, &mut content);
        content
    }

    fn add<'a>(&'a self, part: &'a Element, is_choice: bool, content: &mut Content<'a>) {
        for child in part.elements() {
            match child.local_name() {
                "attribute" => content.attributes.push(attribute_line(
                    child.attribute("name").unwrap(),
                    child.attribute("use") == Some("required"),
                    &Self::value(child),
                    child.attribute("default"),
                )),
                "element" => content.particles.push(Particle { element: child, is_choice }),
                "any" => content.holds_any = true,
                "choice" => self.add(child, true, content),
                "extension" => {
                    let base = child.attribute("base").unwrap();
                    match self.types.get(base).filter(|named| named.local_name() == "complexType") {
                        Some(base) => {
                            let base = self.content(base);
                            content.text.push_str(&base.text);
                            content.attributes.extend(base.attributes);
                            content.particles.extend(base.particles);
                        }
                        None => simple(base).clone_into(&mut content.text),
                    }
                    self.add(child, is_choice, content);
                }
                "group" => self.add(&self.types[child.attribute("ref").unwrap()], is_choice, content),
                "annotation" => {}
                _ => self.add(child, is_choice, content),
            }
        }
    }

    /// The type of a value that an attribute or an element of text has.
    fn value(declared: &Element) -> String {
        if let Some(name) = declared.attribute("type") {
            return simple(name).to_owned();
        }
        let restriction = descendant(declared, "restriction").unwrap();
        let facet = |name: &str| {
            let facet = restriction.elements().find(|facet| facet.local_name() == name)?;
            facet.attribute("value").map(str::to_owned)
        };
        let words: Vec<&str> = restriction
            .elements()
            .filter(|facet| facet.local_name() == "enumeration")
            .filter_map(|facet| facet.attribute("value"))
            .collect();
        if !words.is_empty() {
            return words.join("|");
        }
        match (restriction.attribute("base").unwrap(), facet("minInclusive"), facet("maxInclusive")) {
            ("xs:integer", Some(least), Some(most)) => format!("{least}..{most}"),
            ("xs:string", ..) if facet("length").as_deref() == Some("1") => "character".into(),
            ("xs:token", ..) if facet("pattern").is_some_and(|pattern| pattern.starts_with("[0-9a-fA-F]{8}")) => {
                "uuid".into()
            }
            // Of the characters that a name has, of whatever kind.
            ("xs:token", ..) => "word".into(),
            (base, ..) => simple(base).to_owned(),
        }
    }
}

/// What a complex type has.
#[derive(Default)]
struct Content<'a> {
    attributes: Vec<String>,
    particles: Vec<Particle<'a>>,
    text: String,
    holds_any: bool,
}

/// An element in its place.
struct Particle<'a> {
    element: &'a Element,
    is_choice: bool,
}

fn descendant<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.elements().find_map(|child| if child.local_name() == name { Some(child) } else { descendant(child, name) })
}

/// A type of a value by its name.
fn simple(name: &str) -> &'static str {
    match name {
        "xs:string" => "text",
        "NonEmptyText" => "nonEmpty",
        "xs:NMTOKEN" => "word",
        "xs:NCName" => "name",
        "xs:boolean" => "boolean",
        "SmallCount" => "1..4294967295",
        "Count" => "1..18446744073709551615",
        "TimeOrZero" => "duration",
        "Time" => "positive duration",
        "RowType" => "rowType",
        other => panic!("the schema has a type of values that shapes don't have: {other}"),
    }
}
