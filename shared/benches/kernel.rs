//! Ids per second that one core translates, for each kernel of this processor, against a baseline
//! that translates one id at a time with the crate `aes-siv`.
//!
//! Run `cargo bench -p shared --bench kernel`. Results are medians of interleaved rounds. Compare
//! the ratios rather than machines.

mod stats;

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

use stats::{median, processor};

const IDS: usize = 20_000;
const ROUNDS: usize = 15;
const NOW: u64 = 100;

/// A workload: ids and their targets.
struct Case {
    name: &'static str,
    ids: Vec<(String, Domain)>,
}

fn main() {
    let fixture = Fixture::new();
    let cases = fixture.cases();
    let kernels: Vec<Kernel> = Kernel::ALL.into_iter().filter(|kernel| kernel.available()).collect();
    println!("{}; one core, {IDS} ids, medians of {ROUNDS} rounds, million ids per second (multiple of the baseline)", processor());
    print!("{:34}{:>10}", "", "baseline");
    for kernel in &kernels {
        print!("{:>28}", kernel.to_string());
    }
    println!();
    for case in &cases {
        let mut baseline = Vec::new();
        let mut kernel_rates = vec![Vec::new(); kernels.len()];
        for _ in 0..ROUNDS {
            baseline.push(million_per_second(IDS / 10, || fixture.baseline(&case.ids[..IDS / 10])));
            for (kernel, rates) in kernels.iter().zip(&mut kernel_rates) {
                rates.push(million_per_second(IDS, || fixture.batch(*kernel, &case.ids)));
            }
        }
        let baseline = median(baseline);
        print!("{:34}{baseline:>10.2}", case.name);
        for rates in kernel_rates {
            let rate = median(rates);
            print!("{:>28}", format!("{rate:.1} ({:.0}x)", rate / baseline));
        }
        println!();
    }
}

/// The keys of eight domains.
struct Fixture {
    client_keys: ClientKeys,
    scopes: Scopes,
    keys: Vec<(Domain, [u8; 64])>,
}

impl Fixture {
    fn new() -> Self {
        let keys: Vec<(Domain, [u8; 64])> =
            (0..8_u8).map(|index| (format!("10{index:02}").parse().expect("a domain"), [index + 1; 64])).collect();
        let version = |kid: &str, not_before, key| KeyVersion { kid: kid.into(), not_before, not_after: None, key: Secret::new(key) };
        let domains = keys
            .iter()
            .map(|(domain, key)| DomainKeys { domain: *domain, keys: vec![version("old", 0, [99; 64]), version("now", 1, *key)] })
            .collect();
        let client_keys = ClientKeys::new(Packet { id: "p".into(), client_id: "c".into(), expires: NOW + 1, domains });
        let scopes = keys.iter().flat_map(|(from, _)| keys.iter().map(|(to, _)| Direction { from: *from, to: *to })).collect();
        Self { client_keys, scopes, keys }
    }

    fn cases(&self) -> Vec<Case> {
        let domain = |index: usize| self.keys[index].0;
        let id = |index: usize, kind: Kind, from: usize, at: u64| {
            let payload: [u8; 32] = std::array::from_fn(|byte| (index >> (byte % 4 * 8)).to_le_bytes()[0]);
            self.client_keys.mint(kind, domain(from), &payload[..kind.payload_len()], at).expect("a key").to_string()
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
        let mut batch = Batch::new(&self.client_keys, &self.scopes, NOW).with_kernel(kernel);
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

    /// The baseline: expands the key and encrypts for each id.
    fn baseline(&self, ids: &[(String, Domain)]) -> usize {
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

/// Runs the work and returns its rate, in millions per second.
#[expect(clippy::cast_precision_loss, reason = "the result is printed with three digits")]
fn million_per_second(ids: usize, work: impl FnOnce() -> usize) -> f64 {
    let start = Instant::now();
    black_box(work());
    ids as f64 / start.elapsed().as_secs_f64() / 1e6
}
