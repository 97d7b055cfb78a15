//! The shapes of activities say what their readers take, what their writers write, and what the schema allows.

use std::fmt::Debug;

use rejoin::document::activities::{self, ActivityElement, ChildShape, Occurs, Shape, ValueShape};
use rejoin::document::{DocumentError, Element, Limits, TYPES_NAMESPACE};

use super::corpus::Kind;
use super::mutation::Random;
use super::schema;
use super::verdict::Verdict;

/// An activity: its shape, and what becomes of an element of it that is read and written again.
struct Defined {
    shape: Shape,
    again: fn(&Element) -> Result<Element, DocumentError>,
}

fn defined<A: ActivityElement + PartialEq + Debug>() -> Defined {
    let again = |element: &Element| {
        let read = A::of(element)?;
        let written = read.step("a").element;
        assert_eq!(A::of(&written), Ok(read), "{written:?}");
        Ok(written)
    };
    Defined { shape: A::SHAPE, again }
}

/// Every activity that comes with the service.
fn all() -> Vec<Defined> {
    vec![
        defined::<activities::SqlQueryStatement>(),
        defined::<activities::SqlUpdateStatement>(),
        defined::<activities::SqlStoredProcedure>(),
        defined::<activities::SqlBulkLoadRowSet>(),
        defined::<activities::ResultsetProjection>(),
        defined::<activities::SqlResultsToCsv>(),
        defined::<activities::SqlResultsToXml>(),
        defined::<activities::SqlResultsToJson>(),
        defined::<activities::SqlResultsToArrow>(),
        defined::<activities::SqlResultsToParquet>(),
        defined::<activities::WebRowSetToRows>(),
        defined::<activities::CsvToRows>(),
        defined::<activities::ArrowToRows>(),
        defined::<activities::ParquetToRows>(),
        defined::<activities::TransactionManagement>(),
        defined::<activities::OpenCursor>(),
        defined::<activities::FetchCursor>(),
        defined::<activities::CloseCursor>(),
        defined::<activities::ExtractDatabaseSchema>(),
        defined::<activities::DatabaseSchemaToXml>(),
        defined::<activities::ExtractPhysicalSchema>(),
        defined::<activities::RelationalResourceManagement>(),
        defined::<activities::DeliverToSession>(),
        defined::<activities::DeliverFromSession>(),
        defined::<activities::SessionAttributeManagement>(),
        defined::<activities::InputStream>(),
        defined::<activities::OutputStream>(),
        defined::<activities::BlockAggregator>(),
        defined::<activities::StringTokenizer>(),
        defined::<activities::DataStore>(),
        defined::<activities::Echo>(),
        defined::<activities::Refuse>(),
        defined::<activities::RequestInformation>(),
        defined::<activities::Sleep>(),
    ]
}

#[test]
fn every_activity_that_has_a_shape_is_looked_at() {
    let looked_at: Vec<Shape> = all().iter().map(|defined| defined.shape).collect();
    assert_eq!(looked_at, activities::ACTIVITIES);
}

/// Elements made by the shape are read, but for those that contradict themselves; written again, they say the same; and the
/// schema allows all of them.
#[test]
fn what_a_shape_says_is_read_and_written_again_and_valid() {
    const EACH: usize = 80;
    let mut random = Random::new(0xAC71);
    let mut documents = Vec::new();
    for Defined { shape, again } in all() {
        let mut read = 0;
        for _ in 0..EACH {
            let element = made(&shape, &mut random);
            // Over the text, so that it is read as any other.
            let element = Element::parse(element.to_xml().unwrap().as_bytes(), &Limits::default()).unwrap();
            match again(&element) {
                Ok(written) => {
                    read += 1;
                    documents.extend([perform(&element), perform(&written)]);
                }
                Err(error) => assert!(error.message().contains("contradictory"), "{error}: {}", perform(&element)),
            }
        }
        assert!(read > EACH / 4, "{} of {EACH} `{}` were read", read, shape.element);
    }
    let verdicts = schema::judge(Kind::Perform, documents.iter().map(String::as_bytes));
    for (document, verdict) in documents.iter().zip(verdicts) {
        assert_eq!(verdict, Verdict::Valid, "{document}");
    }
}

fn perform(activity: &Element) -> String {
    Element::new("perform", Some(TYPES_NAMESPACE)).with_child(activity.clone()).to_xml().unwrap()
}

/// An element of that shape, with a choice of what may be left out.
fn made(shape: &Shape, random: &mut Random) -> Element {
    let element = Element::new(shape.element, Some(TYPES_NAMESPACE)).with_attribute("name", "a");
    let element = shape.attributes.iter().fold(element, |element, attribute| {
        if attribute.is_required || random.below(2) == 0 {
            return element.with_attribute(attribute.name, value(attribute.value, random));
        }
        element
    });
    children(element, shape.children, random)
}

fn children(mut element: Element, shapes: &[ChildShape], random: &mut Random) -> Element {
    let mut rest = shapes;
    while let Some(first) = rest.first() {
        let group =
            rest.iter().take_while(|child| child.choice.is_some() && child.choice == first.choice).count().max(1);
        let shape = &rest[random.below(group)];
        rest = &rest[group..];
        let times = match shape.occurs {
            Occurs::One => 1,
            Occurs::Optional => random.below(2),
            Occurs::Any => random.below(4),
            Occurs::Some => 1 + random.below(3),
        };
        for number in 1..=times {
            element = element.with_child(child(shape, number, random));
        }
    }
    element
}

fn child(shape: &ChildShape, number: usize, random: &mut Random) -> Element {
    let mut element = Element::new(shape.name, Some(TYPES_NAMESPACE));
    for attribute in shape.attributes {
        // They are counted without a gap.
        if attribute.name == "position" {
            element = element.with_attribute("position", number);
        } else if attribute.is_required || random.below(3) == 0 {
            element = element.with_attribute(attribute.name, value(attribute.value, random));
        }
    }
    let mut holds_text = shape.text;
    if let Some(stream) = shape.stream
        && (!stream.or_content || random.below(3) == 0)
    {
        holds_text = None;
        let name = if stream.is_input { "from" } else { "name" };
        element = element.with_attribute(name, value(ValueShape::Name, random));
    } else if shape.holds_any && random.below(3) == 0 {
        holds_text = None;
        element = element.with_child(Element::new("inside", Some("urn:inside")).with_attribute("a", "<"));
    }
    if let Some(text) = holds_text {
        element = element.with_text(value(text, random));
    }
    children(element, shape.children, random)
}

/// A value as somebody might write it.
fn value(shape: ValueShape, random: &mut Random) -> String {
    let mut pick = |values: &[&str]| (*random.pick(values)).to_owned();
    match shape {
        ValueShape::Text => pick(&["", "x", "a < b & \"c\"", " é \n\t", "17", "true"]),
        ValueShape::NonEmptyText => pick(&["x", "shop.bill", "a b", "é%"]),
        ValueShape::Character => pick(&[",", ";", "é", "\t", " "]),
        ValueShape::Word => pick(&["ms.source.uri", "x"]),
        ValueShape::Name => pick(&["a", "rows-2", " _x.y ", "é"]),
        ValueShape::Boolean => pick(&["true", "false", "1", " 0 "]),
        ValueShape::Integer(least, most) => {
            let numbers = [least, most, 1.clamp(least, most), 2.clamp(least, most)];
            random.pick(&numbers).to_string()
        }
        ValueShape::Duration => pick(&["0", "250", "PT2S", "P1DT1H"]),
        ValueShape::RowType => pick(&["int64", "text", "bigint", "decimal(10,2)", "int32[]", "timestamptz"]),
        ValueShape::Uuid => pick(&["0193fe2c-0000-7000-8000-00000000abcd"]),
        ValueShape::Choice(words) => pick(words),
    }
}
