//! CPIX: what encryptors send, and what they get for it.
#![expect(clippy::unwrap_used, reason = "a helper that fails, fails its test")]

mod delivery;
mod errors;
mod fill;
mod laws;
mod replay;
mod reply;

use shared::{
    crypto::system_rng,
    keys::{
        KeyDerivation,
        cpix::{Error, Form, KeyIds, ReplyOptions, Request, SpekeVersion},
    },
    secret::Secret,
};

const V1: Form = Form::Speke(SpekeVersion::V1);
const V2_0: Form = Form::Speke(SpekeVersion::V2_0);
const V2_1: Form = Form::Speke(SpekeVersion::V2_1);

const OPTIONS: ReplyOptions<'static> = ReplyOptions {
    licence_url: "https://licence.test/?a=1&b=2",
    provider: "widevine_test",
    key_url: "https://keys.test/client",
    fairplay_uri: None,
    always_iv: false,
    key_id_attribute: false,
};

/// The master secret of the contract's vectors.
fn derivation() -> KeyDerivation {
    KeyDerivation::new(&Secret::new(std::array::from_fn(|index| u8::try_from(index).unwrap())))
}

/// Answers a document as the site `TUTO`.
fn answer(document: &[u8], form: Form, key_ids: KeyIds) -> Result<String, Error> {
    let request = Request::parse(document, form)?;
    let keys = request.derive_keys(&derivation(), "TUTO", key_ids);
    Ok(request.fill(&keys, &OPTIONS, &mut system_rng()).expose().to_owned())
}

/// Answers a document with the key ids that it asks for.
fn filled(document: &str, form: Form) -> String {
    answer(document.as_bytes(), form, KeyIds::Requested).unwrap_or_else(|error| panic!("{error}: {document}"))
}

/// Key id and track of the video key.
const VIDEO: &str = "98ee5596-cd3e-a20d-163a-e382420c6eff";
/// Key id of the audio key.
const AUDIO: &str = "0F083E4E-b831-4a3d-917e-ce78076e54aa";

const WIDEVINE: &str = "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed";
const PLAYREADY: &str = "9A04F079-9840-4286-AB92-E65BE0885F95";
const FAIRPLAY: &str = "94ce86fb-07ff-4f43-adb8-93d2fa968ca2";
const AES_128_V1: &str = "81376844-f976-481e-a84e-cc25d39b0b33";
const AES_128: &str = "3ea8778f-7742-4bf9-b18b-e834b2acbd47";
const COMMON: &str = "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b";

/// A document of SPEKE 2.0 with a video and an audio key, for some systems.
fn two_tracks(scheme: &str, systems: &[&str]) -> String {
    let key = |kid| format!("<c:ContentKey kid=\"{kid}\" commonEncryptionScheme=\"{scheme}\"/>\n");
    let system = |kid, system: &str| {
        format!(
            "<c:DRMSystem kid=\"{kid}\" systemId=\"{system}\"><c:PSSH/><c:ContentProtectionData></c:ContentProtectionData>\
             <c:HLSSignalingData playlist=\"media\"/><c:HLSSignalingData playlist=\"master\"/>\
             <c:SmoothStreamingProtectionHeaderData> </c:SmoothStreamingProtectionHeaderData></c:DRMSystem>"
        )
    };
    let systems: String = systems.iter().flat_map(|id| [system(VIDEO, id), system(AUDIO, id)]).collect();
    format!(
        "<?xml version=\"1.0\"?><!-- a request --><c:CPIX contentId=\"abc123\" version=\"2.3\" xmlns:c=\"urn:dashif:org:cpix\">\
         <c:ContentKeyList>{}{}</c:ContentKeyList><c:DRMSystemList>{systems}</c:DRMSystemList>\
         <c:ContentKeyPeriodList><c:ContentKeyPeriod id=\"p\" index=\"128\"/></c:ContentKeyPeriodList><c:ContentKeyUsageRuleList>\
         <c:ContentKeyUsageRule kid=\"{VIDEO}\" intendedTrackType=\"HD\"><c:KeyPeriodFilter periodId=\"p\"/>\
         <c:VideoFilter minPixels=\"1\"/></c:ContentKeyUsageRule>\
         <c:ContentKeyUsageRule kid=\"{AUDIO}\" intendedTrackType=\"AUDIO\"><c:KeyPeriodFilter periodId=\"p\"/><c:AudioFilter/>\
         </c:ContentKeyUsageRule></c:ContentKeyUsageRuleList></c:CPIX>",
        key(VIDEO),
        key(AUDIO)
    )
}
