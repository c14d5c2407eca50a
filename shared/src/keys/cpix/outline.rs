//! What a document contains, in its order and unchecked.

use super::{
    element::{Element, Signal},
    error::Error,
    events::{Attributes, Event, Events},
};

/// A document, flat.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// The attributes of `CPIX`.
    pub(super) root: Attributes,
    /// How often each list is there: `ContentKeyList`, `DRMSystemList`, `ContentKeyPeriodList`,
    /// `ContentKeyUsageRuleList`, `DeliveryDataList`.
    pub(super) lists: [usize; 5],
    /// The text of the certificate of each `DeliveryData`.
    pub(super) certificates: Vec<String>,
    /// The attributes of each `ContentKey`.
    pub(super) keys: Vec<Attributes>,
    /// Each `DRMSystem`.
    pub(super) systems: Vec<OutlineSystem>,
    /// The attributes of each `ContentKeyPeriod`.
    pub(super) periods: Vec<Attributes>,
    /// Each `ContentKeyUsageRule`.
    pub(super) rules: Vec<OutlineRule>,
}

/// A `DRMSystem` and what it asks for.
#[derive(Debug)]
pub(super) struct OutlineSystem {
    pub(super) attributes: Attributes,
    pub(super) signals: Vec<Signal>,
    /// The first value of `HLSSignalingData@playlist` that is not allowed was seen.
    pub(super) has_invalid_playlist: bool,
}

/// A `ContentKeyUsageRule` and its filters.
#[derive(Debug)]
pub(super) struct OutlineRule {
    pub(super) attributes: Attributes,
    /// `KeyPeriodFilter@periodId` of each.
    pub(super) periods: Vec<Option<String>>,
    /// How many video filters there are, and how many of them have no attribute.
    pub(super) video: [usize; 2],
    /// The same of audio filters.
    pub(super) audio: [usize; 2],
}

impl Outline {
    /// The index of a list in [`lists`](Self::lists).
    pub(super) const CONTENT_KEYS: usize = 0;
    pub(super) const DRM_SYSTEMS: usize = 1;
    pub(super) const PERIODS: usize = 2;
    pub(super) const RULES: usize = 3;
    pub(super) const DELIVERY: usize = 4;

    /// Reads a whole document.
    pub(super) fn read(document: &str) -> Result<Self, Error> {
        let mut outline = Self::default();
        let mut events = Events::new(document);
        while let Some(event) = events.next()? {
            match event {
                Event::Start(element, attributes) => outline.add(element, attributes),
                Event::Text(text) => outline.certificates.last_mut().map_or((), |certificate| *certificate += &text),
                Event::End(_) => {}
            }
        }
        Ok(outline)
    }

    fn add(&mut self, element: Element, attributes: Attributes) {
        let count = |[all, bare]: &mut [usize; 2]| {
            *all += 1;
            *bare += usize::from(attributes.is_empty());
        };
        match element {
            Element::Cpix => self.root = attributes,
            Element::ContentKeyList => self.lists[Self::CONTENT_KEYS] += 1,
            Element::DrmSystemList => self.lists[Self::DRM_SYSTEMS] += 1,
            Element::PeriodList => self.lists[Self::PERIODS] += 1,
            Element::RuleList => self.lists[Self::RULES] += 1,
            Element::DeliveryDataList => self.lists[Self::DELIVERY] += 1,
            Element::DeliveryData => self.certificates.push(String::new()),
            Element::ContentKey => self.keys.push(attributes),
            Element::DrmSystem => {
                self.systems.push(OutlineSystem { attributes, signals: Vec::new(), has_invalid_playlist: false });
            }
            Element::Signal(signal) => {
                if let Some(system) = self.systems.last_mut() {
                    let playlist = attributes.get("playlist").filter(|_| signal == Signal::HlsSignalingData);
                    system.has_invalid_playlist |= playlist.is_some_and(|playlist| super::signals::playlist(playlist).is_none());
                    system.signals.push(signal);
                }
            }
            Element::Period => self.periods.push(attributes),
            Element::Rule => {
                self.rules.push(OutlineRule { attributes, periods: Vec::new(), video: [0; 2], audio: [0; 2] });
            }
            Element::KeyPeriodFilter => {
                if let Some(rule) = self.rules.last_mut() {
                    rule.periods.push(attributes.get("periodId").map(str::to_owned));
                }
            }
            Element::VideoFilter => self.rules.last_mut().map_or((), |rule| count(&mut rule.video)),
            Element::AudioFilter => self.rules.last_mut().map_or((), |rule| count(&mut rule.audio)),
            Element::DeliveryKey | Element::X509Data | Element::X509Certificate | Element::BitrateFilter | Element::LabelFilter => {}
        }
    }
}
