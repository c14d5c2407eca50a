//! Encrypted delivery, decrypted with the recipient's private key.

use aes::Aes256;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::{KeySize, OAEP_SHA1_MGF1SHA1, OaepPrivateDecryptingKey, PrivateDecryptingKey};
use cbc::cipher::{BlockModeDecrypt, KeyIvInit, block_padding::Pkcs7};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha512;
use shared::encoding::{base64, from_base64};

use super::{
    AUDIO, V1, V2_0, VIDEO, WIDEVINE, filled,
    reply::{derived, elements, uuid},
    two_tracks,
};

/// Self-signed certificates of an RSA key of 2048 bits, one of 1024 bits, and a key of P-256.
const RSA_2048: &str = "MIIDCzCCAfOgAwIBAgIUQID03GseTdRD7oY6MajHU16DTS4wDQYJKoZIhvcNAQELBQAwFDESMBAGA1UEAwwJZW5jcnlwdG9yMCAXDTI2MTEyODAzMjYwMVoY\
    DzIxMjYxMTA0MDMyNjAxWjAUMRIwEAYDVQQDDAllbmNyeXB0b3IwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCtOxrkOxWlRs3ngcJUvH+60rd9\
    lOE9hlWesaCAtHLJP7P0q1C9/l0ttBOgnKat1YJNwH3Pk2Pm+lPfIPlcal+mM430FFQL/gxMoDOWYlQtz7kzOjw1R+Mcn98VzqZ8YrbQ3B4m+M7ELAH41CRi\
    qqiB5SSXl/VHBWgowxXKZ/UfAci1d0TOFMx9W8eHuRwTtDqzfh5KSNg8WEiOC43m9DkjNezZPU9m8oVh3GqcYNF+MXIo/T47p0ICgSqgK3VrfUpo1kULWiX9\
    DWB4quo0061cURhxyrsBdhh+DG7CTMReoLtrik6ddLN3ZAMfVgDO/K49J7t40Eu16OrlsqkzqLh1AgMBAAGjUzBRMB0GA1UdDgQWBBTgXMYwrdRpv4kdWbBO\
    YnJuIUqX1TAfBgNVHSMEGDAWgBTgXMYwrdRpv4kdWbBOYnJuIUqX1TAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQCLrNlpa6OYqzqAfgcy\
    i+rwDrcfDN5AaJMKtZ5QAAALVy5RyzZS97HttQfICa+ULxKQyLuqZgdhbG1s+cIka4gNhDbR8HfZ/+Il3LivLG78Z0hFM+IW3AKm8Lr5f9xEB3gCFOlZ4/Zu\
    LdM3MX8R8Q/x+GfkOMl94T+UY4SrSw6yfoERvf1yZNU8X4sxj29ExCgpjbxr9FQ90kD+imbZqUNTWP/WxPmdIYFZUGP6VVtv3GcU34ZvfIIjT3MvKrjpLOBg\
    cqtdVlvEWMjiY3tfPA3mLus1YwCpOSNeYEG+bDBmxzAwXpoqkpzV5LThfCb18bXk4/AhcwkefpSN5RQ7iIGK";
const RSA_1024: &str = "MIIB9jCCAV+gAwIBAgIUJkSSyVehQApBCJzoLkD5NyO4iDQwDQYJKoZIhvcNAQELBQAwDDEKMAgGA1UEAwwBZTAgFw0yNjExMjgwMzI2MDFaGA8yMTI2MTEw\
    NDAzMjYwMVowDDEKMAgGA1UEAwwBZTCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAtJ/EltA1L8BKCbihcUOHk0wcTxKLuNeNj+9dJB6vC7WMrRsgGFkk\
    ftV/hp8JONaBLDe6PWuopuCgCY0nfb8BCFHRBKnxZr/+V6UYrPTFilIea2s35Iqx1VZzPk+4VKdxA4QRKFb67NXlVd+WAgdZQNSDLtBGtfFuI5zIshYZp/0C\
    AwEAAaNTMFEwHQYDVR0OBBYEFOSizmOHdJk3NSynSccquz5o0irWMB8GA1UdIwQYMBaAFOSizmOHdJk3NSynSccquz5o0irWMA8GA1UdEwEB/wQFMAMBAf8w\
    DQYJKoZIhvcNAQELBQADgYEAGHpTuZLZy114p0WDZdTF7Xq6rV+ZP93mEgF4gz8DAKTkobd+po3Kq9BDYGRyhPd9qrd37JMXfy2c720JMFGN6b5p1vt2ANH+\
    I9rkgKT4VtleFhMUwuzgKk2bpZkLsBJykTQdL7aCIwNzh9O4q4q4dosS3AHucIKWCwXjhTj7lQ8=";
const P_256: &str = "MIIBcDCCARWgAwIBAgIUJEITa+Bze0dVBgoorIzxrX6u714wCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBZTAgFw0yNjExMjgwMzI2MDFaGA8yMTI2MTEwNDAz\
    MjYwMVowDDEKMAgGA1UEAwwBZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF7D1EmqsFSTGADO1Z7ADwfBOblkYF3XcgC69SBmTvHTake7KwsJNEW/lom7\
    SAgDEmly5+wQmlE6SgJ+hoHWFuGjUzBRMB0GA1UdDgQWBBToCXvYXNGwpgRwXEr1DPmWUqnLLzAfBgNVHSMEGDAWgBToCXvYXNGwpgRwXEr1DPmWUqnLLzAP\
    BgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQDENawTOJ158x9KoERT+wUfrtG/OpmozFSOcOxy3SqB2gIhAJml2QY8Hs/KjGQwExO+m9tUISOj\
    WK6trTpm3jNzemyo";

fn with_certificate(certificate: &str) -> String {
    let list = format!(
        "<c:DeliveryDataList><c:DeliveryData id=\"origin\"><c:DeliveryKey><d:X509Data xmlns:d=\"http://www.w3.org/2000/09/xmldsig#\">\
         <d:X509Certificate>{certificate}</d:X509Certificate></d:X509Data></c:DeliveryKey></c:DeliveryData></c:DeliveryDataList>"
    );
    two_tracks("cbcs", &[WIDEVINE]).replace("<c:ContentKeyList>", &format!("{list}<c:ContentKeyList>"))
}

/// A certificate with nothing in its fields but the public key.
fn certificate(public_key: &[u8]) -> String {
    let sequence = |content: &[u8]| [&[0x30, 0x82][..], &u16::try_from(content.len()).unwrap().to_be_bytes(), content].concat();
    let fields = [&[0xA0, 3, 2, 1, 2, 2, 1, 1][..], &[0x30, 0].repeat(4), public_key].concat();
    base64(&sequence(&[&sequence(&fields)[..], &[0x30, 0, 3, 1, 0]].concat()))
}

#[test]
fn keys_are_encrypted_to_the_recipient() {
    let private = PrivateDecryptingKey::generate(KeySize::Rsa2048).unwrap();
    let public: PublicKeyX509Der<'static> = private.public_key().as_der().unwrap();
    let private = OaepPrivateDecryptingKey::new(private).unwrap();
    let decrypt = |cipher_text: &[u8]| {
        let mut buffer = vec![0; private.min_output_size()];
        private.decrypt(&OAEP_SHA1_MGF1SHA1, cipher_text, &mut buffer, None).unwrap().to_vec()
    };
    let certificate = certificate(public.as_ref());
    let lines: Vec<_> = certificate.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let document = with_certificate(&format!("\n  {}&#13;\n", lines.join("\n  ")));
    let reply = filled(&document, V2_0);
    assert!(!reply.contains("PlainValue"));
    assert_ne!(filled(&document, V2_0), reply, "keys of a document are new ones in each reply");
    let elements = elements(&reply);
    let bytes = |end: &str| {
        let values = elements.iter().filter(|element| element.path.ends_with(end));
        values.map(|element| from_base64(&element.text).unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(bytes("cpix:DeliveryKey/ds:X509Data/ds:X509Certificate"), [from_base64(&certificate).unwrap()]);
    let document_key = decrypt(&bytes("cpix:DocumentKey/cpix:Data/pskc:Secret/pskc:EncryptedValue/enc:CipherData/enc:CipherValue")[0]);
    let mac_key = decrypt(&bytes("cpix:MACMethod/cpix:Key/pskc:EncryptedValue/enc:CipherData/enc:CipherValue")[0]);
    assert_eq!([document_key.len(), mac_key.len()], [32, 64]);
    let (values, macs) = (bytes("/enc:CipherValue"), bytes("/pskc:ValueMAC"));
    assert_eq!([values.len(), macs.len()], [4; 2]);
    for (value, mac) in values.iter().zip(&macs) {
        let mut hmac = Hmac::<Sha512>::new_from_slice(&mac_key).unwrap();
        hmac.update(value);
        assert_eq!(hmac.finalize().into_bytes().to_vec(), *mac);
    }
    for (value, kid) in values[2..].iter().zip([VIDEO, AUDIO]) {
        let (iv, cipher_text) = value.split_at(16);
        let cipher = cbc::Decryptor::<Aes256>::new_from_slices(&document_key, iv).unwrap();
        assert_eq!(cipher.decrypt_padded_vec::<Pkcs7>(cipher_text).unwrap(), derived("key", "abc123", &uuid(kid)));
    }
    assert_ne!(values[2][..16], values[3][..16], "each key has an IV of its own");
    let v1 = document.replace("contentId", "id");
    assert!(!filled(&v1, V1).contains("PlainValue"));
}

#[test]
fn certificates_without_a_strong_rsa_key_are_refused() {
    let outcome = |certificate: &str| super::answer(with_certificate(certificate).as_bytes(), V2_0, super::KeyIds::Requested);
    assert!(outcome(RSA_2048).is_ok());
    let direct = with_certificate(RSA_2048).replace("<d:X509Data xmlns", "<d:X509Certificate xmlns");
    let direct = direct.replace("<d:X509Certificate>", "").replace("</d:X509Data>", "");
    assert!(filled(&direct, V2_0).contains("<cpix:DeliveryKey><ds:X509Certificate>"));
    for certificate in ["", "x", "AAAA", RSA_1024, P_256, &RSA_2048[4..], &RSA_2048[..400], &format!("{RSA_2048}AAAA")] {
        let error = outcome(certificate).expect_err(certificate);
        assert_eq!(error.to_string(), "Invalid DeliveryKey certificate");
    }
}
