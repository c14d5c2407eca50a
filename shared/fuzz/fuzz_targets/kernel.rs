//! For any ids in any order, each kernel of this processor gives the same outcomes as one id at a
//! time.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use shared::{
    identity::{
        ClientKeys, Direction, Domain, Kind, Packet, Scopes,
        packet::{DomainKeys, KeyVersion},
        translate::{Batch, IdError, Kernel},
    },
    secret::Secret,
};

static KEYS: LazyLock<(ClientKeys, Scopes)> = LazyLock::new(|| {
    let version = |kid: &str, not_before, key| KeyVersion { kid: kid.into(), not_before, not_after: None, key: Secret::new([key; 64]) };
    let keys =
        |domain: &str, key| DomainKeys { domain: domain.parse().unwrap(), keys: vec![version("0", 0, key), version("1", 1, key + 1)] };
    let domains = vec![keys("1005", 1), keys("1006", 3), keys("1007", 5)];
    let codes: Vec<Domain> = domains.iter().map(|entry| entry.domain).collect();
    let scopes = codes.iter().flat_map(|&from| codes.iter().map(move |&to| Direction { from, to })).collect();
    (ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: 10, domains }), scopes)
});

/// Five bytes for each id: kind, domains and key version; a payload; a position and the bits to
/// flip there.
fn ids(bytes: &[u8]) -> Vec<(Vec<u8>, Option<Domain>)> {
    let keys = &KEYS.0;
    let domain = |number: u8| format!("100{}", 5 + number % 4).parse::<Domain>().unwrap();
    let items = bytes.chunks_exact(5).map(|item| {
        let kind = Kind::ALL[usize::from(item[0] % 5)];
        let payload = [item[2]; 32];
        let minted = keys.mint(kind, domain(item[1]), &payload[..kind.payload_len()], u64::from(item[0] & 0x80 == 0));
        let mut id = minted.map_or_else(|_| b"XY".to_vec(), |id| id.to_string().into_bytes());
        let position = usize::from(item[3]) % id.len();
        id[position] ^= item[4];
        (id, Some(domain(item[1] >> 2)))
    });
    items.collect()
}

fn translate(kernel: Kernel, ids: &[(Vec<u8>, Option<Domain>)], chunk: usize) -> Vec<Result<Vec<u8>, IdError>> {
    let (keys, scopes) = &*KEYS;
    let mut batch = Batch::new(keys, scopes, 1).with_kernel(kernel);
    let mut outcomes = Vec::new();
    for ids in ids.chunks(chunk) {
        for (id, target) in ids {
            batch.push(id, *target).unwrap();
        }
        outcomes.extend(batch.drain().map(|outcome| outcome.map(<[u8]>::to_vec)));
    }
    outcomes
}

fuzz_target!(|bytes: &[u8]| {
    let ids = ids(bytes);
    let one_by_one = translate(Kernel::Batched, &ids, 1);
    for kernel in Kernel::ALL.into_iter().filter(|kernel| kernel.available()) {
        assert_eq!(translate(kernel, &ids, 1024), one_by_one, "{kernel}");
    }
});
