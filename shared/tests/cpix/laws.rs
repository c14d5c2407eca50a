//! Laws that hold for every document.

use proptest::prelude::*;
use shared::keys::cpix::{Form, KeyIds, Request};

use super::{AES_128, AES_128_V1, COMMON, FAIRPLAY, PLAYREADY, V1, V2_0, V2_1, WIDEVINE, answer, reply::elements, two_tracks};

const CHILDREN: [&str; 8] = [
    "<c:PSSH/>",
    "<c:ContentProtectionData/>",
    "<c:URIExtXKey/>",
    "<c:HLSSignalingData playlist=\"media\"/>",
    "<c:HLSSignalingData/>",
    "<c:SmoothStreamingProtectionHeaderData/>",
    "<s:KeyFormat xmlns:s=\"urn:aws:amazon:com:speke\"/><s:KeyFormatVersions xmlns:s=\"urn:aws:amazon:com:speke\"/>",
    "<s:ProtectionHeader xmlns:s=\"urn:aws:amazon:com:speke\"/>",
];

fn forms() -> impl Strategy<Value = Form> {
    prop::sample::select(vec![V1, V2_0, V2_1, Form::Vendor])
}

fn documents() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec!["cenc", "cbcs", "cbc1", "cens", "AES-128", ""]);
    let systems = prop::sample::subsequence(vec![WIDEVINE, PLAYREADY, FAIRPLAY, AES_128, AES_128_V1, COMMON], 0..=3);
    let children = prop::sample::subsequence(CHILDREN.to_vec(), 0..=8).prop_shuffle();
    (scheme, systems, children, prop::sample::select(vec!["2.3", "2.4"])).prop_map(|(scheme, systems, children, version)| {
        let document = two_tracks(scheme, &systems).replace("\"2.3\"", &format!("\"{version}\" id=\"x\""));
        document.replace("<c:PSSH/>", &children.concat())
    })
}

proptest! {
    #[test]
    fn no_accepted_request_yields_an_empty_element(document in documents(), form in forms(), derived: bool) {
        let key_ids = if derived { KeyIds::Derived } else { KeyIds::Requested };
        if let Ok(reply) = answer(document.as_bytes(), form, key_ids) {
            for element in elements(&reply) {
                let parent = element.path.rsplit('/').nth(1).unwrap_or_default();
                let is_filled = parent == "cpix:DRMSystem" || element.path.ends_with("/pskc:PlainValue");
                prop_assert!(!is_filled || !element.text.is_empty(), "{} is empty in {reply}", element.path);
                prop_assert!(element.attributes.iter().all(|(_, value)| !value.is_empty()) || document.contains("\"\""));
            }
            let again = answer(document.as_bytes(), form, key_ids);
            prop_assert_eq!(again.ok(), Some(reply));
        }
    }

    #[test]
    fn any_bytes_are_a_request_or_an_error(bytes: Vec<u8>, form in forms()) {
        prop_assert!(Request::parse(&bytes, form).is_err());
    }

    #[test]
    fn any_change_of_a_document_is_a_request_or_an_error(
        document in documents(), form in forms(), at: prop::sample::Index, length in 0_usize..40, text in "[<>/&;\"'=a:! \\-\\[\\]?]{0,6}",
    ) {
        let (start, end) = (at.index(document.len()), at.index(document.len()) + length);
        let changed = [&document.as_bytes()[..start], text.as_bytes(), document.as_bytes().get(end..).unwrap_or_default()].concat();
        if let Ok(reply) = answer(&changed, form, KeyIds::Requested) {
            elements(&reply);
        }
    }
}
