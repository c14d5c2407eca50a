//! The keys and permissions of a client with three domains.

use std::sync::LazyLock;

use shared::{
    identity::{
        ClientKeys, Direction, Packet, Scopes,
        packet::{DomainKeys, KeyVersion},
    },
    secret::Secret,
};

pub static KEYS: LazyLock<(ClientKeys, Scopes)> = LazyLock::new(|| {
    let keys = |domain: &str, key| DomainKeys {
        domain: domain.parse().expect("a domain"),
        keys: vec![KeyVersion { kid: "1".into(), not_before: 0, not_after: None, key: Secret::new([key; 64]) }],
    };
    let domains = vec![keys("1005", 1), keys("1006", 2), keys("1007", 3)];
    let direction = |from: &str, to: &str| Direction { from: from.parse().expect("a domain"), to: to.parse().expect("a domain") };
    let scopes = [direction("1005", "1006"), direction("1005", "1007"), direction("1006", "1007")];
    (ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: 10, domains }), scopes.into_iter().collect())
});
