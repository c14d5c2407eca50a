//! `/invocations` over loopback, client and server on the same cores: the transcoder's own binary beside an obvious server, in one run.
//!
//! `cargo bench -p transcoder --bench invocations --profile deploy` builds and measures what is deployed; a word after `--` keeps to the bodies
//! with it in their names.

mod authority;
mod bodies;
mod client;
mod obvious;

use std::{thread, time::Duration};

use authority::Container;
use bodies::Case;
use client::{Load, Measured};

/// Each case is measured so often, in turn with the others, and the median is printed.
const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_millis(1200);

/// The vendor's tiers, and their ids per second and vCPU.
const TIERS: [(&str, f64); 3] = [("10K", 5000.0), ("100K", 6250.0), ("1Million", 5556.0)];

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{}, {cores} cores; {}", processor(), shared::identity::translate::Kernel::fastest());
    let container = Container::start();
    let obvious = obvious::start();
    // Cargo adds `--bench`.
    let word = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let cases = bodies::cases();
    let ours = Load { address: container.address, token: &container.smart_token };
    let theirs = Load { address: obvious, token: "" };
    let mut figures: Vec<(&Case, usize, Vec<Measured>)> = cases
        .iter()
        .filter(|case| case.name.contains(&word))
        .flat_map(|case| [1, cores, 2 * cores].map(|connections| (case, connections, Vec::new())))
        .collect();
    let mut natural = Vec::new();
    for _ in 0..ROUNDS {
        for (case, connections, measured) in &mut figures {
            measured.push(ours.run(case, *connections, ROUND));
        }
        natural.push(theirs.run(&cases[0], 2 * cores, ROUND));
    }
    let natural = median(&mut natural);
    println!("\nmedians of {ROUNDS} rounds of {ROUND:?}, client included\n");
    println!("{:<34} {:>5} {:>10} {:>8} {:>8} {:>8} {:>8}", "body", "conns", "M ids/s", "p50 ms", "p99 ms", "MB/s in", "x obv.");
    let line = |name: &str, connections: usize, measured: &Measured| {
        let (rate, ratio) = (measured.ids / 1e6, measured.ids / natural.ids);
        let (p50, p99) = (measured.p50.as_secs_f64() * 1e3, measured.p99.as_secs_f64() * 1e3);
        println!("{name:<34} {connections:>5} {rate:>10.2} {p50:>8.2} {p99:>8.2} {:>8.0} {ratio:>8.1}", measured.bytes / 1e6);
    };
    for (case, connections, measured) in &mut figures {
        line(case.name, *connections, &median(measured));
    }
    line("obvious server, 10,000 objects", 2 * cores, &natural);
    let huge = bodies::huge();
    for small in cases.iter().filter(|case| case.name.contains(&word) && case.ids <= 1000) {
        let (beside, huge) = thread::scope(|scope| {
            let huge = scope.spawn(|| ours.run(&huge, 1, 3 * ROUND));
            (ours.run(small, 1, 2 * ROUND), huge.join().expect("a connection does not fail"))
        });
        line(&format!("{}, beside the next", small.name), 1, &beside);
        line("240,000 objects a request", 1, &huge);
    }
    let best = median(&mut figures.get_mut(2).expect("a body has this word in its name").2);
    #[expect(clippy::cast_precision_loss, reason = "a count of cores")]
    let per_core = best.ids / cores as f64;
    println!();
    for (tier, rate) in TIERS {
        println!(
            "{:<10} {rate:>6} ids/s a vCPU: x {:.0} ({:.2} M ids/s a core here, its client's share included)",
            tier,
            per_core / rate,
            per_core / 1e6
        );
    }
}

fn median(measured: &mut [Measured]) -> Measured {
    measured.sort_by(|a, b| a.ids.total_cmp(&b.ids));
    measured[measured.len() / 2]
}

/// What this machine's processor calls itself.
fn processor() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("an unnamed processor", |(_, name)| name).to_owned()
}
