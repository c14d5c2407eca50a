//! How many ids a second one core translates: every kernel of this processor, and the obvious way beside them in the same run.
//!
//! `cargo bench -p shared`. Figures are medians of interleaved rounds; compare the ratios, not machines.

mod figures;

use std::{hint::black_box, time::Instant};

use aes_siv::{KeyInit, siv::Aes256Siv};
use shared::{
    encoding::{base64url, from_base64url},
    identity::{
        ClientKeys, Direction, Domain, Kind, Packet, Scopes,
        packet::{DomainKeys, KeyVersion},
        translate::{Batch, Kernel},
    },
    secret::Secret,
};

use figures::{median, processor};

const IDS: usize = 20_000;
const ROUNDS: usize = 15;
const NOW: u64 = 100;

/// Ids and their targets, and the kind of them for the reader.
struct Case {
    name: &'static str,
    ids: Vec<(String, Domain)>,
}

fn main() {
    let world = World::new();
    let cases = world.cases();
    let kernels: Vec<Kernel> = Kernel::ALL.into_iter().filter(|kernel| kernel.available()).collect();
    println!("{}; one core, {IDS} ids, medians of {ROUNDS} rounds, million ids a second (times the obvious way's)", processor());
    print!("{:34}{:>10}", "", "obvious");
    for kernel in &kernels {
        print!("{:>28}", kernel.to_string());
    }
    println!();
    for case in &cases {
        let mut obvious = Vec::new();
        let mut ours = vec![Vec::new(); kernels.len()];
        for _ in 0..ROUNDS {
            obvious.push(rate(IDS / 10, || world.one_by_one(&case.ids[..IDS / 10])));
            for (kernel, rates) in kernels.iter().zip(&mut ours) {
                rates.push(rate(IDS, || world.batch(*kernel, &case.ids)));
            }
        }
        let obvious = median(obvious);
        print!("{:34}{obvious:>10.2}", case.name);
        for rates in ours {
            let ours = median(rates);
            print!("{:>28}", format!("{ours:.1} ({:.0}x)", ours / obvious));
        }
        println!();
    }
}

/// The keys of a few domains.
struct World {
    session: ClientKeys,
    scopes: Scopes,
    keys: Vec<(Domain, [u8; 64])>,
}

impl World {
    fn new() -> Self {
        let keys: Vec<(Domain, [u8; 64])> =
            (0..8_u8).map(|index| (format!("10{index:02}").parse().expect("a domain"), [index + 1; 64])).collect();
        let version = |kid: &str, not_before, key| KeyVersion { kid: kid.into(), not_before, not_after: None, key: Secret::new(key) };
        let domains = keys
            .iter()
            .map(|(domain, key)| DomainKeys { domain: *domain, keys: vec![version("old", 0, [99; 64]), version("now", 1, *key)] })
            .collect();
        let session = ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: NOW + 1, domains });
        let scopes = keys.iter().flat_map(|(from, _)| keys.iter().map(|(to, _)| Direction { from: *from, to: *to })).collect();
        Self { session, scopes, keys }
    }

    fn cases(&self) -> Vec<Case> {
        let domain = |index: usize| self.keys[index].0;
        let id = |index: usize, kind: Kind, from: usize, at: u64| {
            let payload: [u8; 32] = std::array::from_fn(|byte| (index >> (byte % 4 * 8)).to_le_bytes()[0]);
            self.session.mint(kind, domain(from), &payload[..kind.payload_len()], at).expect("a key").to_string()
        };
        let all = |of: &dyn Fn(usize) -> (String, usize)| (0..IDS).map(of).map(|(text, to)| (text, domain(to))).collect::<Vec<_>>();
        let mixed = |index: usize| index.wrapping_mul(0x9E37_79B1) >> 7;
        let good = |index| id(index, Kind::Maintained, 0, NOW);
        vec![
            Case { name: "XY", ids: all(&|index| (good(index), 1)) },
            Case { name: "Xi", ids: all(&|index| (id(index, Kind::Derived, 0, NOW), 1)) },
            Case {
                name: "XY, 4 x 4 domains at random",
                ids: all(&|index| (id(index, Kind::Maintained, mixed(index) & 3, NOW), 4 + (mixed(index) >> 2 & 3))),
            },
            Case { name: "all five kinds at random", ids: all(&|index| (id(index, Kind::ALL[mixed(index) % 5], 0, NOW), 1)) },
            Case {
                name: "XY, one in a hundred malformed",
                ids: all(&|index| {
                    if index % 100 == 7 { (good(index).replacen(|c: char| c.is_lowercase(), "*", 1), 1) } else { (good(index), 1) }
                }),
            },
            Case { name: "XY, all under a previous key", ids: all(&|index| (id(index, Kind::Maintained, 0, 0), 1)) },
        ]
    }

    fn batch(&self, kernel: Kernel, ids: &[(String, Domain)]) -> usize {
        let mut batch = Batch::new(&self.session, &self.scopes, NOW).with_kernel(kernel);
        let mut translated = 0;
        let mut drain = |batch: &mut Batch<'_>| translated += batch.drain().filter(|outcome| black_box(outcome).is_ok()).count();
        for (id, to) in ids {
            batch.push(id.as_bytes(), Some(*to)).expect("a batch within its limits");
            if batch.is_full() {
                drain(&mut batch);
            }
        }
        drain(&mut batch);
        translated
    }

    /// What a newcomer would write: the library's cipher with a key for each id.
    fn one_by_one(&self, ids: &[(String, Domain)]) -> usize {
        let key = |domain: &str| self.keys.iter().find(|(known, _)| known.as_str() == domain).map(|(_, key)| Aes256Siv::new(key.into()));
        let translate = |id: &str, to: &str| {
            let body = from_base64url(&id[6..])?;
            let payload = key(&id[2..6])?.decrypt([&id[..6]], &body).ok()?;
            let label = [&id[..2], to].concat();
            let body = key(to)?.encrypt([&label], &payload).ok()?;
            Some(label + &base64url(&body))
        };
        ids.iter().filter(|(id, to)| black_box(translate(id, to.as_str())).is_some()).count()
    }
}

/// Millions a second.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn rate(ids: usize, work: impl FnOnce() -> usize) -> f64 {
    let start = Instant::now();
    black_box(work());
    ids as f64 / start.elapsed().as_secs_f64() / 1e6
}
