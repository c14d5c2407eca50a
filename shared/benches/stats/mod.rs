//! Statistics and the name of the processor.

use std::{env, fs};

/// The median of rates.
pub fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// The model name of this machine's processor.
pub fn processor() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info.lines().find_map(|line| line.strip_prefix("model name")).map(|name| name.trim_start_matches(['\t', ' ', ':']));
    name.unwrap_or(env::consts::ARCH).to_owned()
}
