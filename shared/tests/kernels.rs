//! Every kernel gives the same outcome for each id as the crate `aes-siv`.
//!
//! Kernels that this processor does not support are reported and not compared.
//! `tests/clients/fused` runs these tests on a processor that supports all.

use std::collections::HashMap;

use aes_siv::{KeyInit, siv::Aes256Siv};
use proptest::prelude::*;
use shared::{
    encoding::base64url,
    identity::{
        ClientKeys, Code, Direction, Domain, Id, Kind, Packet, Scopes,
        packet::{DomainKeys, KeyVersion},
        translate::{Batch, IdError, Kernel},
    },
    secret::Secret,
};

const NOW: u64 = 100;

type Outcome = Result<String, Code>;

fn kernels() -> impl Iterator<Item = Kernel> {
    Kernel::ALL.into_iter().filter(|kernel| {
        let available = kernel.available();
        if !available {
            println!("NOT COMPARED on this processor: the {kernel} kernel");
        }
        available
    })
}

/// Four domains, each with two versions of its key.
struct Fixture {
    client_keys: ClientKeys,
    scopes: Scopes,
    keys: HashMap<Domain, [[u8; 64]; 2]>,
}

impl Fixture {
    fn new(seed: u8) -> Self {
        let key = |domain: u8, version: u8| {
            std::array::from_fn(|byte| seed ^ (domain * 2 + version) ^ u8::try_from(byte).expect("64 bytes").wrapping_mul(37))
        };
        let keys: HashMap<Domain, _> = (0..4).map(|index| (domain(index), [key(index, 0), key(index, 1)])).collect();
        let domains = keys.iter().map(|(&domain, keys)| DomainKeys {
            domain,
            keys: (0..)
                .zip(keys)
                .map(|(at, key)| KeyVersion { kid: at.to_string(), not_before: at, not_after: None, key: Secret::new(*key) })
                .collect(),
        });
        let client_keys = ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: NOW + 1, domains: domains.collect() });
        let all = |from| (0..4).map(move |to| Direction { from: domain(from), to: domain(to) });
        Self { client_keys, scopes: (0..4).flat_map(all).collect(), keys }
    }

    /// Mints an id under the current or the previous key.
    fn id(&self, kind: Kind, from: u8, payload: [u8; 32], previous: bool) -> String {
        self.client_keys.mint(kind, domain(from), &payload[..kind.payload_len()], u64::from(!previous)).expect("a key").to_string()
    }

    fn expected(&self, text: &[u8], to: Domain) -> Outcome {
        let id = Id::parse(text).map_err(|_| Code::I001)?;
        if id.domain == to {
            return Err(Code::I000);
        }
        let cipher = |key: &[u8; 64]| Aes256Siv::new_from_slice(key).expect("a key of 64 bytes");
        let body = [&id.tag()[..], id.payload()].concat();
        let open = |key: &[u8; 64]| cipher(key).decrypt([id.kind.label(id.domain)], &body).ok();
        let payload = self.keys[&id.domain].iter().rev().find_map(open).ok_or(Code::E002)?;
        let label = id.kind.label(to);
        let sealed = cipher(&self.keys[&to][1]).encrypt([label], &payload).expect("an id is short");
        Ok(String::from_utf8(label.to_vec()).expect("ASCII") + &base64url(&sealed))
    }

    fn translate(&self, kernel: Kernel, ids: &[(Vec<u8>, Domain)], chunk: usize) -> Vec<Outcome> {
        let mut batch = Batch::new(&self.client_keys, &self.scopes, NOW).with_kernel(kernel);
        let mut outcomes = Vec::new();
        for ids in ids.chunks(chunk) {
            for (id, to) in ids {
                batch.push(id, Some(*to)).expect("a batch within its limits");
            }
            let text = |id: &[u8]| String::from_utf8(id.to_vec()).expect("ASCII");
            outcomes.extend(batch.drain().map(|outcome| outcome.map(text).map_err(IdError::code)));
        }
        outcomes
    }

    fn compare(&self, ids: &[(Vec<u8>, Domain)], chunk: usize) {
        let expected: Vec<Outcome> = ids.iter().map(|(id, to)| self.expected(id, *to)).collect();
        for kernel in kernels() {
            for ((id, to), (found, expected)) in ids.iter().zip(self.translate(kernel, ids, chunk).iter().zip(&expected)) {
                assert_eq!(found, expected, "{kernel}: {} to {to}", String::from_utf8_lossy(id));
            }
        }
    }
}

fn domain(index: u8) -> Domain {
    format!("100{index}").parse().expect("a domain")
}

/// Each position of the body takes each value of a byte.
#[test]
fn every_byte_at_every_position_matches_aes_siv() {
    let fixture = Fixture::new(7);
    for kind in [Kind::Maintained, Kind::Derived] {
        let id = fixture.id(kind, 0, std::array::from_fn(|byte| u8::try_from(byte * 7).unwrap()), false);
        let altered = (6..id.len()).flat_map(|position| {
            let id = id.as_bytes();
            (0..=255).map(move |byte| {
                let mut altered = id.to_vec();
                altered[position] = byte;
                (altered, domain(1))
            })
        });
        fixture.compare(&altered.collect::<Vec<_>>(), 256);
    }
}

/// The lengths cover whole groups, partial groups and single ids.
#[test]
fn batches_of_every_length_match_aes_siv() {
    let fixture = Fixture::new(8);
    for kind in Kind::ALL {
        for length in (1..=130).chain([191, 192, 193, 1023, 1024, 1025]) {
            let id = |index: u16| fixture.id(kind, 2, std::array::from_fn(|byte| index.to_le_bytes()[byte % 2]), false).into_bytes();
            let ids: Vec<_> = (0..length).map(|index| (id(index), domain(3))).collect();
            fixture.compare(&ids, ids.len());
        }
    }
}

/// An id of a mixed batch.
#[derive(Clone, Debug)]
struct Item {
    kind: Kind,
    from: u8,
    to: u8,
    payload: [u8; 32],
    previous: bool,
    /// A position to overwrite, and the byte to write.
    altered: Option<(prop::sample::Index, u8)>,
}

fn item() -> impl Strategy<Value = Item> {
    let altered = prop::option::weighted(0.1, (any::<prop::sample::Index>(), any::<u8>()));
    (prop::sample::select(Kind::ALL.to_vec()), 0..4_u8, 0..4_u8, any::<[u8; 32]>(), prop::bool::weighted(0.2), altered)
        .prop_map(|(kind, from, to, payload, previous, altered)| Item { kind, from, to, payload, previous, altered })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn mixed_batches_match_aes_siv(items in prop::collection::vec(item(), 1..400), chunk in 1..300_usize, seed in any::<u8>()) {
        let fixture = Fixture::new(seed);
        let ids: Vec<_> = items.iter().map(|item| {
            let mut id = fixture.id(item.kind, item.from, item.payload, item.previous).into_bytes();
            if let Some((position, byte)) = item.altered {
                let position = position.index(id.len());
                id[position] = byte;
            }
            (id, domain(item.to))
        }).collect();
        // An altered domain may not be in the scopes.
        let ids: Vec<_> = ids.into_iter().filter(|(id, _)| Id::parse(id).map_or(true, |id| fixture.keys.contains_key(&id.domain))).collect();
        fixture.compare(&ids, chunk);
    }
}
