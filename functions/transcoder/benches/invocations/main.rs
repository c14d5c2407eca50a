//! Throughput of `POST /invocations` over loopback, with client and server on the same cores: the
//! transcoder's binary and a baseline server, in one run.
//!
//! `cargo bench -p transcoder --bench invocations --profile deploy` measures the deployed build. An
//! argument after `--` selects the bodies whose names contain it.

mod authority;
mod baseline;
mod bodies;
mod client;
mod http;

use std::{thread, time::Duration};

use authority::Container;
use bodies::Case;
use client::{Measurement, Target};

/// The measurements per case, alternating with those of the other cases. Their median is printed.
const ROUNDS: usize = 5;
/// The duration of one measurement.
const ROUND_DURATION: Duration = Duration::from_millis(1200);

/// The vendor's tiers, with their ids per second and vCPU.
const TIERS: [(&str, f64); 3] = [("10K", 5000.0), ("100K", 6250.0), ("1Million", 5556.0)];

fn main() {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{}, {cores} cores; {}", processor(), shared::identity::translate::Kernel::fastest());
    let container = Container::start();
    let baseline_address = baseline::start();
    // Cargo adds `--bench`.
    let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    let cases = bodies::cases();
    let transcoder = Target { address: container.address, token: &container.smart_token };
    let baseline = Target { address: baseline_address, token: "" };
    let mut results: Vec<(&Case, usize, Vec<Measurement>)> = cases
        .iter()
        .filter(|case| case.name.contains(&filter))
        .flat_map(|case| [1, cores, 2 * cores].map(|connections| (case, connections, Vec::new())))
        .collect();
    let mut baseline_measurements = Vec::new();
    for _ in 0..ROUNDS {
        for (case, connections, measurements) in &mut results {
            measurements.push(transcoder.run(case, *connections, ROUND_DURATION));
        }
        baseline_measurements.push(baseline.run(&cases[0], 2 * cores, ROUND_DURATION));
    }
    let baseline_median = median(&mut baseline_measurements);
    println!("\nmedians of {ROUNDS} rounds of {ROUND_DURATION:?}, client included\n");
    println!("{:<34} {:>5} {:>10} {:>8} {:>8} {:>8} {:>8}", "body", "conns", "M ids/s", "p50 ms", "p99 ms", "MB/s in", "x base");
    let line = |name: &str, connections: usize, measurement: &Measurement| {
        let (rate, ratio) = (measurement.ids_per_second / 1e6, measurement.ids_per_second / baseline_median.ids_per_second);
        let (p50, p99) = (measurement.p50.as_secs_f64() * 1e3, measurement.p99.as_secs_f64() * 1e3);
        println!("{name:<34} {connections:>5} {rate:>10.2} {p50:>8.2} {p99:>8.2} {:>8.0} {ratio:>8.1}", measurement.bytes_per_second / 1e6);
    };
    for (case, connections, measurements) in &mut results {
        line(case.name, *connections, &median(measurements));
    }
    line("baseline, 10,000 objects", 2 * cores, &baseline_median);
    let huge = bodies::huge();
    for small in cases.iter().filter(|case| case.name.contains(&filter) && case.ids <= 1000) {
        let (under_load, huge) = thread::scope(|scope| {
            let huge = scope.spawn(|| transcoder.run(&huge, 1, 3 * ROUND_DURATION));
            (transcoder.run(small, 1, 2 * ROUND_DURATION), huge.join().expect("a connection does not fail"))
        });
        line(&format!("{}, under load", small.name), 1, &under_load);
        line("the load: 240,000 objects", 1, &huge);
    }
    let best = median(&mut results.get_mut(2).expect("a body's name contains the filter").2);
    #[expect(clippy::cast_precision_loss, reason = "a count of cores")]
    let per_core = best.ids_per_second / cores as f64;
    println!();
    for (tier, rate) in TIERS {
        println!(
            "{:<10} {rate:>6} ids/s per vCPU: x {:.0} ({:.2} M ids/s per core here, client included)",
            tier,
            per_core / rate,
            per_core / 1e6
        );
    }
}

fn median(measurements: &mut [Measurement]) -> Measurement {
    measurements.sort_by(|a, b| a.ids_per_second.total_cmp(&b.ids_per_second));
    measurements[measurements.len() / 2]
}

/// The processor's model name.
fn processor() -> String {
    let cpuinfo = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown processor", |(_, name)| name).to_owned()
}
