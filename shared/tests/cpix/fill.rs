//! What replies contain.

use shared::{
    crypto::system_rng,
    encoding::{base64, from_base64, hex},
    keys::cpix::{Form, KeyIds, ReplyOptions, Request},
};

use super::{
    AES_128, AES_128_V1, AUDIO, COMMON, FAIRPLAY, OPTIONS, PLAYREADY, V1, V2_0, V2_1, VIDEO, WIDEVINE, answer, derivation, filled,
    reply::{children, derived, elements, playready_object, uuid, verify, widevine},
    two_tracks,
};

const TRACKS: [(&str, &str); 2] = [(VIDEO, "HD"), (AUDIO, "AUDIO")];

#[test]
fn keys_and_boxes_are_those_of_each_track() {
    for scheme in ["cenc", "cbcs"] {
        let document = two_tracks(scheme, &[WIDEVINE, PLAYREADY]);
        let reply = filled(&document, V2_0);
        assert_eq!(verify(&reply, scheme, &TRACKS), Ok(()));
        assert_eq!(filled(&document, V2_0), reply, "the same request has the same reply");
        let later = document.replace("2.3", "2.4");
        assert_eq!(filled(&later, V2_1), reply.replace("\"2.3\"", "\"2.4\""), "versions share keys");
    }
}

#[test]
fn a_wrong_reply_is_noticed() {
    let reply = filled(&two_tracks("cenc", &[WIDEVINE, PLAYREADY]), V2_0);
    let key = |kid| derived("key", "abc123", &uuid(kid));
    let swapped = |bytes: &[u8], at: usize, length: usize| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + length].reverse();
        base64(&bytes)
    };
    let pssh = widevine(VIDEO, "cenc");
    let object = playready_object(VIDEO, &key(VIDEO), "cenc");
    let boxed = super::reply::playready(&object);
    let checksum = |object: &[u8]| {
        let text: Vec<u16> = object[10..].chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
        10 + 2 * (String::from_utf16(&text).unwrap().find("<CHECKSUM>").unwrap() + 10)
    };
    for (what, wrong) in [
        ("identical keys", reply.replace(&base64(&key(AUDIO)), &base64(&key(VIDEO)))),
        ("byte order of the key id", reply.replace(&base64(&pssh), &swapped(&pssh, 34, 4))),
        ("size of the box", reply.replace(&base64(&pssh), &swapped(&pssh, 0, 4))),
        ("checksum", reply.replace(&base64(&boxed), &swapped(&boxed, 32 + checksum(&object), 4))),
        ("a missing track", {
            let at = reply.rfind("<cpix:ContentKeyUsageRule ").unwrap();
            let end = at + reply[at..].find("</cpix:ContentKeyUsageRule>").unwrap() + "</cpix:ContentKeyUsageRule>".len();
            [&reply[..at], &reply[end..]].concat()
        }),
        ("keys of the other track", reply.replace(VIDEO, "x").replace(AUDIO, VIDEO).replace('x', AUDIO)),
    ] {
        assert_ne!(wrong, reply, "{what}");
        assert!(std::panic::catch_unwind(|| verify(&wrong, "cenc", &TRACKS)).is_ok_and(|verified| verified.is_err()), "{what}");
    }
}

#[test]
fn tags_of_hls_carry_the_box_or_the_key() {
    let line = |document: &str, system: &str| {
        let reply = elements(&filled(document, V2_0));
        let children = children(&reply, VIDEO, system);
        let line = |playlist: &str| {
            let child = children.iter().find(|(name, of, _)| name == "cpix:HLSSignalingData" && of.as_deref() == Some(playlist));
            String::from_utf8(child.expect("a tag").2.clone()).unwrap()
        };
        let (media, master) = (line("media"), line("master"));
        let attributes = media.strip_prefix("#EXT-X-KEY:").unwrap().to_owned();
        assert_eq!(master.strip_prefix("#EXT-X-SESSION-KEY:"), Some(attributes.as_str()));
        attributes
    };
    let cbcs = two_tracks("cbcs", &[WIDEVINE, PLAYREADY, FAIRPLAY]);
    let object = playready_object(VIDEO, &derived("key", "abc123", &uuid(VIDEO)), "cbcs");
    let iv = derived("iv", "abc123", &uuid(VIDEO));
    assert_eq!(
        line(&cbcs, WIDEVINE),
        format!(
            "METHOD=SAMPLE-AES,URI=\"data:text/plain;base64,{}\",KEYFORMAT=\"urn:uuid:{WIDEVINE}\",KEYFORMATVERSIONS=\"1\"",
            base64(&widevine(VIDEO, "cbcs"))
        )
    );
    let uri = format!("data:text/plain;charset=UTF-16;base64,{}", base64(&object));
    assert_eq!(
        line(&cbcs, PLAYREADY),
        format!("METHOD=SAMPLE-AES,KEYFORMAT=\"com.microsoft.playready\",KEYFORMATVERSIONS=\"1\",URI=\"{uri}\"")
    );
    let json = format!("{{\"ContentId\":\"abc123\",\"KeyId\":\"{VIDEO}\",\"IV\":\"{}\"}}", base64(&iv));
    let uri = format!("skd://{}", base64(json.as_bytes()));
    assert_eq!(
        line(&cbcs, FAIRPLAY),
        format!("METHOD=SAMPLE-AES,URI=\"{uri}\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1\"")
    );
    let uri = format!("https://keys.test/client/abc123/{VIDEO}");
    assert_eq!(
        line(&two_tracks("cbc1", &[AES_128]), AES_128),
        format!("METHOD=AES-128,URI=\"{uri}\",IV=0x{},KEYFORMAT=\"identity\",KEYFORMATVERSIONS=\"1\"", hex(&iv))
    );
}

#[test]
fn children_without_meaning_are_removed() {
    let document = two_tracks("cbcs", &[FAIRPLAY, PLAYREADY, COMMON]);
    let reply = elements(&filled(&document, V2_0));
    let names = |system| children(&reply, AUDIO, system).into_iter().map(|(name, ..)| name).collect::<Vec<_>>();
    assert_eq!(names(FAIRPLAY), ["cpix:HLSSignalingData"; 2]);
    let all = ["cpix:PSSH", "cpix:ContentProtectionData", "cpix:HLSSignalingData", "cpix:HLSSignalingData"];
    assert_eq!(names(PLAYREADY), [&all[..], &["cpix:SmoothStreamingProtectionHeaderData"]].concat());
    assert_eq!(names(COMMON), all[..2]);
    let pssh = &children(&reply, AUDIO, COMMON)[0].2;
    let kid = AUDIO.to_lowercase().replace('-', "");
    assert_eq!(hex(pssh), format!("00000034{}01000000{}00000001{kid}00000000", hex(b"pssh"), COMMON.replace('-', "")));
}

#[test]
fn a_reply_of_speke_1_has_its_own_elements() {
    let system = |id| {
        format!(
            "<DRMSystem kid=\"{VIDEO}\" systemId=\"{id}\"><PSSH/><s:ProtectionHeader/><URIExtXKey/><s:KeyFormat/><s:KeyFormatVersions/></DRMSystem>"
        )
    };
    let document = format!(
        "<CPIX id=\"a &quot;b/c\" xmlns=\"urn:dashif:org:cpix\" xmlns:s=\"urn:aws:amazon:com:speke\"><ContentKeyList>\
         <ContentKey explicitIV=\"OFj2IjCsPJFfMAxmQxLGPw==\" kid=\"{VIDEO}\"><Data><x/></Data></ContentKey></ContentKeyList>\
         <DRMSystemList>{}{}{}</DRMSystemList></CPIX>",
        system(AES_128_V1),
        system(FAIRPLAY),
        system(PLAYREADY)
    );
    let text = filled(&document, V1);
    let reply = elements(&text);
    assert_eq!(reply[0].path, "cpix:CPIX");
    assert_eq!(reply[0].get("id"), Some("a \"b/c"));
    assert_eq!(reply[0].get("xmlns:speke"), Some("urn:aws:amazon:com:speke"));
    assert_eq!(reply[2].get("explicitIV"), Some("OFj2IjCsPJFfMAxmQxLGPw=="));
    assert_eq!(text.matches("<cpix:Data>").count(), 1);
    let texts = |system| {
        let children = children(&reply, VIDEO, system).into_iter();
        children.map(|(name, _, bytes)| format!("{name} {}", String::from_utf8(bytes).unwrap())).collect::<Vec<_>>()
    };
    let url = format!("cpix:URIExtXKey https://keys.test/client/a%20%22b%2Fc/{VIDEO}");
    assert_eq!(texts(AES_128_V1), [&url, "speke:KeyFormat identity", "speke:KeyFormatVersions 1"]);
    let fairplay = texts(FAIRPLAY);
    let json = from_base64(fairplay[0].strip_prefix("cpix:URIExtXKey skd://").unwrap()).unwrap();
    assert!(String::from_utf8(json).unwrap().ends_with("\"IV\":\"OFj2IjCsPJFfMAxmQxLGPw==\"}"));
    assert_eq!(fairplay[1..], ["speke:KeyFormat com.apple.streamingkeydelivery", "speke:KeyFormatVersions 1"]);
    let names: Vec<_> = children(&reply, VIDEO, PLAYREADY).into_iter().map(|(name, ..)| name).collect();
    assert_eq!(names, ["cpix:PSSH", "speke:ProtectionHeader"]);
}

#[test]
fn a_reply_of_speke_2_has_nothing_of_speke_1() {
    let asked = "xmlns:s=\"urn:aws:amazon:com:speke\" id=\"x\"";
    let document = two_tracks("cbcs", &[FAIRPLAY]).replacen("xmlns:c=", &format!("{asked} xmlns:c="), 1);
    let document = document.replace("<c:PSSH/>", "<c:URIExtXKey/><s:KeyFormat/><s:KeyFormatVersions/><s:ProtectionHeader/>");
    let reply = filled(&document, V2_0);
    assert!(!reply.contains("speke") && !reply.contains("URIExtXKey"), "{reply}");
    let root = &elements(&reply)[0];
    assert_eq!(root.get("id"), None);
    assert_eq!(root.get("xmlns:cpix"), Some("urn:dashif:org:cpix"));
    assert_eq!(root.get("xmlns:pskc"), Some("urn:ietf:params:xml:ns:keyprov:pskc"));
}

#[test]
fn an_iv_is_given_where_it_does_no_harm() {
    let ivs = |scheme: &str, system, options: &ReplyOptions<'_>| {
        let document = two_tracks(scheme, &[system]);
        let request = Request::parse(document.as_bytes(), V2_0).unwrap();
        let keys = request.derive_keys(&derivation(), "TUTO", KeyIds::Requested);
        let reply = elements(request.fill(&keys, options, &mut system_rng()).expose());
        let keys = reply.iter().filter(|element| element.path.ends_with("/cpix:ContentKey"));
        keys.filter_map(|element| element.get("explicitIV").map(str::to_owned)).collect::<Vec<_>>()
    };
    let expected = [VIDEO, AUDIO].map(|kid| base64(&derived("iv", "abc123", &uuid(kid))));
    assert_eq!(ivs("cbcs", WIDEVINE, &OPTIONS), expected);
    assert_eq!(ivs("cbc1", AES_128, &OPTIONS), expected);
    assert!(ivs("cenc", WIDEVINE, &OPTIONS).is_empty());
    assert!(ivs("cens", WIDEVINE, &OPTIONS).is_empty());
    assert_eq!(ivs("cenc", WIDEVINE, &ReplyOptions { always_iv: true, ..OPTIONS }), expected);
}

#[test]
fn the_operator_decides_about_tags() {
    let document = two_tracks("cbcs", &[WIDEVINE, FAIRPLAY]);
    let request = Request::parse(document.as_bytes(), V2_0).unwrap();
    let keys = request.derive_keys(&derivation(), "TUTO", KeyIds::Requested);
    let fairplay_uri = Some("skd://{content_id}/{kid}?{kid_base64}&{iv_base64}");
    let options = ReplyOptions { fairplay_uri, key_id_attribute: true, ..OPTIONS };
    let reply = elements(request.fill(&keys, &options, &mut system_rng()).expose());
    let tag = |system| {
        let tag = children(&reply, VIDEO, system).into_iter().find(|(name, ..)| name == "cpix:HLSSignalingData").unwrap();
        String::from_utf8(tag.2).unwrap()
    };
    let (kid, iv) = (base64(&uuid(VIDEO)), base64(&derived("iv", "abc123", &uuid(VIDEO))));
    assert!(tag(WIDEVINE).ends_with(&format!(",KEYID=0x{}", VIDEO.replace('-', ""))));
    assert!(tag(FAIRPLAY).contains(&format!("URI=\"skd://abc123/{VIDEO}?{kid}&{iv}\"")));
}

#[test]
fn the_vendors_form_fills_an_empty_system() {
    let system = |kid, id| format!("<DRMSystem kid=\"{kid}\" systemId=\"{id}\"/>");
    let document = format!(
        "<CPIX id=\"abc123\" xmlns=\"urn:dashif:org:cpix\"><ContentKeyList><ContentKey kid=\"{VIDEO}\"/></ContentKeyList>\
         <DRMSystemList>{}{}{}</DRMSystemList></CPIX>",
        system(VIDEO, WIDEVINE),
        system(AUDIO, PLAYREADY),
        system(VIDEO, FAIRPLAY)
    );
    let reply = elements(&answer(document.as_bytes(), Form::Vendor, KeyIds::Derived).unwrap());
    let kid = "02509c87-c4b6-8420-9cc5-f141971de7ad";
    let bytes = |system, name| {
        let children = children(&reply, kid, system).into_iter();
        children.filter(|(known, ..)| known == name).map(|(.., bytes)| bytes).collect::<Vec<_>>()
    };
    // Fields 1 to 5: the algorithm, the key id, the provider, the content's id and the track.
    let data = [&[8, 1, 0x12, 16][..], &uuid(kid), &[0x1A, 13], b"widevine_test", &[0x22, 6], b"abc123", &[0x2A, 2], b"HD"].concat();
    assert_eq!(bytes(WIDEVINE, "cpix:ContentProtectionData"), std::slice::from_ref(&data));
    assert_eq!(bytes(WIDEVINE, "cpix:PSSH")[0][32..], data);
    assert_eq!(bytes(WIDEVINE, "cpix:HLSSignalingData").len(), 2);
    let object = playready_object(kid, &derived("key", "abc123", &uuid(kid)), "cenc");
    for name in ["cpix:ContentProtectionData", "cpix:SmoothStreamingProtectionHeaderData", "speke:ProtectionHeader"] {
        assert_eq!(bytes(PLAYREADY, name), std::slice::from_ref(&object), "{name}");
    }
    let uri = format!("skd://{}", base64(&uuid(kid)));
    assert_eq!(bytes(FAIRPLAY, "cpix:URIExtXKey"), [uri.into_bytes()]);
    assert!(bytes(FAIRPLAY, "cpix:PSSH").is_empty());
    assert_eq!(reply[2].get("explicitIV"), Some(base64(&derived("iv", "abc123", &uuid(kid))).as_str()));
}

#[test]
fn a_derived_key_id_is_everywhere() {
    let document = two_tracks("cbcs", &[WIDEVINE, PLAYREADY, FAIRPLAY]);
    let reply = answer(document.as_bytes(), V2_0, KeyIds::Derived).unwrap();
    assert!(!reply.contains(VIDEO) && !reply.contains(AUDIO));
    let video = "79d47f19-974c-843d-8529-e6d44e0caefa";
    let audio = elements(&reply)[6].get("kid").unwrap().to_owned();
    assert_eq!(verify(&reply, "cbcs", &[(video, "HD"), (&audio, "AUDIO")]), Ok(()));
    let all = document.replace("\"HD\"", "\"ALL\"").replace("<c:VideoFilter minPixels=\"1\"/>", "<c:VideoFilter/><c:AudioFilter/>");
    let (at, end) = (all.rfind("<c:ContentKeyUsageRule ").unwrap(), all.rfind("</c:ContentKeyUsageRuleList>").unwrap());
    let one = [&all[..at], &all[end..]].concat().replace(&format!("<c:ContentKey kid=\"{AUDIO}\" commonEncryptionScheme=\"cbcs\"/>"), "");
    let one = one.replace(AUDIO, VIDEO);
    assert!(answer(one.as_bytes(), V2_0, KeyIds::Derived).unwrap().contains(video), "a key for all tracks is one for HD");
}
