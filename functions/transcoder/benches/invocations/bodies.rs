//! The request bodies.

use serde_json::json;
use shared::identity::{ClientKeys, Kind};

use crate::authority::{DOMAINS, now, packet};

/// A request body without its token.
pub struct Case {
    pub name: &'static str,
    pub ids: usize,
    pub content_type: &'static str,
    pub attributes: &'static str,
    data: String,
}

impl Case {
    /// The body with a smart token.
    pub fn body(&self, token: &str) -> String {
        if self.content_type == "text/csv" {
            return format!("#smart_token={token}\n{}", self.data);
        }
        format!(r#"{{"rpc":"request","smart_token":"{token}","transcode_data":{}}}"#, self.data)
    }
}

pub fn cases() -> [Case; 9] {
    let minter = Minter { keys: ClientKeys::new(packet()) };
    let json = |name, ids, data: String| Case { name, ids, content_type: "application/json", attributes: "", data };
    let one_object = |index: usize| object(&minter.id(Kind::Maintained, 0, index), DOMAINS[4]);
    let many = |count: usize, object: &dyn Fn(usize) -> String| format!("[{}]", (0..count).map(object).collect::<Vec<_>>().join(","));
    let ids: Vec<String> = (0..10_000).map(|index| minter.id(Kind::Maintained, 0, index)).collect();
    [
        json("10,000 objects", 10_000, many(10_000, &one_object)),
        json("10,000 grouped", 10_000, json!([{"target": DOMAINS[4], "values": ids}]).to_string()),
        json("1,000 objects", 1000, many(1000, &one_object)),
        json("100 objects", 100, many(100, &one_object)),
        json(
            "10,000 objects, 4x4 random pairs",
            10_000,
            many(10_000, &|index| {
                // Pseudorandom, and the same in each run.
                let random = index.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                object(&minter.id(Kind::Maintained, random % 4, index), DOMAINS[4 + random / 4 % 4])
            }),
        ),
        json(
            "10,000 objects, 1 % bad",
            10_000,
            many(10_000, &|index| {
                let mut id = minter.id(Kind::Maintained, 0, index);
                if index % 100 == 50 {
                    id.replace_range(20..21, if &id[20..21] == "A" { "B" } else { "A" });
                }
                object(&id, DOMAINS[4])
            }),
        ),
        json("10,000 objects, Xi", 10_000, many(10_000, &|index| object(&minter.id(Kind::Derived, 0, index), DOMAINS[4]))),
        Case {
            name: "10,000 CSV lines, one target",
            ids: 10_000,
            content_type: "text/csv",
            attributes: "target=2001",
            data: ids.join("\n"),
        },
        json(
            "10,000 objects, keys in another order",
            10_000,
            many(10_000, &|index| {
                format!(r#"{{"row": {index}, "target": "{}", "value": "{}"}}"#, DOMAINS[4], minter.id(Kind::Maintained, 0, index))
            }),
        ),
    ]
}

/// A body close to the maximum number of ids per request: 240,000 ids in 18 MB.
pub fn huge() -> Case {
    let minter = Minter { keys: ClientKeys::new(packet()) };
    let objects: Vec<String> = (0..240_000).map(|index| object(&minter.id(Kind::Maintained, 0, index), DOMAINS[4])).collect();
    let data = format!("[{}]", objects.join(","));
    Case { name: "240,000 objects", ids: 240_000, content_type: "application/json", attributes: "", data }
}

fn object(id: &str, target: &str) -> String {
    format!(r#"{{"value":"{id}","target":"{target}"}}"#)
}

struct Minter {
    keys: ClientKeys,
}

impl Minter {
    fn id(&self, kind: Kind, domain: usize, index: usize) -> String {
        let mut payload = [7; 32];
        payload[..8].copy_from_slice(&index.to_be_bytes());
        let id = self.keys.mint(kind, DOMAINS[domain].parse().expect("a domain"), &payload[..kind.payload_len()], now());
        id.expect("the domain has a key").to_string()
    }
}
