//! The values of the elements that the key server fills.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{
    element::Signal,
    request::{Form, Request, RequestedKey},
};
use crate::{
    encoding::base64,
    keys::{
        ContentKey, DrmSystem, Scheme, playready,
        pssh::PsshBox,
        signal::{KeyTag, Playlist, content_protection, fairplay_uri},
        widevine::PsshData,
    },
};

/// What the operator decides about replies.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReplyOptions<'a> {
    /// The URL of the PlayReady licence server; empty leaves it out.
    pub licence_url: &'a str,
    /// The provider in Widevine's data; empty leaves it out.
    pub provider: &'a str,
    /// The base of the URLs of AES-128 keys, to which `/{content id}/{key id}` is added.
    pub key_url: &'a str,
    /// FairPlay's URI, in which `{content_id}`, `{kid}`, `{kid_base64}` and `{iv_base64}` are
    /// replaced; without it, the form of AWS Elemental MediaPackage or of the vendor.
    pub fairplay_uri: Option<&'a str>,
    /// Whether replies give an IV under CTR too.
    pub always_iv: bool,
    /// Whether Widevine's key tags of HLS have the attribute `KEYID`.
    pub key_id_attribute: bool,
}

/// What RFC 3986 leaves as it is in a path's segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What an empty `DRMSystem` of the vendor's form asks for.
pub(super) const ALL_SIGNALS: [(Signal, Option<&str>); 9] = [
    (Signal::Pssh, None),
    (Signal::ContentProtectionData, None),
    (Signal::UriExtXKey, None),
    (Signal::HlsSignalingData, Some("media")),
    (Signal::HlsSignalingData, Some("master")),
    (Signal::SmoothStreamingProtectionHeaderData, None),
    (Signal::KeyFormat, None),
    (Signal::KeyFormatVersions, None),
    (Signal::ProtectionHeader, None),
];

/// The playlist that a value of `HLSSignalingData@playlist` names.
pub(super) fn playlist(value: &str) -> Option<Playlist> {
    match value {
        "media" => Some(Playlist::Media),
        "master" | "multiVariant" => Some(Playlist::Master),
        _ => None,
    }
}

/// One key's signalling for one DRM system.
#[derive(Debug)]
pub(super) struct Signals {
    form: Form,
    /// The data of the `pssh` box.
    data: Vec<u8>,
    pssh: Option<Vec<u8>>,
    /// The PlayReady object.
    object: Option<Vec<u8>>,
    tag: Option<KeyTag>,
    uri: Option<String>,
    key_format: Option<&'static str>,
}

impl Signals {
    /// Writes everything that the system has. `iv` is the IV that the reply gives.
    pub(super) fn new(
        request: &Request<'_>,
        (requested, key): (&RequestedKey, &ContentKey),
        system: DrmSystem,
        iv: Option<[u8; 16]>,
        options: &ReplyOptions<'_>,
    ) -> Self {
        let scheme = requested.scheme.unwrap_or_else(|| default_scheme(system));
        let mut signals = Self { form: request.form, data: Vec::new(), pssh: None, object: None, tag: None, uri: None, key_format: None };
        let pssh = |kids, data: &[u8]| Some(PsshBox { system_id: system.id(), kids, data: data.to_vec() }.to_bytes());
        // The vendor's form alone repeats the period in boxes.
        let period_index = request.period_index(requested).filter(|_| request.form == Form::Vendor);
        match system {
            DrmSystem::Widevine => {
                signals.data = widevine_data(request, (requested, key), period_index, scheme, options);
                let bytes = pssh(None, &signals.data);
                signals.tag = bytes.as_deref().map(|bytes| {
                    let tag = KeyTag::widevine(scheme, bytes);
                    if options.key_id_attribute { tag.with_key_id(key.kid) } else { tag }
                });
                signals.pssh = bytes;
            }
            DrmSystem::PlayReady => {
                let object = playready::Header { key, scheme, licence_url: options.licence_url, period_index }.to_object();
                signals.pssh = pssh(None, &object);
                signals.tag = Some(KeyTag::playready(scheme, &object));
                signals.data.clone_from(&object);
                signals.object = Some(object);
            }
            DrmSystem::FairPlay => {
                let uri = fairplay(request, key, iv.unwrap_or(key.iv), period_index, options);
                signals.tag = Some(KeyTag::fairplay(&uri));
                signals.uri = Some(uri);
                signals.key_format = Some("com.apple.streamingkeydelivery");
            }
            DrmSystem::Aes128 | DrmSystem::ClearKeyAes128 => {
                let content_id = utf8_percent_encode(&request.content_id, SEGMENT);
                let url = format!("{}/{content_id}/{}", options.key_url, key.kid);
                signals.tag = Some(KeyTag::aes_128(&url, iv));
                signals.uri = Some(url);
                signals.key_format = Some("identity");
            }
            DrmSystem::Common => signals.pssh = pssh(Some(vec![key.kid]), &[]),
        }
        signals
    }

    /// The text of an element; `None` for one that means nothing to the system.
    pub(super) fn value(&self, signal: Signal, playlist: Playlist) -> Option<String> {
        if self.form.is_speke_2() && signal.is_v1_only() {
            return None;
        }
        let bytes = match signal {
            Signal::Pssh => self.pssh.clone()?,
            Signal::ContentProtectionData if self.form == Form::Vendor => self.bare_payload()?,
            Signal::ContentProtectionData => content_protection(self.pssh.as_ref()?, self.object.as_deref()).into_bytes(),
            Signal::HlsSignalingData => self.tag.as_ref()?.line(playlist).into_bytes(),
            Signal::SmoothStreamingProtectionHeaderData | Signal::ProtectionHeader => self.object.clone()?,
            Signal::UriExtXKey => self.uri.clone()?.into_bytes(),
            Signal::KeyFormat => self.key_format?.into(),
            Signal::KeyFormatVersions => self.key_format.map(|_| b"1".to_vec())?,
        };
        Some(base64(&bytes))
    }

    /// The data of the box; a common box has none.
    fn bare_payload(&self) -> Option<Vec<u8>> {
        (!self.data.is_empty()).then(|| self.data.clone())
    }
}

/// The scheme of a system in documents that name none.
const fn default_scheme(system: DrmSystem) -> Scheme {
    match system {
        DrmSystem::FairPlay => Scheme::Cbcs,
        DrmSystem::Aes128 | DrmSystem::ClearKeyAes128 => Scheme::Cbc1,
        DrmSystem::Widevine | DrmSystem::PlayReady | DrmSystem::Common => Scheme::Cenc,
    }
}

fn widevine_data(
    request: &Request<'_>,
    (requested, key): (&RequestedKey, &ContentKey),
    period_index: Option<u32>,
    scheme: Scheme,
    options: &ReplyOptions<'_>,
) -> Vec<u8> {
    // The vendor's form has older fields in the place of a scheme that nothing names.
    let is_old = request.form == Form::Vendor && requested.scheme.is_none();
    let content_id = period_index.map_or_else(|| request.content_id.clone(), |index| in_period(&request.content_id, index));
    let data = PsshData {
        algorithm: is_old,
        kids: &[key.kid],
        provider: options.provider,
        content_id: content_id.as_bytes(),
        track_type: if is_old { &requested.track } else { "" },
        crypto_period_index: period_index,
        scheme: (!is_old).then_some(scheme),
    };
    data.to_bytes()
}

fn fairplay(request: &Request<'_>, key: &ContentKey, iv: [u8; 16], period_index: Option<u32>, options: &ReplyOptions<'_>) -> String {
    let content_id = || utf8_percent_encode(&request.content_id, SEGMENT).to_string();
    match (options.fairplay_uri, request.form, period_index) {
        (Some(template), ..) => template
            .replace("{content_id}", &content_id())
            .replace("{kid}", &key.kid.to_string())
            .replace("{kid_base64}", &base64(key.kid.as_bytes()))
            .replace("{iv_base64}", &base64(&iv)),
        (None, Form::Speke(_), _) => fairplay_uri(&request.content_id, key.kid, &iv),
        (None, Form::Vendor, Some(index)) => format!("skd://{}", in_period(&content_id(), index)),
        (None, Form::Vendor, None) => format!("skd://{}", base64(key.kid.as_bytes())),
    }
}

/// A content's id in a crypto period, as the vendor writes it.
fn in_period(content_id: &str, index: u32) -> String {
    format!("{content_id}{index:016x}")
}
