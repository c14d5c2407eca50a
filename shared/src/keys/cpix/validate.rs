//! The checks of a request, in the order of SPEKE's error table.

use std::collections::{HashMap, HashSet};

use super::{
    delivery::Recipient,
    error::Error,
    events::{self, Attributes},
    outline::{Outline, OutlineRule},
    request::{Form, Period, Request, RequestedKey, RequestedSystem, Rule},
    speke::SpekeVersion,
};
use crate::{
    encoding::from_base64,
    keys::{DrmSystem, KeyId, Scheme},
};

/// The most keys that a document may ask for.
const MAX_KEYS: usize = 64;
/// The most systems: every key in every system.
const MAX_SYSTEMS: usize = MAX_KEYS * DrmSystem::ALL.len();
/// The most recipients of encrypted keys.
const MAX_RECIPIENTS: usize = 8;
/// The track of a key without a rule or with one for all tracks.
const DEFAULT_TRACK: &str = "HD";
/// The track type of a key for all tracks.
const ALL_TRACKS: &str = "ALL";
/// HLS's name for [`Scheme::Cbc1`] over whole segments, which SPEKE 2.1 takes.
const AES_128: &str = "AES-128";

/// Where each key is, by its id.
type KeyIndex = HashMap<KeyId, usize>;

impl<'a> Request<'a> {
    /// Reads and checks a document.
    pub fn parse(body: &'a [u8], form: Form) -> Result<Self, Error> {
        let document = events::document(body)?;
        let outline = Outline::read(document)?;
        let content_id = content_id(&outline.root, form)?;
        check_version(&outline.root, form)?;
        check_lists(&outline, form)?;
        let (mut keys, index) = keys(&outline)?;
        let kids = system_kids(&outline)?;
        check_rule_attributes(&outline, form)?;
        let unlisted = (form == Form::Vendor).then_some(0);
        if !form.is_speke_2() && unlisted.is_none() && kids.iter().any(|(kid, _)| !index.contains_key(kid)) {
            return Err(Error::Invalid("DRMSystem@kid"));
        }
        schemes(&mut keys, &outline, form)?;
        let systems = systems(&outline, &kids, form, keys[0].scheme)?;
        if form.is_speke_2() {
            check_contract(&outline, &index, kids.iter().map(|(kid, _)| kid))?;
        }
        let recipients = outline.certificates.iter().map(|text| Recipient::parse(text)).collect::<Result<_, _>>()?;
        let periods: Vec<Period> = outline.periods.iter().map(period).collect();
        let rules: Vec<Rule> = outline.rules.iter().map(|outline| rule(outline, &index)).collect();
        assign_rules(&mut keys, &outline.rules, &rules, &periods, form);
        let of_key = |kid: &KeyId| index.get(kid).copied().or(unlisted);
        let systems = outline
            .systems
            .into_iter()
            .zip(kids)
            .zip(systems)
            .filter_map(|((outline, (kid, _)), system)| Some(RequestedSystem { key: of_key(&kid)?, system, signals: outline.signals }));
        let systems = systems.collect();
        Ok(Self { document, form, content_id, recipients, keys, systems, periods, rules })
    }
}

fn content_id(root: &Attributes, form: Form) -> Result<String, Error> {
    let (name, missing) = if form.is_speke_2() { ("contentId", "CPIX@contentId") } else { ("id", "CPIX@id") };
    root.get(name).filter(|id| !id.is_empty()).map(str::to_owned).ok_or(Error::Missing(missing))
}

fn check_version(root: &Attributes, form: Form) -> Result<(), Error> {
    let Form::Speke(version) = form else { return Ok(()) };
    let Some(expected) = version.cpix_version() else { return Ok(()) };
    match root.get("version") {
        None => Err(Error::Missing("CPIX@version")),
        Some(version) if version == expected => Ok(()),
        Some(_) => Err(Error::UnsupportedCpixVersion),
    }
}

fn check_lists(outline: &Outline, form: Form) -> Result<(), Error> {
    let has_rules = !form.is_speke_2() || outline.lists[Outline::RULES] > 0;
    let has_delivery = outline.lists[Outline::DELIVERY] > 0;
    let present = [
        (!has_delivery || !outline.certificates.is_empty(), "DeliveryData"),
        (outline.lists[Outline::CONTENT_KEYS] > 0, "ContentKeyList"),
        (!outline.keys.is_empty(), "ContentKey"),
        (outline.lists[Outline::DRM_SYSTEMS] > 0, "DRMSystemList"),
        (!outline.systems.is_empty(), "DRMSystem"),
        (has_rules, "ContentKeyUsageRuleList"),
        (!form.is_speke_2() || !outline.rules.is_empty(), "ContentKeyUsageRule"),
    ];
    if let Some((_, name)) = present.iter().find(|(is_present, _)| !is_present) {
        return Err(Error::Missing(name));
    }
    let bounded = [
        (outline.lists[Outline::DELIVERY] <= 1 && outline.certificates.len() <= MAX_RECIPIENTS, "DeliveryDataList"),
        (outline.lists[Outline::CONTENT_KEYS] == 1 && outline.keys.len() <= MAX_KEYS, "ContentKeyList"),
        (outline.lists[Outline::DRM_SYSTEMS] == 1 && outline.systems.len() <= MAX_SYSTEMS, "DRMSystemList"),
        (outline.lists[Outline::PERIODS] <= 1, "ContentKeyPeriodList"),
        (outline.lists[Outline::RULES] <= 1, "ContentKeyUsageRuleList"),
    ];
    bounded.iter().find(|(is_bounded, _)| !is_bounded).map_or(Ok(()), |(_, name)| Err(Error::Invalid(name)))
}

/// Parses the attribute `name`, which the errors call `path`.
fn uuid(attributes: &Attributes, name: &str, path: &'static str) -> Result<KeyId, Error> {
    attributes.get(name).ok_or(Error::Missing(path))?.parse().map_err(|_| Error::Invalid(path))
}

/// The keys, without schemes and rules.
fn keys(outline: &Outline) -> Result<(Vec<RequestedKey>, KeyIndex), Error> {
    let (mut keys, mut index) = (Vec::new(), KeyIndex::new());
    for attributes in &outline.keys {
        let kid = uuid(attributes, "kid", "ContentKey@kid")?;
        if index.insert(kid, keys.len()).is_some() {
            return Err(Error::Invalid("ContentKey@kid"));
        }
        let iv = |text: &str| from_base64(text)?.try_into().ok();
        let explicit_iv = attributes.get("explicitIV").map(|text| iv(text).ok_or(Error::Invalid("ContentKey@explicitIV"))).transpose()?;
        keys.push(RequestedKey { kid, scheme: None, explicit_iv, track: DEFAULT_TRACK.into(), period: None });
    }
    Ok((keys, index))
}

/// Key id and system id of each system.
fn system_kids(outline: &Outline) -> Result<Vec<(KeyId, KeyId)>, Error> {
    let ids = outline.systems.iter().map(|system| {
        let kid = uuid(&system.attributes, "kid", "DRMSystem@kid")?;
        let id = uuid(&system.attributes, "systemId", "DRMSystem@systemId")?;
        if system.has_invalid_playlist { Err(Error::Invalid("HLSSignalingData@playlist")) } else { Ok((kid, id)) }
    });
    ids.collect()
}

fn check_rule_attributes(outline: &Outline, form: Form) -> Result<(), Error> {
    for rule in outline.rules.iter().filter(|_| form.is_speke_2()) {
        uuid(&rule.attributes, "kid", "ContentKeyUsageRule@kid")?;
        if rule.attributes.get("intendedTrackType").is_none_or(str::is_empty) {
            return Err(Error::Missing("ContentKeyUsageRule@intendedTrackType"));
        }
    }
    Ok(())
}

/// Parses the scheme of each key; those of one document are equal in SPEKE 2.
fn schemes(keys: &mut [RequestedKey], outline: &Outline, form: Form) -> Result<(), Error> {
    for (key, attributes) in keys.iter_mut().zip(&outline.keys) {
        let text = attributes.get("commonEncryptionScheme");
        let scheme = text.and_then(|text| scheme(text, form));
        if form.is_speke_2() && scheme.is_none() {
            let kid = attributes.get("kid").unwrap_or_default().to_owned();
            return Err(if text.is_none() { Error::MissingScheme(kid) } else { Error::InvalidScheme(kid) });
        }
        key.scheme = scheme;
    }
    let is_mixed = keys.iter().any(|key| key.scheme != keys[0].scheme);
    if form.is_speke_2() && is_mixed { Err(Error::MixedSchemes) } else { Ok(()) }
}

/// SPEKE 2.1 takes the method names of HLS too.
fn scheme(text: &str, form: Form) -> Option<Scheme> {
    match text {
        AES_128 if form == Form::Speke(SpekeVersion::V2_1) => Some(Scheme::Cbc1),
        "SAMPLE-AES" if form == Form::Speke(SpekeVersion::V2_1) => Some(Scheme::Cbcs),
        "SAMPLE-AES-CTR" if form == Form::Speke(SpekeVersion::V2_1) => Some(Scheme::Cenc),
        text => text.parse().ok(),
    }
}

fn systems(outline: &Outline, ids: &[(KeyId, KeyId)], form: Form, scheme: Option<Scheme>) -> Result<Vec<DrmSystem>, Error> {
    let spelled = |index: usize| outline.systems[index].attributes.get("systemId").unwrap_or_default().to_owned();
    // `AES-128` is no scheme of Common Encryption.
    let is_aes_128 = outline.keys.iter().any(|key| key.get("commonEncryptionScheme") == Some(AES_128));
    let supports = |system: DrmSystem, scheme| {
        let takes_name = !is_aes_128 || matches!(system, DrmSystem::Aes128 | DrmSystem::ClearKeyAes128);
        takes_name && system.supports(scheme)
    };
    let systems: Vec<_> = ids.iter().map(|(_, id)| DrmSystem::from_id(*id).ok()).collect();
    if let Some(scheme) = scheme.filter(|_| form.is_speke_2())
        && let Some(index) = systems.iter().position(|system| system.is_some_and(|system| !supports(system, scheme)))
    {
        return Err(Error::IncompatibleScheme(spelled(index)));
    }
    let systems = systems.into_iter().enumerate();
    systems.map(|(index, system)| system.ok_or_else(|| Error::UnsupportedSystem(spelled(index)))).collect()
}

/// Checks the encryption contract of SPEKE 2: which key is for which tracks and periods. The
/// number of filters of a rule is not compared with its track type: AWS's own suite sends fewer.
fn check_contract<'a>(outline: &Outline, index: &KeyIndex, mut systems: impl Iterator<Item = &'a KeyId>) -> Result<(), Error> {
    if outline.rules.iter().all(|rule| rule.video[0] + rule.audio[0] == 0) {
        return Err(Error::MissingContract);
    }
    let periods: HashSet<_> = outline.periods.iter().filter_map(|period| period.get("id")).collect();
    let (mut track_types, mut ruled) = (HashSet::new(), HashSet::new());
    for rule in &outline.rules {
        let track_type = rule.attributes.get("intendedTrackType").unwrap_or_default();
        let mut parts = track_type.split('+');
        let is_of_all = parts.clone().any(|part| part == ALL_TRACKS);
        let has_both_bare = rule.video == [1, 1] && rule.audio == [1, 1];
        let kid: Option<KeyId> = rule.attributes.get("kid").and_then(|kid| kid.parse().ok());
        let is_sound = track_types.insert(track_type)
            && rule.video[0] + rule.audio[0] > 0
            && parts.all(|part| !part.is_empty())
            && (!is_of_all || outline.rules.len() == 1 && track_type == ALL_TRACKS && has_both_bare)
            && kid.is_some_and(|kid| index.contains_key(&kid))
            && rule.periods.iter().all(|period| period.as_deref().is_some_and(|period| periods.contains(period)));
        if !is_sound {
            return Err(Error::MalformedContract);
        }
        ruled.extend(kid);
    }
    let is_whole = ruled.len() == index.len() && systems.all(|kid| index.contains_key(kid));
    if is_whole { Ok(()) } else { Err(Error::MalformedContract) }
}

fn period(attributes: &Attributes) -> Period {
    let name = ["index", "start", "startOffset"].into_iter().find_map(|name| attributes.get(name));
    Period {
        id: attributes.get("id").unwrap_or_default().to_owned(),
        index: attributes.get("index").and_then(|index| index.parse().ok()),
        name: name.unwrap_or_default().to_owned(),
    }
}

fn rule(outline: &OutlineRule, index: &KeyIndex) -> Rule {
    let kid = outline.attributes.get("kid").and_then(|kid| kid.parse().ok());
    Rule {
        key: kid.and_then(|kid: KeyId| index.get(&kid).copied()),
        track_type: outline.attributes.get("intendedTrackType").map(str::to_owned),
    }
}

/// Gives each key the track and the period of its first rule.
fn assign_rules(keys: &mut [RequestedKey], outlines: &[OutlineRule], rules: &[Rule], periods: &[Period], form: Form) {
    let by_id: HashMap<&str, usize> = periods.iter().enumerate().map(|(index, period)| (period.id.as_str(), index)).collect();
    for (outline, rule) in outlines.iter().zip(rules).rev() {
        let Some(key) = rule.key.and_then(|key| keys.get_mut(key)) else { continue };
        let is_v1 = form == Form::Speke(SpekeVersion::V1);
        let track = rule.track_type.as_deref().filter(|track| !is_v1 && *track != ALL_TRACKS);
        track.unwrap_or(DEFAULT_TRACK).clone_into(&mut key.track);
        key.period = outline.periods.iter().flatten().find_map(|id| by_id.get(id.as_str()).copied());
    }
}
