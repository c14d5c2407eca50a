//! Known answers from the standards, and Rampway's own for second implementations.

use aes_siv::{
    KeyInit,
    siv::{Aes128Siv, Aes256Siv},
};
use shared::{
    crypto::{
        jwe::{self, PrivateKey, cbc_hmac},
        jws::{self, KeySet, SigningKey},
        siv::Key,
    },
    encoding::{from_base64url, from_hex},
    identity::{
        ClientKeys, Direction, Domain, Id, Kind, Packet, Scopes,
        packet::{DomainKeys, KeyVersion},
        translate::Batch,
    },
    secret::Secret,
};

fn hex(text: &str) -> Vec<u8> {
    from_hex(&text.replace(char::is_whitespace, "")).expect("a vector is hexadecimal")
}

/// The bytes 0, 1, 2 and so on.
fn counted<const N: usize>() -> [u8; N] {
    std::array::from_fn(|index| u8::try_from(index).expect("fewer than 256"))
}

/// RFC 5297, appendix A. The crate `aes-siv` is the oracle of `laws.rs`, `kernels.rs` and the tests
/// below.
#[test]
fn the_oracle_of_siv_passes_rfc_5297() {
    // A.1: deterministic authenticated encryption.
    let key = hex("fffefdfc fbfaf9f8 f7f6f5f4 f3f2f1f0 f0f1f2f3 f4f5f6f7 f8f9fafb fcfdfeff");
    let associated = hex("10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627");
    let mut cipher = Aes128Siv::new_from_slice(&key).unwrap();
    let sealed = cipher.encrypt([&associated], &hex("11223344 55667788 99aabbcc ddee")).unwrap();
    assert_eq!(sealed, hex("85632d07 c6e8f37f 950acd32 0a2ecc93 40c02b96 90c4dc04 daef7f6a fe5c"));
    // A.2: nonce-based authenticated encryption.
    let key = hex("7f7e7d7c 7b7a7978 77767574 73727170 40414243 44454647 48494a4b 4c4d4e4f");
    let associated = [
        hex("00112233 44556677 8899aabb ccddeeff deaddada deaddada ffeeddcc bbaa9988 77665544 33221100"),
        hex("10203040 50607080 90a0"),
        hex("09f91102 9d74e35b d84156c5 635688c0"),
    ];
    let content = hex("74686973 20697320 736f6d65 20706c61 696e7465 78742074 6f20656e 63727970 74207573 696e6720 5349562d 414553");
    let mut cipher = Aes128Siv::new_from_slice(&key).unwrap();
    let sealed = cipher.encrypt(&associated, &content).unwrap();
    assert_eq!(
        sealed,
        hex(
            "7bdb6e3b 432667eb 06f4d14b ff2fbd0f cb900f2f ddbe4043 26601965 c889bf17 dba77ceb 094fa663 b7a3f748 ba8af829 ea64ad54 4a272e9c 485b62a3 fd5c0d"
        )
    );
}

/// Rampway's vectors: key 00 01 … 3f, payload f0 f1 …, domain 1005. The oracle gives the same.
#[test]
fn ids_are_encoded_as_published() {
    let bytes: [u8; 64] = counted();
    let payload: [u8; 32] = counted().map(|index: u8| 0xf0_u8.wrapping_add(index));
    let domain: Domain = "1005".parse().unwrap();
    let published = [
        (Kind::Maintained, "XY100532NzIJlWQ7u52YvPRapJu0SehEMXLlUJTI_GQ_WdgaI"),
        (Kind::Derived, "Xi1005PdaBDZhZX-3a9A98VnD7RJmr8j80dHysFtLGf9gL2omsn_Sefh1zn8-AuypyNFBD"),
        (Kind::Household, "hY1005UH0IxNZO84abCfN2NsRyAVDZPNOCB7be6cQF0IRHv7M"),
        (Kind::Cookie, "Xc1005nnwTT3Hbz_aBnKRSqi4fjT0rSN-Yygm5_bASgZSPQC4CAvD9e97kOry5ytR_5Vy2"),
        (Kind::Mobile, "Xm1005iDDsnfQEqjFKI3oRvtt-QWChaskROZm8rJvUXA-F6WtrkH99iS1lHO_NBk_AXeY1"),
    ];
    for (kind, text) in published {
        let payload = &payload[..kind.payload_len()];
        let key = Key::new(&Secret::new(bytes));
        let mut sealed = payload.to_vec();
        let tag = key.seal(key.mask(&kind.label(domain)), &mut sealed);
        let mut oracle = Aes256Siv::new_from_slice(&bytes).unwrap();
        assert_eq!([&tag[..], &sealed].concat(), oracle.encrypt([kind.label(domain)], payload).unwrap());
        assert_eq!(Id::new(kind, domain, tag, &sealed).to_string(), text);
    }
}

/// The same ids in domain 1006 under key 3f 3e … 00.
#[test]
fn ids_are_translated_as_published() {
    let keys = |domain: &str, key: [u8; 64]| DomainKeys {
        domain: domain.parse().unwrap(),
        keys: vec![KeyVersion { kid: "1".into(), not_before: 0, not_after: None, key: Secret::new(key) }],
    };
    let up: [u8; 64] = counted();
    let down = up.map(|index| 63 - index);
    let packet = Packet { id: "p".into(), client_id: "c".into(), expires: 10, domains: vec![keys("1005", up), keys("1006", down)] };
    let client_keys = ClientKeys::new(packet);
    let direction = |from: &str, to: &str| Direction { from: from.parse().unwrap(), to: to.parse().unwrap() };
    let scopes: Scopes = [direction("1005", "1006"), direction("1006", "1005")].into_iter().collect();
    let mut batch = Batch::new(&client_keys, &scopes, 1);
    let published = ["XY100532NzIJlWQ7u52YvPRapJu0SehEMXLlUJTI_GQ_WdgaI", "XY1006vrJajVRiryvgFLKzFJx4AY8kN-nUiE5Nu3_kM7GeEtE"];
    for (id, to) in published.into_iter().zip(["1006", "1005"]) {
        batch.push(id.as_bytes(), to.parse().ok()).unwrap();
    }
    let translated: Vec<_> = batch.drain().map(|id| str::from_utf8(id.unwrap()).unwrap()).collect();
    assert_eq!(translated, [published[1], published[0]]);
}

/// RFC 7518, appendix B.3.
#[test]
fn content_encryption_passes_rfc_7518() {
    let key = Secret::new(counted());
    let iv: [u8; 16] = hex("1af38c2dc2b96ffdd86694092341bc04").try_into().unwrap();
    let content =
        b"A cipher system must not be required to be secret, and it must be able to fall into the hands of the enemy without inconvenience";
    let associated = b"The second principle of Auguste Kerckhoffs";
    let (cipher_text, tag) = cbc_hmac::seal(&key, &iv, associated, content);
    assert_eq!(
        cipher_text,
        hex("4affaaadb78c31c5da4b1b590d10ffbd3dd8d5d302423526912da037ecbcc7bd822c301dd67c373bccb584ad3e9279c2
             e6d12a1374b77f077553df829410446b36ebd97066296ae6427ea75c2e0846a11a09ccf5370dc80bfecbad28c73f09b3
             a3b75e662a2594410ae496b2e2e6609e31e6e02cc837f053d21f37ff4f51950bbe2638d09dd7a4930930806d0703b1f6")
    );
    assert_eq!(tag.to_vec(), hex("4dd3b4c088a7f45c216839645b2012bf2e6269a8c56a816dbc1b267761955bc5"));
    let opened = cbc_hmac::open(&key, &iv, associated, &cipher_text, &tag).unwrap();
    assert_eq!(*opened, content);
}

/// The examples of RFC 7516 have other algorithms than key packets.
#[test]
fn other_algorithms_of_rfc_7516_are_refused() {
    let recipient = PrivateKey::generate().unwrap();
    for text in [RFC_7516_A1, RFC_7516_A2, RFC_7516_A3] {
        assert_eq!(jwe::open_with(&recipient, text).unwrap_err(), jwe::Error::Malformed);
        assert_eq!(jwe::open(&Secret::new([0; 64]), "", text).unwrap_err(), jwe::Error::Malformed);
    }
}

/// RFC 7515, appendices A.2 and A.3, and RFC 8037, appendix A.4. Their claims lack the required
/// ones, which are checked after the signature: a valid signature gives [`jws::Error::Malformed`].
#[test]
fn signatures_of_the_standards_verify_and_altered_ones_do_not() {
    let keys = |key: &str| KeySet::from_json(&format!(r#"{{"keys":[{key}]}}"#)).unwrap();
    let rsa = keys(&format!(r#"{{"kty":"RSA","n":"{RFC_7515_A2_N}","e":"AQAB"}}"#));
    let p256 = keys(
        r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#,
    );
    let ed25519 = keys(r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#);
    let ed25519_token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    for (keys, token) in [(&rsa, RFC_7515_A2), (&p256, RFC_7515_A3), (&ed25519, ed25519_token)] {
        let verify = |token: &str| keys.verify::<serde_json::Value>(token, "joe", "us").unwrap_err();
        assert_eq!(verify(token), jws::Error::Malformed);
        let (head, signature) = token.rsplit_once('.').unwrap();
        let other = if signature.starts_with('A') { 'B' } else { 'A' };
        assert_eq!(verify(&format!("{head}.{other}{}", &signature[1..])), jws::Error::Signature);
    }
    // A.1 is HS256 and A.5 is unsigned: no key verifies them.
    let verify = |token: &str| rsa.verify::<serde_json::Value>(token, "joe", "us").unwrap_err();
    assert_eq!(verify(RFC_7515_A1), jws::Error::Algorithm);
    let (_, payload) = RFC_7515_A2.split_once('.').unwrap();
    let payload = payload.split_once('.').unwrap().0;
    assert_eq!(verify(&format!("eyJhbGciOiJub25lIn0.{payload}.")), jws::Error::Malformed);
}

/// RFC 8037, appendices A.2 and A.3.
#[test]
fn the_kid_of_a_signing_key_is_its_thumbprint() {
    let mut pkcs8 = hex("302e020100300506032b657004220420");
    pkcs8.extend(from_base64url("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap());
    assert_eq!(SigningKey::from_pkcs8(&pkcs8).unwrap().kid(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

const RFC_7515_A1: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0c\
    nVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const RFC_7515_A2: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetd\
    gtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZ\
    LgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9\
    QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC_7515_A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG\
    6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT\
    6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC_7515_A3: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L3\
    8VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const RFC_7516_A1: &str = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9kiMT03JGeipsEdY3mx_etLbbWSrF\
    r05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK2Da14B8S4rzVRltdYwam_lDp5XnZAYpQdb76FdIKLaVmqgfwX7XWRxv2322i-vDx\
    RfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0je81860ppamavo35UgoRdbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2LawVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.\
    48V1_ALb6US04U3b.5eym8TW_c8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.XFBoMYUZodetZdvTiFvSkQ";
const RFC_7516_A2: &str = "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.UGhIOguC7IuEvf_NPVaXsGMoLOmwvc1GyqlIKOK1nN94nHPoltGRhWhw7Zx0-kFm1NJn8LE9XShH59\
    _i8J0PH5ZZyNfGy2xGdULU7sHNF6Gp2vPLgNZ__deLKxGHZ7PcHALUzoOegEI-8E66jX2E4zyJKx-YxzZIItRzC5hlRirb6Y5Cl_p-ko3YvkkysZIFNPccxRU7qve1WYPx\
    qbb2Yw8kZqa2rMWI5ng8OtvzlV7elprCbuPhcCdZ6XDP0_F8rkXds2vE4X-ncOIM8hAYHHi29NX0mcKiRaD0-D-ljQTP-cFPgwCp6X-nZZd9OHBv-B3oWh2TbqmScqXMR4\
    gp_A.AxY8DCtDaGlsbGljb3RoZQ.KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.9hH0vgRfYgPnAHOd8stkvw";
const RFC_7516_A3: &str = "eyJhbGciOiJBMTI4S1ciLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.6KB707dM9YTIgHtLvtgWQ8mKwboJW3of9locizkDTHzBC2IlrT1oOQ.AxY8DCtDaGlsbGljb3RoZQ.\
    KDlTtXchhZTGufMYmOYGS4HffxPSUrfmqCHXaI9wOGY.U0m_YmjN04DJvceFICbCVQ";
