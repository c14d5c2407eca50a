//! Documents of encryptors, read in place where the folder of shared vectors is there.

use std::{
    fs,
    path::{Path, PathBuf},
};

use shared::keys::cpix::{Form, KeyIds};

use super::{V1, V2_0, V2_1, answer, reply::elements};

/// What a document gets: `None` for a reply, or the text of an error.
type Expected = Option<&'static str>;

const MIXED: &str = "ContentKey@commonEncryptionScheme non compatible with DRMSystem 94ce86fb-07ff-4f43-adb8-93d2fa968ca2";
const CONTRACT: &str = "Malformed encryption contract";
const SYSTEM: &str = "Unsupported DRMSystem@systemId 3D5E6D35-9B9A-41E8-B843-DD3C6E72C42C";

const DOCUMENTS: [(&str, Form, Expected); 33] = [
    ("aws_speke_docs/v1_live_request.xml", V1, None),
    ("aws_speke_docs/v1_live_response.xml", V1, None),
    ("aws_speke_docs/v1_vod_request.xml", V1, None),
    ("aws_speke_docs/v1_kid_override_request.xml", V1, None),
    ("aws_speke_docs/v2_0_kid_override_request.xml", V2_0, None),
    ("aws_reference_server/server_api_body.xml", V1, None),
    ("aws_reference_server/server_api_body_spekev2.xml", V2_0, Some(MIXED)),
    ("aws_suite/general/1_generic_spekev2_dash_widevine_preset_video_1_audio_1_no_rotation.xml", V2_0, None),
    ("aws_suite/general/2_speke_v1_style_implementation.xml", V2_0, None),
    ("aws_suite/general/3_negative_wrong_version_spekev2_dash_widevine.xml", V2_0, Some("Unsupported CPIX@version")),
    ("aws_suite/general/4_spekev2_negative_preset_shared_video.xml", V2_0, Some(CONTRACT)),
    ("aws_suite/general/5_spekev2_negative_preset_shared_audio.xml", V2_0, Some(CONTRACT)),
    ("aws_suite/vod/1_generic_spekev2_dash_widevine_preset_video_1_audio_1_no_rotation.xml", V2_0, None),
    ("aws_suite/vod/2_speke_v1_style_implementation.xml", V2_0, None),
    ("aws_suite/vod/3_negative_wrong_version_spekev2_dash_widevine.xml", V2_0, Some("Unsupported CPIX@version")),
    ("aws_suite/vod/4_spekev2_negative_preset_shared_video.xml", V2_0, Some(CONTRACT)),
    ("aws_suite/vod/5_spekev2_negative_preset_shared_audio.xml", V2_0, Some(CONTRACT)),
    ("third_party_clients/norsk_studio_v2.xml", V2_0, None),
    ("third_party_clients/doverunner_single_key_no_scheme.xml", Form::Vendor, None),
    ("third_party_clients/doverunner_multi_key_cbcs.xml", Form::Vendor, None),
    ("third_party_clients/doverunner_multi_key_cenc_uhd.xml", Form::Vendor, None),
    ("third_party_clients/doverunner_key_rotation_period_128.xml", Form::Vendor, None),
    ("third_party_clients/doverunner_all_nine_systems_single_key.xml", Form::Vendor, Some(SYSTEM)),
    ("no_licence_stated/mediapackage_v1_playready_live.xml", V1, None),
    ("no_licence_stated/pallycon_dash_live_request.xml", Form::Vendor, None),
    ("no_licence_stated/pallycon_dash_vod_request.xml", Form::Vendor, None),
    ("no_licence_stated/pallycon_hls_live_request.xml", Form::Vendor, None),
    ("no_licence_stated/pallycon_hls_vod_request.xml", Form::Vendor, None),
    ("derived/v2_1_index_only_request.xml", V2_1, None),
    ("derived/v2_1_index_with_start_end_request.xml", V2_1, None),
    ("derived/v2_1_start_end_only_request.xml", V2_1, None),
    ("derived/v2_1_vod_offsets_request.xml", V2_1, None),
    ("derived/v2_0_header_with_cpix_2_4_negative.xml", V2_0, Some("Unsupported CPIX@version")),
];

/// The folder of documents, when it is there.
fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors/speke_requests");
    if !folder.is_dir() {
        eprintln!("skipped: the shared vectors are not there");
    }
    folder.is_dir().then_some(folder)
}

/// Checks one reply against its request: what every reply keeps.
fn check(document: &str, form: Form, name: &str) {
    let reply = answer(document.as_bytes(), form, KeyIds::Requested).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(answer(document.as_bytes(), form, KeyIds::Requested).as_ref(), Ok(&reply), "{name}");
    let (asked, given) = (elements(document), elements(&reply));
    let local = |path: &str| path.rsplit(['/', ':']).next().unwrap_or_default().to_owned();
    let kept = ["ContentKey", "DRMSystem", "ContentKeyPeriod", "ContentKeyUsageRule", "KeyPeriodFilter", "VideoFilter", "AudioFilter"];
    for element in kept {
        let of = |elements: &[super::reply::Element]| {
            let elements = elements.iter().filter(|known| local(&known.path) == element).cloned();
            let attributes = elements.map(|mut known| {
                known.attributes.retain(|(name, value)| name != "explicitIV" && !(name == "kid" && form == Form::Vendor && value != "x"));
                known.attributes
            });
            attributes.collect::<Vec<_>>()
        };
        assert_eq!(of(&given), of(&asked), "{element} of {name}");
    }
    assert!(given[0].get("xmlns:cpix").is_some() && given[0].get("xmlns:pskc").is_some(), "{name}");
    let values = given.iter().filter(|element| element.path.ends_with("/pskc:PlainValue"));
    let values: std::collections::BTreeSet<_> = values.map(|element| element.text.clone()).collect();
    assert_eq!(values.len(), given.iter().filter(|element| local(&element.path) == "ContentKey").count(), "{name}");
    for element in given.iter().filter(|element| element.path.contains("/cpix:DRMSystem/")) {
        assert!(shared::encoding::from_base64(&element.text).is_some_and(|bytes| !bytes.is_empty()), "{} of {name}", element.path);
    }
}

#[test]
fn documents_of_encryptors_get_what_is_documented() {
    let Some(folder) = folder() else { return };
    for (name, form, expected) in DOCUMENTS {
        let Ok(document) = fs::read_to_string(folder.join(name)) else {
            eprintln!("skipped: {name} is not there");
            continue;
        };
        match expected {
            None => check(&document, form, name),
            Some(text) => {
                let error = answer(document.as_bytes(), form, KeyIds::Requested).expect_err(name);
                assert_eq!(error.to_string(), text, "{name}");
            }
        }
    }
}

/// Removes the elements that only documents of live channels have.
fn as_vod(document: &str) -> String {
    let is_live = |line: &&str| !["ContentKeyPeriod", "KeyPeriodFilter"].iter().any(|name| line.contains(name));
    document.lines().filter(is_live).collect::<Vec<_>>().join("\n")
}

#[test]
fn generated_documents_get_a_reply() {
    let Some(folder) = folder() else { return };
    let mut documents = 0;
    for case in fs::read_dir(folder.join("aws_suite/generated_live")).unwrap() {
        for file in fs::read_dir(case.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let name = path.display().to_string();
            let document = fs::read_to_string(&path).unwrap();
            for document in [&document, &as_vod(&document)] {
                check(document, V2_0, &name);
                let reply = answer(document.as_bytes(), V2_0, KeyIds::Requested).unwrap();
                let has_data = reply.contains("ContentProtectionData");
                assert_eq!(has_data, !name.ends_with("/3_fairplay.xml"), "{name}");
                if name.contains("fairplay") {
                    let error = answer(document.replace("cbcs", "cenc").as_bytes(), V2_0, KeyIds::Requested).expect_err(&name);
                    assert_eq!(error.to_string(), MIXED);
                }
            }
            documents += 1;
        }
    }
    assert_eq!(documents, 42);
}

#[test]
fn the_vendors_form_fills_an_empty_system() {
    let Some(folder) = folder() else { return };
    let read = |name: &str| fs::read_to_string(folder.join("third_party_clients").join(name)).unwrap();
    let reply = answer(read("doverunner_key_rotation_period_128.xml").as_bytes(), Form::Vendor, KeyIds::Derived).unwrap();
    let elements = elements(&reply);
    let hd = elements.iter().find(|element| element.get("intendedTrackType") == Some("HD")).unwrap();
    let kid = hd.get("kid").unwrap();
    let children = |system| super::reply::children(&elements, kid, system);
    let names: Vec<_> = children("94CE86FB-07FF-4F43-ADB8-93D2FA968CA2").into_iter().map(|(name, _, bytes)| (name, bytes)).collect();
    assert_eq!(names[0], ("cpix:URIExtXKey".into(), b"skd://demo-content0000000000000080".to_vec()));
    assert_eq!(names.len(), 5, "{names:?}");
    let playready = children("9A04F079-9840-4286-AB92-E65BE0885F95");
    assert_eq!(playready[0].2[32..], playready[1].2, "protection data is the bare payload");
    let widevine = children("EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED");
    assert!(widevine[1].2.windows(26).any(|bytes| bytes == b"demo-content00000000000000"), "the content's id has the period");
    assert_eq!(elements.iter().filter(|element| element.get("explicitIV").is_some()).count(), 3);
}
