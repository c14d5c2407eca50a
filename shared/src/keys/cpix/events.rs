//! The one reader of documents: well-formed XML 1.0 in UTF-8, without a DTD, its namespaces
//! resolved. Of the elements, those that [`Element`] lists come out; the others are checked and
//! skipped with all that they contain.

use quick_xml::{
    XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesDecl, BytesRef, BytesStart, Event as XmlEvent},
    name::{QName, ResolveResult},
    reader::NsReader,
};

use super::{element::Element, error::Error};

/// The most bytes that a document may have.
const MAX_DOCUMENT_BYTES: usize = 1 << 20;
/// How deep elements may be nested.
const MAX_DEPTH: usize = 24;
/// The most attributes that an element may have, declarations of namespaces included.
const MAX_ATTRIBUTES: usize = 48;
/// The most declarations of namespaces that an element may have.
const MAX_NAMESPACES: usize = 16;

type Reason = &'static str;

const NOT_WELL_FORMED: Reason = "it is not well-formed XML";
const NO_ENTITIES: Reason = "entity references are not allowed";

/// The attributes of an element that are in no namespace, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// One attribute.
    pub(super) fn one(name: &str, value: &str) -> Self {
        Self(vec![(name.to_owned(), value.to_owned())])
    }

    /// The value of an attribute.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    /// The names and values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is no attribute.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The start or the end of a known element, or a certificate's text.
#[derive(Debug)]
pub(super) enum Event {
    Start(Element, Attributes),
    End(Element),
    Text(String),
}

/// Takes the body of a request as text.
pub(super) fn document(body: &[u8]) -> Result<&str, Error> {
    let malformed = |reason, offset| Error::Malformed { reason, offset };
    match body {
        [] => return Err(malformed("the body is empty", 0)),
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] | [0, ..] | [_, 0, ..] => return Err(malformed("it is not UTF-8", 0)),
        _ if body.len() > MAX_DOCUMENT_BYTES => return Err(malformed("the body is larger than 1 MiB", MAX_DOCUMENT_BYTES)),
        _ => {}
    }
    let text = str::from_utf8(body).map_err(|error| malformed("it is not UTF-8", error.valid_up_to()))?;
    match text.char_indices().find(|(_, char)| !is_xml_char(*char)) {
        Some((offset, _)) => Err(malformed("it contains a character that XML does not allow", offset)),
        None => Ok(text.strip_prefix('\u{FEFF}').unwrap_or(text)),
    }
}

/// Reads a document.
pub(super) struct Events<'a> {
    reader: NsReader<&'a [u8]>,
    /// The elements that are open; `None` for an unknown one.
    open: Vec<Option<Element>>,
    root_was_read: bool,
}

impl<'a> Events<'a> {
    /// Starts with text from [`document`].
    pub(super) fn new(document: &'a str) -> Self {
        let mut reader = NsReader::from_str(document);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.check_comments = true;
        reader.resolver_mut().set_max_declarations_per_element(MAX_NAMESPACES);
        Self { reader, open: Vec::new(), root_was_read: false }
    }

    /// The next start or end of a known element; `None` behind the whole document.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Error> {
        self.read().map_err(|reason| {
            let offset = usize::try_from(self.reader.buffer_position()).unwrap_or(usize::MAX);
            Error::Malformed { reason, offset }
        })
    }

    fn read(&mut self) -> Result<Option<Event>, Reason> {
        loop {
            let before = self.reader.buffer_position();
            match self.reader.read_event().map_err(|error| reason(&error))? {
                XmlEvent::Start(start) => {
                    if let Some(event) = self.start(&start)? {
                        return Ok(Some(event));
                    }
                }
                XmlEvent::End(_) => {
                    let element = self.open.pop().ok_or(NOT_WELL_FORMED)?;
                    if let Some(element) = element {
                        return Ok(Some(Event::End(element)));
                    }
                }
                XmlEvent::Text(text) => {
                    let blank = text.iter().all(u8::is_ascii_whitespace);
                    if self.open.is_empty() && !blank || text.windows(3).any(|bytes| bytes == b"]]>") {
                        return Err(NOT_WELL_FORMED);
                    }
                    if self.is_in_certificate() {
                        return Ok(Some(Event::Text(text.decode().map_err(|_| NOT_WELL_FORMED)?.into_owned())));
                    }
                }
                XmlEvent::CData(text) if self.is_in_certificate() => {
                    return Ok(Some(Event::Text(text.decode().map_err(|_| NOT_WELL_FORMED)?.into_owned())));
                }
                XmlEvent::GeneralRef(reference) if !self.open.is_empty() => check_reference(&reference)?,
                XmlEvent::CData(_) if !self.open.is_empty() => {}
                XmlEvent::Comment(_) => {}
                XmlEvent::PI(instruction) => {
                    if instruction.target().eq_ignore_ascii_case(b"xml") || !is_name(instruction.target()) {
                        return Err(NOT_WELL_FORMED);
                    }
                }
                XmlEvent::Decl(declaration) if before == 0 => check_declaration(&declaration)?,
                XmlEvent::DocType(_) => return Err("a DTD is not allowed"),
                XmlEvent::Eof if self.open.is_empty() && self.root_was_read => return Ok(None),
                XmlEvent::Eof => return Err("it ends before its root element does"),
                XmlEvent::GeneralRef(_) | XmlEvent::CData(_) | XmlEvent::Decl(_) | XmlEvent::Empty(_) => {
                    return Err(NOT_WELL_FORMED);
                }
            }
        }
    }

    fn is_in_certificate(&self) -> bool {
        self.open.last() == Some(&Some(Element::X509Certificate))
    }

    fn start(&mut self, start: &BytesStart<'_>) -> Result<Option<Event>, Reason> {
        let is_root = self.open.is_empty();
        if is_root && self.root_was_read {
            return Err("it has more than one root element");
        }
        if self.open.len() == MAX_DEPTH {
            return Err("its elements are nested too deeply");
        }
        let attributes = self.attributes(start)?;
        let parent = self.open.last().copied();
        let element = match self.resolve(start.name(), true)? {
            // What an unknown element contains is unknown.
            Some(namespace) if parent != Some(None) => Element::find(parent.flatten(), namespace, start.local_name().into_inner()),
            _ => None,
        };
        if is_root && element.is_none() {
            return Err("its root element is not CPIX of the namespace urn:dashif:org:cpix");
        }
        self.root_was_read = true;
        self.open.push(element);
        Ok(element.map(|element| Event::Start(element, attributes)))
    }

    /// The attributes in no namespace; all of them are checked.
    fn attributes(&self, start: &BytesStart<'_>) -> Result<Attributes, Reason> {
        if !is_separated(start.attributes_raw()) {
            return Err(NOT_WELL_FORMED);
        }
        let (mut attributes, mut qualified) = (Vec::new(), Vec::new());
        for (index, attribute) in start.attributes().enumerate() {
            if index == MAX_ATTRIBUTES {
                return Err("an element has too many attributes");
            }
            let attribute = attribute.map_err(|_| "an attribute is not well-formed or is there twice")?;
            if attribute.value.contains(&b'<') {
                return Err(NOT_WELL_FORMED);
            }
            let value = attribute.normalized_value_with(XmlVersion::Implicit1_0, 1, resolve_predefined_entity).map_err(|_| NO_ENTITIES)?;
            if !value.chars().all(is_xml_char) {
                return Err(NOT_WELL_FORMED);
            }
            if attribute.key.as_namespace_binding().is_some() {
                continue;
            }
            let namespace = self.resolve(attribute.key, false)?;
            let local = attribute.key.local_name().into_inner();
            if let Some(namespace) = namespace {
                if qualified.contains(&(namespace, local.to_vec())) {
                    return Err("an attribute is not well-formed or is there twice");
                }
                qualified.push((namespace, local.to_vec()));
            } else {
                let name = str::from_utf8(local).map_err(|_| NOT_WELL_FORMED)?;
                attributes.push((name.to_owned(), value.into_owned()));
            }
        }
        Ok(Attributes(attributes))
    }

    fn resolve(&self, name: QName<'_>, is_element: bool) -> Result<Option<&[u8]>, Reason> {
        let (local, prefix) = name.decompose();
        if !is_name(local.into_inner()) || prefix.is_some_and(|prefix| !is_name(prefix.into_inner())) {
            return Err(NOT_WELL_FORMED);
        }
        match self.reader.resolver().resolve(name, is_element).0 {
            ResolveResult::Bound(namespace) => Ok(Some(namespace.into_inner())),
            ResolveResult::Unbound => Ok(None),
            ResolveResult::Unknown(_) => Err("a prefix has no namespace"),
        }
    }
}

/// The parser's own texts repeat the document: they stay out of replies and logs.
fn reason(error: &quick_xml::Error) -> Reason {
    use quick_xml::{Error as E, errors::IllFormedError as I};
    match error {
        E::IllFormed(I::MismatchedEndTag { .. } | I::UnmatchedEndTag(_)) => "an end tag does not match its start tag",
        E::IllFormed(I::MissingDoctypeName) => "a DTD is not allowed",
        E::Syntax(_) => "it ends within a tag, a comment or a section",
        E::Namespace(_) => "a declaration of a namespace is not allowed",
        _ => NOT_WELL_FORMED,
    }
}

fn check_declaration(declaration: &BytesDecl<'_>) -> Result<(), Reason> {
    if declaration.version().map_err(|error| reason(&error))?.as_ref() != b"1.0" {
        return Err("it is not XML 1.0");
    }
    let encoding = declaration.encoding().transpose().map_err(|_| NOT_WELL_FORMED)?;
    let is_utf8 = |name: &[u8]| ["utf-8", "utf8", "us-ascii", "ascii"].iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    if encoding.is_none_or(|name| is_utf8(&name)) { Ok(()) } else { Err("it is not UTF-8") }
}

/// Character references and the five predefined entities are allowed.
fn check_reference(reference: &BytesRef<'_>) -> Result<(), Reason> {
    match reference.resolve_char_ref().map_err(|error| reason(&error))? {
        Some(char) if is_xml_char(char) => Ok(()),
        Some(_) => Err(NOT_WELL_FORMED),
        None => {
            let name = reference.decode().map_err(|_| NOT_WELL_FORMED)?;
            resolve_predefined_entity(&name).map(|_| ()).ok_or(NO_ENTITIES)
        }
    }
}

/// XML 1.0, 2.2: the production `Char`.
const fn is_xml_char(char: char) -> bool {
    matches!(char, '\t' | '\n' | '\r' | ' '..='\u{FFFD}' | '\u{10000}'..)
}

/// XML 1.0, 2.3: names without a colon; of the characters beyond ASCII, all are taken.
fn is_name(name: &[u8]) -> bool {
    let is_start = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || !byte.is_ascii();
    let is_part = |byte: u8| is_start(byte) || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    name.first().is_some_and(|byte| is_start(*byte)) && name.iter().all(|byte| is_part(*byte))
}

/// Whether white space stands between the value of an attribute and the next attribute.
fn is_separated(attributes: &[u8]) -> bool {
    let (mut quote, mut closed) = (None, false);
    for byte in attributes {
        if quote == Some(*byte) {
            (quote, closed) = (None, true);
        } else if quote.is_none() {
            if closed && !byte.is_ascii_whitespace() {
                return false;
            }
            closed = false;
            quote = matches!(byte, b'"' | b'\'').then_some(*byte);
        }
    }
    true
}
