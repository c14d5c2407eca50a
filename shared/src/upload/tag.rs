//! Tags: the unguessable segments of paths that have no other protection.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::session::VideoId;
use crate::{
    encoding::{from_hex, hex},
    secret::Secret,
};

/// The purpose of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Brightcove's callback.
    Callback,
    /// The status of an upload.
    Status,
}

/// The tag in the path of a video: 64 hexadecimal digits.
#[must_use]
pub fn tag(key: &Secret<32>, purpose: Purpose, account: &str, video: &VideoId) -> String {
    hex(&mac(key, purpose, account, video).finalize().into_bytes())
}

/// Whether a text is the tag in the path of a video. Compares in constant time.
#[must_use]
pub fn is_tag(text: &str, key: &Secret<32>, purpose: Purpose, account: &str, video: &VideoId) -> bool {
    let is_lower_case = text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase());
    let given = from_hex(text).filter(|_| is_lower_case);
    given.is_some_and(|given| mac(key, purpose, account, video).verify_slice(&given).is_ok())
}

fn mac(key: &Secret<32>, purpose: Purpose, account: &str, video: &VideoId) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key.expose()).expect("HMAC takes keys of any length");
    if purpose == Purpose::Status {
        mac.update(b"status\n");
    }
    mac.update(account.as_bytes());
    mac.update(b"\n");
    mac.update(video.as_str().as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_bound_to_purpose_account_and_video() {
        let key = Secret::new([7; 32]);
        let video: VideoId = "12".parse().unwrap();
        let genuine = tag(&key, Purpose::Callback, "34", &video);
        assert_eq!(genuine.len(), 64);
        assert!(is_tag(&genuine, &key, Purpose::Callback, "34", &video));
        assert!(!is_tag(&genuine, &key, Purpose::Status, "34", &video));
        assert!(!is_tag(&genuine, &key, Purpose::Callback, "35", &video));
        assert!(!is_tag(&genuine, &key, Purpose::Callback, "34", &"13".parse().unwrap()));
        assert!(!is_tag(&genuine, &Secret::new([8; 32]), Purpose::Callback, "34", &video));
        for text in ["", "0", &genuine[2..], &genuine.to_uppercase(), "zz"] {
            assert!(!is_tag(text, &key, Purpose::Callback, "34", &video), "{text}");
        }
    }
}
