//! Each way in which a document can be wrong, and the text that says so.

use std::fmt::Write;

use shared::{
    fault::Fault,
    keys::cpix::{Error, Form, Request},
};

use super::{AES_128, AUDIO, FAIRPLAY, PLAYREADY, V1, V2_0, V2_1, VIDEO, WIDEVINE, filled, two_tracks};

fn text(document: &str, form: Form) -> String {
    match Request::parse(document.as_bytes(), form) {
        Ok(_) => "accepted".into(),
        Err(error) => {
            assert_eq!(error.fault(), Fault::Request);
            error.to_string()
        }
    }
}

/// Removes everything from `from` to the end of `to`.
fn without(document: &str, from: &str, to: &str) -> String {
    let start = document.find(from).unwrap();
    let end = start + document[start..].find(to).unwrap() + to.len();
    [&document[..start], &document[end..]].concat()
}

#[test]
fn what_is_missing_is_named() {
    let document = two_tracks("cenc", &[WIDEVINE]);
    assert_eq!(text(&document, V2_0), "accepted");
    let empty = |list: &str, document: &str| {
        let document = without(document, &format!("<c:{list}>"), &format!("</c:{list}>"));
        document.replacen("</c:CPIX>", &format!("<c:{list}/></c:CPIX>"), 1)
    };
    let video_rule = document.split("<c:ContentKeyUsageRule ").nth(1).unwrap();
    for (document, expected) in [
        (document.replace(" contentId=\"abc123\"", ""), "Missing CPIX@contentId"),
        (document.replace("abc123", ""), "Missing CPIX@contentId"),
        (document.replace(" version=\"2.3\"", ""), "Missing CPIX@version"),
        (document.replace("\"2.3\"", "\"2.4\""), "Unsupported CPIX@version"),
        (document.replace("\"2.3\"", "\"4.0\""), "Unsupported CPIX@version"),
        (without(&document, "<c:ContentKeyList>", "</c:ContentKeyList>"), "Missing ContentKeyList"),
        (empty("ContentKeyList", &document), "Missing ContentKey"),
        (without(&document, "<c:DRMSystemList>", "</c:DRMSystemList>"), "Missing DRMSystemList"),
        (empty("DRMSystemList", &document), "Missing DRMSystem"),
        (without(&document, "<c:ContentKeyUsageRuleList>", "</c:ContentKeyUsageRuleList>"), "Missing ContentKeyUsageRuleList"),
        (empty("ContentKeyUsageRuleList", &document), "Missing ContentKeyUsageRule"),
        (document.replacen(&format!("<c:ContentKey kid=\"{VIDEO}\""), "<c:ContentKey", 1), "Missing ContentKey@kid"),
        (document.replacen(&format!("<c:DRMSystem kid=\"{VIDEO}\""), "<c:DRMSystem", 1), "Missing DRMSystem@kid"),
        (document.replacen(&format!(" systemId=\"{WIDEVINE}\""), "", 1), "Missing DRMSystem@systemId"),
        (
            document.replacen(&format!("<c:ContentKeyUsageRule kid=\"{VIDEO}\""), "<c:ContentKeyUsageRule", 1),
            "Missing ContentKeyUsageRule@kid",
        ),
        (document.replacen(" intendedTrackType=\"HD\"", "", 1), "Missing ContentKeyUsageRule@intendedTrackType"),
        (
            document.replacen(" commonEncryptionScheme=\"cenc\"", "", 1),
            "Missing ContentKey@commonEncryptionScheme for KID 98ee5596-cd3e-a20d-163a-e382420c6eff",
        ),
        (document.replace("<c:VideoFilter minPixels=\"1\"/>", "").replace("<c:AudioFilter/>", ""), "Missing CPIX encryption contract"),
        (document.replace("<c:AudioFilter/>", ""), "Malformed encryption contract"),
        (document.replacen(&format!("<c:ContentKeyUsageRule {video_rule}"), "", 1), "Malformed encryption contract"),
        (document.replacen(" periodId=\"p\"", "", 1), "Malformed encryption contract"),
        (without(&document, "<c:ContentKeyPeriodList>", "</c:ContentKeyPeriodList>"), "Malformed encryption contract"),
    ] {
        assert_eq!(text(&document, V2_0), expected, "{document}");
    }
}

#[test]
fn what_is_invalid_is_named() {
    let document = two_tracks("cenc", &[WIDEVINE, PLAYREADY]);
    let keys = |count: u32| {
        let mut keys = String::new();
        for index in 0..count {
            write!(keys, "<c:ContentKey kid=\"00000000-0000-4000-8000-{index:012}\" commonEncryptionScheme=\"cenc\"/>").unwrap();
        }
        document.replace("<c:ContentKeyList>", &format!("<c:ContentKeyList>{keys}"))
    };
    let iv = |iv: &str| document.replacen("<c:ContentKey ", &format!("<c:ContentKey explicitIV=\"{iv}\" "), 1);
    let many_systems = format!("<c:DRMSystemList>{}", format!("<c:DRMSystem kid=\"{VIDEO}\" systemId=\"{WIDEVINE}\"/>").repeat(384));
    for (document, expected) in [
        (document.replacen(VIDEO, "98ee5596", 1), "Invalid ContentKey@kid"),
        (document.replacen(VIDEO, &AUDIO.to_uppercase(), 1), "Invalid ContentKey@kid"),
        (keys(63), "Invalid ContentKeyList"),
        (keys(10_000), "Invalid ContentKeyList"),
        (document.replacen("<c:ContentKeyList>", "<c:DeliveryDataList/><c:ContentKeyList>", 1), "Missing DeliveryData"),
        (document.replace("<c:DRMSystemList>", &many_systems), "Invalid DRMSystemList"),
        (document.replacen("</c:CPIX>", "<c:DRMSystemList/></c:CPIX>", 1), "Invalid DRMSystemList"),
        (document.replacen(&format!("<c:DRMSystem kid=\"{VIDEO}\""), "<c:DRMSystem kid=\"\"", 1), "Invalid DRMSystem@kid"),
        (document.replacen(WIDEVINE, "{edef8ba9-79d6-4ace-a3c8-27dcd51d21ed}", 1), "Invalid DRMSystem@systemId"),
        (document.replacen("playlist=\"media\"", "playlist=\"x\"", 1), "Invalid HLSSignalingData@playlist"),
        (iv("OFj2IjCsPJFfMAxmQxLG"), "Invalid ContentKey@explicitIV"),
        (iv("3858f62230ac3c915f300c664312c63f"), "Invalid ContentKey@explicitIV"),
        (iv("OFj2IjCsPJFfMAxmQxLGP8A="), "Invalid ContentKey@explicitIV"),
        (
            document.replacen("\"cenc\"", "\"CENC\"", 1),
            "Invalid ContentKey@commonEncryptionScheme for KID 98ee5596-cd3e-a20d-163a-e382420c6eff",
        ),
        (document.replacen("\"cenc\"", "\"cbcs\"", 1), "Non compliant ContentKey@commonEncryptionScheme combination"),
        (
            document.replace("cenc", "cbc1"),
            "ContentKey@commonEncryptionScheme non compatible with DRMSystem 9A04F079-9840-4286-AB92-E65BE0885F95",
        ),
        (
            document.replace(WIDEVINE, FAIRPLAY),
            "ContentKey@commonEncryptionScheme non compatible with DRMSystem 94ce86fb-07ff-4f43-adb8-93d2fa968ca2",
        ),
        (
            document.replace(WIDEVINE, "80a6be7e-1448-4c37-9e70-d5aebe04c8d2"),
            "Unsupported DRMSystem@systemId 80a6be7e-1448-4c37-9e70-d5aebe04c8d2",
        ),
        (
            document.replacen("<c:ContentKeyList>", "<c:DeliveryDataList><c:DeliveryData/></c:DeliveryDataList><c:ContentKeyList>", 1),
            "Invalid DeliveryKey certificate",
        ),
    ] {
        assert_eq!(text(&document, V2_0), expected);
    }
}

#[test]
fn a_malformed_contract_is_refused() {
    let document = two_tracks("cenc", &[WIDEVINE]);
    let other = "11111111-1111-1111-1111-111111111111";
    for document in [
        document.replace("\"HD\"", "\"AUDIO\""),
        document.replace("\"HD\"", "\"ALL\""),
        document.replace("\"HD\"", "\"ALL+HD\""),
        document.replace("\"HD\"", "\"SD++HD\""),
        document.replacen(&format!("<c:ContentKeyUsageRule kid=\"{VIDEO}\""), &format!("<c:ContentKeyUsageRule kid=\"{other}\""), 1),
        document.replacen(&format!("<c:DRMSystem kid=\"{VIDEO}\""), &format!("<c:DRMSystem kid=\"{other}\""), 1),
        document.replacen("periodId=\"p\"", "periodId=\"q\"", 1),
    ] {
        assert_eq!(text(&document, V2_0), "Malformed encryption contract", "{document}");
    }
    assert_eq!(text(&document.replace("\"HD\"", "\"SD+HD1\""), V2_0), "accepted", "one filter for two parts");
}

#[test]
fn the_first_row_of_the_table_wins() {
    let mut document = two_tracks("cenc", &[WIDEVINE, "80a6be7e-1448-4c37-9e70-d5aebe04c8d2"]).replace("\"HD\"", "\"AUDIO\"");
    document = document.replace("contentId", "c").replace("\"2.3\"", "\"9\"").replacen("\"cenc\"", "\"cbcs\"", 1);
    for (mend, expected) in [
        (("", ""), "Missing CPIX@contentId"),
        ((" c=", " contentId="), "Unsupported CPIX@version"),
        (("\"9\"", "\"2.3\""), "Non compliant ContentKey@commonEncryptionScheme combination"),
        (("\"cbcs\"", "\"cenc\""), "Unsupported DRMSystem@systemId 80a6be7e-1448-4c37-9e70-d5aebe04c8d2"),
        (("80a6be7e-1448-4c37-9e70-d5aebe04c8d2", PLAYREADY), "Malformed encryption contract"),
        (
            (
                "intendedTrackType=\"AUDIO\"><c:KeyPeriodFilter periodId=\"p\"/><c:VideoFilter minPixels=\"1\"/>",
                "intendedTrackType=\"HD\"><c:VideoFilter/>",
            ),
            "accepted",
        ),
    ] {
        document = document.replace(mend.0, mend.1);
        assert_eq!(text(&document, V2_0), expected);
    }
}

#[test]
fn speke_2_1_takes_the_method_names_of_hls() {
    let document = |scheme, system| two_tracks(scheme, &[system]).replace("\"2.3\"", "\"2.4\"");
    assert_eq!(text(&document("AES-128", AES_128), V2_1), "accepted");
    assert_eq!(text(&document("SAMPLE-AES", FAIRPLAY), V2_1), "accepted");
    assert_eq!(
        text(&document("AES-128", WIDEVINE), V2_1),
        "ContentKey@commonEncryptionScheme non compatible with DRMSystem edef8ba9-79d6-4ace-a3c8-27dcd51d21ed"
    );
    let document = two_tracks("AES-128", &[AES_128]);
    assert!(text(&document, V2_0).starts_with("Invalid ContentKey@commonEncryptionScheme for KID"));
}

#[test]
fn speke_1_needs_an_id_and_listed_keys() {
    let document = two_tracks("x", &["81376844-f976-481e-a84e-cc25d39b0b33"]).replace("contentId", "id");
    assert_eq!(text(&document, V1), "accepted");
    assert_eq!(text(&document.replace(" id=\"abc123\"", ""), V1), "Missing CPIX@id");
    let other = document.replacen(&format!("<c:DRMSystem kid=\"{VIDEO}\""), "<c:DRMSystem kid=\"11111111-1111-1111-1111-111111111111\"", 1);
    assert_eq!(text(&other, V1), "Invalid DRMSystem@kid");
}

#[test]
fn what_is_no_xml_1_0_in_utf_8_is_malformed() {
    let document = two_tracks("cenc", &[WIDEVINE]);
    let in_list = |text: &str| document.replacen("<c:ContentKeyList>", &format!("<c:ContentKeyList>{text}"), 1);
    let doctype = |doctype: &str| document.replacen("<c:CPIX", &format!("{doctype}<c:CPIX"), 1);
    for (document, reason) in [
        (String::new(), "the body is empty"),
        (" ".into(), "it ends before its root element does"),
        ("x".into(), "it is not well-formed XML"),
        ("<CPIX/>".into(), "its root element is not CPIX of the namespace urn:dashif:org:cpix"),
        (document.replace("urn:dashif:org:cpix", "urn:x"), "its root element is not CPIX of the namespace urn:dashif:org:cpix"),
        (document.replace("xmlns:c=", "xmlns:d="), "a prefix has no namespace"),
        (format!("{document}<x/>"), "it has more than one root element"),
        (format!("{document}x"), "it is not well-formed XML"),
        (format!("\n{document}"), "it is not well-formed XML"),
        (document.replace("version=\"1.0\"", "version=\"1.1\""), "it is not XML 1.0"),
        (document.replace("version=\"1.0\"", "version=\"1.0\" encoding=\"UTF-16\""), "it is not UTF-8"),
        (doctype("<!DOCTYPE c:CPIX>"), "a DTD is not allowed"),
        (doctype("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]>"), "a DTD is not allowed"),
        (doctype("<!DOCTYPE x SYSTEM \"file:///etc/passwd\">"), "a DTD is not allowed"),
        (in_list("&a;"), "entity references are not allowed"),
        (document.replace("abc123", "&a;"), "entity references are not allowed"),
        (in_list("&#1;"), "it is not well-formed XML"),
        (in_list("]]>"), "it is not well-formed XML"),
        (in_list("\u{1}"), "it contains a character that XML does not allow"),
        (in_list("<x a='1' a='2'/>"), "an attribute is not well-formed or is there twice"),
        (in_list("<x a=1/>"), "an attribute is not well-formed or is there twice"),
        (in_list("<x a='1'b='2'/>"), "it is not well-formed XML"),
        (in_list("<x a='<'/>"), "it is not well-formed XML"),
        (in_list("<x></y>"), "an end tag does not match its start tag"),
        (in_list("<1/>"), "it is not well-formed XML"),
        (in_list("<!-- -- -->"), "it is not well-formed XML"),
        (in_list(&format!("{}{}", "<x>".repeat(30), "</x>".repeat(30))), "its elements are nested too deeply"),
        (format!("{document}{}", " ".repeat(1 << 20)), "the body is larger than 1 MiB"),
    ] {
        let (start, _) = document.split_at(document.len().min(80));
        assert_eq!(text(&document, V2_0), format!("Malformed CPIX document: {reason}"), "{start}");
    }
    for length in 0..document.len() {
        assert!(text(&document[..length], V2_0).starts_with("Malformed CPIX document: "), "{length} bytes");
    }
    let utf_16: Vec<u8> = document.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert!(matches!(Request::parse(&utf_16, V2_0), Err(Error::Malformed { reason: "it is not UTF-8", .. })));
    assert!(matches!(Request::parse(b"<a>\xFF</a>", V2_0), Err(Error::Malformed { reason: "it is not UTF-8", offset: 3 })));
}

#[test]
fn comments_sections_and_other_prefixes_change_nothing() {
    let document = two_tracks("cenc", &[WIDEVINE]);
    let reply = filled(&document, V2_0);
    let in_value = document.replacen("<c:PSSH/>", "<c:PSSH><!-- a --><![CDATA[<b>]]>&lt;&#x41;<?x y?><x xmlns='y'>z</x></c:PSSH>", 1);
    let in_lists = document.replace("><c:", ">\r\n<!-- <c:ContentKey/> -->\t<![CDATA[ ]]><c:");
    let foreign = document.replacen("<c:ContentKeyList>", "<x:y xmlns:x='urn:x'><c:ContentKey/></x:y><c:ContentKeyList>", 1);
    let default = document.replace("xmlns:c=", "xmlns=").replace("<c:", "<").replace("</c:", "</");
    let escaped = document.replace("abc123", "abc&#49;23");
    for other in [
        in_value,
        in_lists.replacen("\r\n<!-- <c:ContentKey/> -->\t<![CDATA[ ]]>", "", 1),
        foreign,
        default,
        escaped,
        format!("\u{FEFF}{document}"),
    ] {
        assert_eq!(filled(&other, V2_0), reply, "{other}");
    }
}
