//! What the reader lets through, and what it refuses and where.

use std::fmt::Write;
use std::io::{BufReader, Read};

use super::*;

/// The events of a document as text, or the error.
fn events_of<R: BufRead>(reader: &mut XmlReader<R>) -> Result<String, DocumentError> {
    let mut said = String::new();
    loop {
        match reader.next()? {
            XmlEvent::Start(tag) => {
                said.push('<');
                if let Some(namespace) = tag.namespace() {
                    write!(said, "{{{namespace}}}").unwrap();
                }
                said.push_str(tag.local_name());
                for attribute in tag.to_element().attributes() {
                    let namespace = attribute.name().namespace().map(|namespace| format!("{{{namespace}}}"));
                    let (namespace, name) = (namespace.unwrap_or_default(), attribute.name().local());
                    write!(said, " {namespace}{name}={:?}@{}", attribute.value(), attribute.position()).unwrap();
                }
                said.push('>');
            }
            XmlEvent::End => said.push_str("</>"),
            XmlEvent::Text(text) => said.push_str(text),
            XmlEvent::Eof => return Ok(said),
        }
    }
}

fn read(bytes: &[u8]) -> Result<String, DocumentError> {
    read_bytes(bytes, &Limits::default(), None, |mut reader| events_of(&mut reader))
}

/// The same from a stream that comes in pieces of that size.
fn read_in_pieces(bytes: &[u8], size: usize) -> Result<String, DocumentError> {
    events_of(&mut XmlReader::new(BufReader::with_capacity(size, bytes), &Limits::default()))
}

#[track_caller]
fn refused(bytes: &[u8], at: &str) -> DocumentError {
    let error = read(bytes).expect_err("refused");
    assert_eq!(error.position().to_string(), at, "{error} in {:?}", String::from_utf8_lossy(bytes));
    for size in [1, 2, 3, 7] {
        let streamed = read_in_pieces(bytes, size).expect_err("refused");
        assert_eq!(streamed.problem(), error.problem(), "in pieces of {size}: {streamed}");
        if std::str::from_utf8(bytes).is_ok() {
            assert_eq!(streamed, error, "in pieces of {size}");
        }
    }
    error
}

#[test]
fn a_document_is_read_with_its_namespaces_and_positions() {
    let document = "<?xml version=\"1.0\"?>\n<!-- c --><a xmlns='urn:a' x='1'\n  p:y=\"a&#65;b\tc\" xmlns:p='urn:p'>t&lt;\
                    <![CDATA[<x>]]><?pi d?>u<p:b xmlns=''><c/></p:b></a>\n<?end?>";
    let expected = "<{urn:a}a x=\"1\"@2:28 {urn:p}y=\"aAb c\"@3:3>t<<x>u<{urn:p}b><c></></></>";
    assert_eq!(read(document.as_bytes()).unwrap(), expected);
    for size in [1, 2, 3, 5, 64] {
        assert_eq!(read_in_pieces(document.as_bytes(), size).unwrap(), expected, "in pieces of {size}");
    }
}

#[test]
fn what_xml_allows_is_let_through() {
    for (document, expected) in [
        ("\u{FEFF}<a/>", "<a></>"),
        ("  \r\n<a/>\t", "<a></>"),
        ("<a  />", "<a></>"),
        ("<a></a\n>", "<a></>"),
        ("<größe é=\"ü\"/>", "<größe é=\"ü\"@1:8></>"),
        ("<a x='>\"/>'/>", "<a x=\">\\\"/>\"@1:4></>"),
        ("<a xml:lang='en'/>", "<a {http://www.w3.org/XML/1998/namespace}lang=\"en\"@1:4></>"),
        ("<a xmlns:xml='http://www.w3.org/XML/1998/namespace'/>", "<a></>"),
        ("<a>]]&gt;]] ></a>", "<a>]]>]] ></>"),
        ("<a>\r\n\r&#13;</a>", "<a>\n\n\r</>"),
        ("<a><![CDATA[]]]]></a>", "<a>]]</>"),
        ("<a><!----></a>", "<a></>"),
        ("<a xmlns:p='u' p:x='1' x='2'/>", "<a {u}x=\"1\"@1:16 x=\"2\"@1:24></>"),
    ] {
        assert_eq!(read(document.as_bytes()).as_deref(), Ok(expected), "{document}");
    }
}

#[test]
fn what_is_not_one_root_element_is_refused() {
    for (document, at) in [
        ("", "1:1"),
        ("  \n", "2:1"),
        ("<!-- only -->", "1:14"),
        ("text", "1:1"),
        (" \ntext<a/>", "2:1"),
        ("<a/>x", "1:5"),
        ("<a/>\n<b/>", "2:1"),
        ("<a/>&amp;", "1:5"),
        ("<![CDATA[ ]]><a/>", "1:1"),
        ("<a/></a>", "1:5"),
        ("</a>", "1:1"),
        ("\u{FEFF}\u{FEFF}<a/>", "1:1"),
        ("\u{FFFD}<a/>", "1:1"),
    ] {
        assert_eq!(refused(document.as_bytes(), at).problem(), Problem::Malformed);
    }
}

#[test]
fn tags_that_are_not_those_of_xml_are_refused_where_they_are_wrong() {
    for (document, at) in [
        ("<a><b></a>", "1:7"),
        ("<a><b>", "1:7"),
        ("<a", "1:1"),
        ("<a x='1", "1:1"),
        ("<", "1:1"),
        ("<>", "1:2"),
        ("</>", "1:1"),
        ("< a/>", "1:2"),
        ("<1/>", "1:2"),
        ("<a:b:c/>", "1:5"),
        ("<:a/>", "1:2"),
        ("<a/ >", "1:3"),
        ("<a x/>", "1:5"),
        ("<a x=1/>", "1:6"),
        ("<a x='1'y='2'/>", "1:9"),
        ("<a x='1' 2='2'/>", "1:10"),
        ("<a x='1'\n x='2'/>", "2:2"),
        ("<a x='<'/>", "1:7"),
        ("<a x='&amp'/>", "1:7"),
        ("<a x='&b;'/>", "1:7"),
        ("<a></a x='1'>", "1:4"),
        ("<a><!-- -- --></a>", "1:9"),
        ("<a><!-- ---></a>", "1:9"),
        ("<a><!ELEMENT b></a>", "1:4"),
        ("<a><!é", "1:4"),
        ("<a><![IGNORE[]]></a>", "1:4"),
        ("<a><?xml version='1.0'?></a>", "1:6"),
        (" <?xml version='1.0'?><a/>", "1:4"),
        ("<?xml version='2.0'?><a/>", "1:20"),
        ("<?xml version='1.0' encoding='latin1'?><a/>", "1:38"),
        ("<a>\u{1}</a>", "1:4"),
        ("<a>x\u{FFFF}</a>", "1:5"),
        ("<a b='\u{FFFE}'/>", "1:7"),
        ("<a>x]]></a>", "1:5"),
        ("<a>\n&nbsp;</a>", "2:1"),
        ("<a>&#0;</a>", "1:4"),
        ("<a>&</a>", "1:4"),
        ("<a>& b;</a>", "1:4"),
        ("<a><![CDATA[\u{B}]]></a>", "1:13"),
        ("<a><![CDATA[</a>", "1:4"),
    ] {
        assert_eq!(refused(document.as_bytes(), at).problem(), Problem::Malformed);
    }
}

#[test]
fn namespaces_are_those_of_the_recommendation() {
    for (document, at) in [
        ("<p:a/>", "1:1"),
        ("<a p:x='1'/>", "1:4"),
        ("<a><b xmlns:p='u'/><p:c/></a>", "1:20"),
        ("<a xmlns:p=''/>", "1:4"),
        ("<a xmlns:xmlns='u'/>", "1:4"),
        ("<xmlns:a/>", "1:1"),
        ("<a xmlns:xml='u'/>", "1:4"),
        ("<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>", "1:4"),
        ("<a xmlns='http://www.w3.org/XML/1998/namespace'/>", "1:4"),
        ("<a xmlns:p='http://www.w3.org/2000/xmlns/'/>", "1:4"),
        ("<a xmlns='u' xmlns='u'/>", "1:14"),
        ("<a xmlns:p='u' xmlns:q='u' p:x='1' q:x='1'/>", "1:36"),
    ] {
        assert_eq!(refused(document.as_bytes(), at).problem(), Problem::Malformed);
    }
}

#[test]
fn a_dtd_is_refused_before_any_entity_is_looked_at() {
    let bomb = b"<?xml version='1.0'?>\n<!DOCTYPE a [<!ENTITY b \"bbbbbbbb\"><!ENTITY c \"&b;&b;&b;&b;\">]><a>&c;</a>";
    assert!(refused(bomb, "2:1").message().contains("DTD"));
    for document in ["<!DOCTYPE a><a/>", "<!doctype a><a/>", "<!DOCTYPE a [", "<!DOCTYPE>"] {
        refused(document.as_bytes(), "1:1");
    }
}

#[test]
fn ten_thousand_levels_are_refused_at_the_bound() {
    let document = "<a>".repeat(10_000);
    let error = refused(document.as_bytes(), "1:193");
    assert_eq!(error.problem(), Problem::TooLarge);
    let limits = Limits { depth: u32::MAX, ..Limits::default() };
    let error = read_bytes(document.as_bytes(), &limits, None, |mut reader| events_of(&mut reader)).unwrap_err();
    assert_eq!(error.position().column, 3 * 256 + 1);
}

#[test]
fn every_bound_holds() {
    let small = Limits { document_bytes: 100, depth: 2, elements: 3, attributes: 2, name_bytes: 5, text_bytes: 10 };
    let check = |document: &str| read_bytes(document.as_bytes(), &small, None, |mut reader| events_of(&mut reader));
    assert!(check("<abcde a='0123456789' b=''>0123456789<c/><c/></abcde>").is_ok());
    for document in [
        format!("<a>{}</a>", " ".repeat(100)),
        "<a><a><a/></a></a>".into(),
        "<a><b/><b/><b/></a>".into(),
        "<a b='' c='' d=''/>".into(),
        "<a b='' xmlns='u' xmlns:d='u'/>".into(),
        "<abcdef/>".into(),
        "<a abcdef=''/>".into(),
        "<ab:def xmlns:ab='u'/>".into(),
        "<a b='0123456789x'/>".into(),
        "<a>0123456789x</a>".into(),
        "<a><![CDATA[0123456789x]]></a>".into(),
    ] {
        assert_eq!(check(&document).map_err(|error| error.problem()), Err(Problem::TooLarge), "{document}");
    }
    // Joined again, the pieces are over the bound.
    let error = Element::parse(b"<a>0123456789<![CDATA[x]]></a>", &small).unwrap_err();
    assert_eq!(error.problem(), Problem::TooLarge);
}

#[test]
fn a_text_without_end_is_refused_without_being_gathered() {
    let limits = Limits { text_bytes: 1 << 20, document_bytes: u64::MAX, ..Limits::default() };
    for opening in ["<a>", "<a><![CDATA[", "<a><!--", "<a b='", "<?", "<a>&"] {
        let endless = opening.as_bytes().chain(std::io::repeat(b'x').take(1 << 30));
        let mut reader = XmlReader::new(BufReader::new(endless), &limits);
        let error = loop {
            match reader.next() {
                Ok(XmlEvent::Eof) => panic!("{opening} was read to its end"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.problem(), Problem::TooLarge, "{opening}");
        assert!(reader.source.memory() < 4 << 20);
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused_where_they_stand() {
    for (document, at) in [
        (&b"<a>ab\xFFc</a>"[..], "1:6"),
        (b"<a>\n\xC3</a>", "2:1"),
        (b"<a b='\xED\xA0\x80'/>", "1:7"),
        (b"<a><!-- \xC0\x80 --></a>", "1:9"),
        (b"<a>\xC3\xA9\xE2\x82</a>", "1:5"),
        (b"\xFE<a/>", "1:1"),
    ] {
        let error = read(document).unwrap_err();
        assert_eq!((error.problem(), error.position().to_string().as_str()), (Problem::Malformed, at), "{error}");
        if document[0] != 0xFE {
            assert_eq!(read_in_pieces(document, 2), Err(error));
        }
    }
}

fn utf16(text: &str, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(unit).collect()
}

#[test]
fn utf16_is_read_with_a_mark_or_where_xml_or_http_says_so() {
    let with_charset = |bytes: &[u8], charset| {
        read_bytes(bytes, &Limits::default(), Some(charset), |mut reader| events_of(&mut reader))
    };
    for unit in [u16::to_le_bytes as fn(u16) -> [u8; 2], u16::to_be_bytes] {
        let le = unit(1) == [1, 0];
        let name = if le { "UTF-16LE" } else { "UTF-16BE" };
        assert_eq!(read(&utf16("\u{FEFF}<a>😀</a>", unit)).as_deref(), Ok("<a>😀</>"));
        let declared = format!("<?xml version='1.0' encoding='{name}'?><a/>");
        assert_eq!(read(&utf16(&declared, unit)).as_deref(), Ok("<a></>"));
        assert_eq!(with_charset(&utf16("<a/>", unit), name).as_deref(), Ok("<a></>"));

        assert!(read(&utf16("\u{FEFF}\u{FEFF}<a/>", unit)).is_err());
        assert!(read(&utf16("<a/>", unit)).is_err());
        assert!(read(&utf16("<?xml version='1.0'?><a/>", unit)).is_err());
        assert!(read(&utf16("<?pi?><a/>", unit)).is_err());
        assert!(read(&utf16("<?xml version='1.0' encoding='UTF-16'?><a/>", unit)).is_err());
        assert!(read(&utf16("<?xml version='1.0' encoding='UTF-8'?><a/>", unit)).is_err());
        assert!(with_charset(&utf16("<a/>", unit), "utf-16").is_err());
        assert!(with_charset(&utf16("<a/>", unit), "utf-8").is_err());

        let mut cut = utf16("\u{FEFF}<a>x\n</a>", unit);
        cut.pop();
        assert_eq!(read(&cut).unwrap_err().position().to_string(), "2:4");
        let mut half = utf16("\u{FEFF}<a>x😀</a>", unit);
        half.drain(10..12);
        assert_eq!(read(&half).unwrap_err().position().to_string(), "1:5");
    }
}

#[test]
fn what_http_says_goes_before_the_declaration() {
    let with_charset = |bytes: &[u8], charset| {
        read_bytes(bytes, &Limits::default(), Some(charset), |mut reader| events_of(&mut reader))
    };
    let document = b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>";
    assert!(with_charset(document, "\"UTF-8\"").is_ok());
    assert!(with_charset(document, "iso-8859-1").is_err());
    assert!(with_charset("<a>é</a>".as_bytes(), "us-ascii").is_err());
    assert!(with_charset("\u{FEFF}<a>é</a>".as_bytes(), "utf-16le").is_ok(), "a byte order mark decides");
}

#[test]
fn ascii_is_ascii() {
    assert!(read("<?xml version='1.0' encoding='us-ascii'?><a>e</a>".as_bytes()).is_ok());
    refused("<?xml version='1.0' encoding='us-ascii'?><a b='é'/>".as_bytes(), "1:42");
    refused("<?xml version='1.0' encoding='us-ascii'?><a><!-- é --></a>".as_bytes(), "1:45");
}

#[test]
fn a_stream_that_breaks_says_so() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("the line is down"))
        }
    }
    let error = events_of(&mut XmlReader::new(BufReader::new(b"<a>".chain(Broken)), &Limits::default())).unwrap_err();
    assert_eq!(error.to_string(), "1:4: the document breaks off: the line is down");
}
