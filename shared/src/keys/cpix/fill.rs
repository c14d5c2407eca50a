//! The reply: the request's elements and attributes in their order, with keys and signalling.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use super::{
    delivery::DocumentKeys,
    element::{CPIX, DS, ENC, Element, PSKC, SPEKE, Signal},
    events::{Attributes, Event, Events},
    request::{Form, Request},
    signals::{self, ALL_SIGNALS, ReplyOptions, Signals},
};
use crate::{
    encoding::base64,
    keys::{ContentKey, DrmSystem, signal::Playlist},
    secret::SecretText,
};

impl Request<'_> {
    /// Writes the reply with one key for each of [`keys`](Self::keys). Where a key has another id
    /// than the request asked for, its id takes the place of the other everywhere.
    ///
    /// Only encrypted delivery draws from `rng`: without it, equal arguments give equal replies.
    ///
    /// # Panics
    /// When there are more or fewer keys than the request asks for.
    #[must_use]
    pub fn fill(&self, keys: &[ContentKey], options: &ReplyOptions<'_>, rng: &mut impl CryptoRng) -> SecretText {
        assert_eq!(keys.len(), self.keys.len(), "there is one key for each that was asked for");
        // The text must not move while it grows, which would leave keys behind in memory.
        let asked = self.systems.iter().map(|system| {
            let bytes = match system.system {
                DrmSystem::PlayReady => 2304 + 8 * options.licence_url.len(),
                _ => 640 + 6 * self.content_id.len(),
            };
            bytes * if system.signals.is_empty() { ALL_SIGNALS.len() } else { system.signals.len() }
        });
        let capacity = 1024 + self.document.len() + 512 * keys.len() + asked.sum::<usize>() + 4096 * self.recipients.len();
        let document_keys = (!self.recipients.is_empty()).then(|| DocumentKeys::generate(rng));
        let mut writer = Writer { request: self, keys, options, document_keys, text: String::with_capacity(capacity), indices: [0; 4] };
        writer.text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        let mut events = Events::new(self.document);
        let mut next = || events.next().expect("the document was read before");
        let mut system = None;
        while let Some(event) = next() {
            writer.event(event, &mut system, rng);
        }
        SecretText::new(writer.text)
    }
}

/// The `DRMSystem` that is open.
struct OpenSystem {
    signals: Signals,
    /// What it has been given: a second element of the same kind is left out.
    written: Vec<(Signal, Playlist)>,
}

struct Writer<'a> {
    request: &'a Request<'a>,
    keys: &'a [ContentKey],
    options: &'a ReplyOptions<'a>,
    /// The keys of encrypted delivery.
    document_keys: Option<DocumentKeys>,
    text: String,
    /// How many keys, systems, rules and recipients were written.
    indices: [usize; 4],
}

impl Writer<'_> {
    fn event(&mut self, event: Event, open: &mut Option<OpenSystem>, rng: &mut impl CryptoRng) {
        match event {
            Event::Start(Element::Cpix, attributes) => self.root(&attributes),
            Event::Start(Element::ContentKey, attributes) => self.content_key(&attributes, rng),
            Event::Start(Element::DrmSystem, attributes) => *open = Some(self.drm_system(&attributes)),
            Event::Start(Element::Signal(signal), attributes) => {
                if let Some(open) = open {
                    self.signal(signal, &attributes, open);
                }
            }
            Event::Start(Element::X509Certificate, attributes) => {
                self.start(Element::X509Certificate, &attributes, None, &[]);
                let certificate = base64(self.request.recipients[self.indices[3]].certificate());
                self.text.push_str(&certificate);
            }
            Event::End(Element::DeliveryData) => {
                let recipient = self.index(3);
                if let Some(keys) = &self.document_keys {
                    self.text.push_str(&keys.delivery(&self.request.recipients[recipient]));
                }
                self.end(Element::DeliveryData);
            }
            // Values and certificates are written with their start tags.
            Event::End(Element::Signal(_)) | Event::Text(_) => {}
            Event::Start(Element::Rule, attributes) => {
                let rule = self.index(2);
                self.start(Element::Rule, &attributes, self.request.rules[rule].key, &[]);
            }
            Event::Start(element, attributes) => self.start(element, &attributes, None, &[]),
            Event::End(element) => {
                if element == Element::DrmSystem
                    && let Some(mut open) = open.take()
                {
                    self.rest_of_system(&mut open);
                }
                self.end(element);
            }
        }
    }

    /// Counts a key, a system, a rule or a recipient.
    fn index(&mut self, of: usize) -> usize {
        self.indices[of] += 1;
        self.indices[of] - 1
    }

    fn root(&mut self, attributes: &Attributes) {
        self.text.push('<');
        self.text.push_str(Element::Cpix.name());
        for (name, value) in attributes.iter() {
            // SPEKE 2 has `contentId` in the place of `id`.
            if !(self.request.form.is_speke_2() && name == "id") {
                self.attribute(name, value);
            }
        }
        self.attribute("xmlns:cpix", CPIX);
        self.attribute("xmlns:pskc", PSKC);
        if !self.request.form.is_speke_2() {
            self.attribute("xmlns:speke", SPEKE);
        }
        if self.document_keys.is_some() {
            self.attribute("xmlns:ds", DS);
            self.attribute("xmlns:enc", ENC);
        }
        self.text.push('>');
    }

    fn content_key(&mut self, attributes: &Attributes, rng: &mut impl CryptoRng) {
        let index = self.index(0);
        let key = &self.keys[index];
        let iv = self.request.reply_iv(index, key, self.options.always_iv).map(|iv| base64(&iv));
        let added = iv.filter(|_| attributes.get("explicitIV").is_none()).map(|iv| ("explicitIV", iv));
        self.start(Element::ContentKey, attributes, Some(index), added.as_slice());
        self.text.push_str("<cpix:Data><pskc:Secret>");
        if let Some(keys) = &self.document_keys {
            self.text.push_str(&keys.content_key(&key.key, rng));
        } else {
            self.text.push_str("<pskc:PlainValue>");
            self.text.push_str(&Zeroizing::new(base64(key.key.expose())));
            self.text.push_str("</pskc:PlainValue>");
        }
        self.text.push_str("</pskc:Secret></cpix:Data>");
    }

    fn drm_system(&mut self, attributes: &Attributes) -> OpenSystem {
        let index = self.index(1);
        let system = &self.request.systems[index];
        let key = &self.keys[system.key];
        self.start(Element::DrmSystem, attributes, Some(system.key), &[]);
        let iv = self.request.reply_iv(system.key, key, self.options.always_iv);
        let signals = Signals::new(self.request, (&self.request.keys[system.key], key), system.system, iv, self.options);
        OpenSystem { signals, written: Vec::new() }
    }

    fn signal(&mut self, signal: Signal, attributes: &Attributes, open: &mut OpenSystem) {
        let playlist = attributes.get("playlist").and_then(signals::playlist).unwrap_or(Playlist::Media);
        if open.written.contains(&(signal, playlist)) {
            return;
        }
        if let Some(value) = open.signals.value(signal, playlist) {
            open.written.push((signal, playlist));
            self.start(Element::Signal(signal), attributes, None, &[]);
            self.text.push_str(&value);
            self.end(Element::Signal(signal));
        }
    }

    /// Fills a system that asks for nothing, where that asks for everything.
    fn rest_of_system(&mut self, open: &mut OpenSystem) {
        let system = &self.request.systems[self.indices[1] - 1];
        if self.request.form == Form::Vendor && system.signals.is_empty() {
            for (signal, playlist) in ALL_SIGNALS {
                let attributes = playlist.map(|playlist| Attributes::one("playlist", playlist)).unwrap_or_default();
                self.signal(signal, &attributes, open);
            }
        }
    }

    /// Writes a start tag. `key` is the index of the key of `@kid`.
    fn start(&mut self, element: Element, attributes: &Attributes, key: Option<usize>, added: &[(&str, String)]) {
        self.text.push('<');
        self.text.push_str(element.name());
        for (name, value) in attributes.iter() {
            // Another key id than the request's: the key server chose it, or the vendor's client
            // named a key that it does not list.
            let other = key.map(|key| self.keys[key].kid).filter(|kid| name == "kid" && value.parse() != Ok(*kid));
            match other {
                Some(kid) => self.attribute(name, &kid.to_string()),
                None => self.attribute(name, value),
            }
        }
        for (name, value) in added {
            self.attribute(name, value);
        }
        self.text.push('>');
    }

    fn end(&mut self, element: Element) {
        self.text.push_str("</");
        self.text.push_str(element.name());
        self.text.push('>');
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.text.push(' ');
        self.text.push_str(name);
        self.text.push_str("=\"");
        for char in value.chars() {
            match char {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\t' => self.text.push_str("&#9;"),
                '\n' => self.text.push_str("&#10;"),
                '\r' => self.text.push_str("&#13;"),
                char => self.text.push(char),
            }
        }
        self.text.push('"');
    }
}
