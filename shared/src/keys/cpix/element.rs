//! The elements of CPIX that the key server knows.

/// The namespace of CPIX.
pub(super) const CPIX: &str = "urn:dashif:org:cpix";
/// The namespace of PSKC (RFC 6030).
pub(super) const PSKC: &str = "urn:ietf:params:xml:ns:keyprov:pskc";
/// The namespace of XML Signature.
pub(super) const DS: &str = "http://www.w3.org/2000/09/xmldsig#";
/// The namespace of XML Encryption.
pub(super) const ENC: &str = "http://www.w3.org/2001/04/xmlenc#";
/// The namespace of SPEKE 1.0.
pub(super) const SPEKE: &str = "urn:aws:amazon:com:speke";

/// A child of `DRMSystem` that the key server fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// `cpix:PSSH`.
    Pssh,
    /// `cpix:ContentProtectionData`.
    ContentProtectionData,
    /// `cpix:URIExtXKey`.
    UriExtXKey,
    /// `cpix:HLSSignalingData`.
    HlsSignalingData,
    /// `cpix:SmoothStreamingProtectionHeaderData`.
    SmoothStreamingProtectionHeaderData,
    /// `speke:KeyFormat`.
    KeyFormat,
    /// `speke:KeyFormatVersions`.
    KeyFormatVersions,
    /// `speke:ProtectionHeader`.
    ProtectionHeader,
}

impl Signal {
    /// Whether replies of SPEKE 2 leave the element out.
    #[must_use]
    pub const fn is_v1_only(self) -> bool {
        matches!(self, Self::UriExtXKey | Self::KeyFormat | Self::KeyFormatVersions | Self::ProtectionHeader)
    }
}

/// An element, by its place in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Cpix,
    DeliveryDataList,
    DeliveryData,
    DeliveryKey,
    X509Data,
    X509Certificate,
    ContentKeyList,
    ContentKey,
    DrmSystemList,
    DrmSystem,
    Signal(Signal),
    PeriodList,
    Period,
    RuleList,
    Rule,
    KeyPeriodFilter,
    VideoFilter,
    AudioFilter,
    BitrateFilter,
    LabelFilter,
}

/// The name of each element, with the prefix that replies have, below its parent's row.
const ELEMENTS: [(Option<Element>, &str, Element); 28] = {
    use Element as E;
    use Signal as S;
    [
        (None, "cpix:CPIX", E::Cpix),
        (Some(E::Cpix), "cpix:DeliveryDataList", E::DeliveryDataList),
        (Some(E::DeliveryDataList), "cpix:DeliveryData", E::DeliveryData),
        (Some(E::DeliveryData), "cpix:DeliveryKey", E::DeliveryKey),
        (Some(E::DeliveryKey), "ds:X509Data", E::X509Data),
        (Some(E::DeliveryKey), "ds:X509Certificate", E::X509Certificate),
        (Some(E::X509Data), "ds:X509Certificate", E::X509Certificate),
        (Some(E::Cpix), "cpix:ContentKeyList", E::ContentKeyList),
        (Some(E::ContentKeyList), "cpix:ContentKey", E::ContentKey),
        (Some(E::Cpix), "cpix:DRMSystemList", E::DrmSystemList),
        (Some(E::DrmSystemList), "cpix:DRMSystem", E::DrmSystem),
        (Some(E::DrmSystem), "cpix:PSSH", E::Signal(S::Pssh)),
        (Some(E::DrmSystem), "cpix:ContentProtectionData", E::Signal(S::ContentProtectionData)),
        (Some(E::DrmSystem), "cpix:URIExtXKey", E::Signal(S::UriExtXKey)),
        (Some(E::DrmSystem), "cpix:HLSSignalingData", E::Signal(S::HlsSignalingData)),
        (Some(E::DrmSystem), "cpix:SmoothStreamingProtectionHeaderData", E::Signal(S::SmoothStreamingProtectionHeaderData)),
        (Some(E::DrmSystem), "speke:KeyFormat", E::Signal(S::KeyFormat)),
        (Some(E::DrmSystem), "speke:KeyFormatVersions", E::Signal(S::KeyFormatVersions)),
        (Some(E::DrmSystem), "speke:ProtectionHeader", E::Signal(S::ProtectionHeader)),
        (Some(E::Cpix), "cpix:ContentKeyPeriodList", E::PeriodList),
        (Some(E::PeriodList), "cpix:ContentKeyPeriod", E::Period),
        (Some(E::Cpix), "cpix:ContentKeyUsageRuleList", E::RuleList),
        (Some(E::RuleList), "cpix:ContentKeyUsageRule", E::Rule),
        (Some(E::Rule), "cpix:KeyPeriodFilter", E::KeyPeriodFilter),
        (Some(E::Rule), "cpix:VideoFilter", E::VideoFilter),
        (Some(E::Rule), "cpix:AudioFilter", E::AudioFilter),
        (Some(E::Rule), "cpix:BitrateFilter", E::BitrateFilter),
        (Some(E::Rule), "cpix:LabelFilter", E::LabelFilter),
    ]
};

impl Element {
    /// The element of a name in a parent. The root element has none.
    pub(super) fn find(parent: Option<Self>, namespace: &[u8], local: &[u8]) -> Option<Self> {
        let prefix = [("cpix:", CPIX), ("speke:", SPEKE), ("ds:", DS)].into_iter().find(|(_, known)| known.as_bytes() == namespace)?.0;
        ELEMENTS
            .iter()
            .find(|(of, name, _)| *of == parent && name.strip_prefix(prefix).is_some_and(|name| name.as_bytes() == local))
            .map(|(.., element)| *element)
    }

    /// The name with the prefix that replies have.
    pub(super) fn name(self) -> &'static str {
        ELEMENTS.iter().find(|(.., element)| *element == self).expect("every element has a row").1
    }
}
