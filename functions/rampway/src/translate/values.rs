//! Parsers of the values of `rampway translate`'s arguments.

use std::num::NonZero;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use files::{Compression, Format};

const MAX_IN_FLIGHT: usize = 64;

pub(super) fn format() -> impl TypedValueParser<Value = Format> {
    one_of(Format::ALL.map(|format| {
        let help = match format {
            Format::Csv => "Comma-separated values, or separated by --delimiter",
            Format::Tsv => "Tab-separated values",
            Format::JsonLines => "One JSON object on each line",
            Format::Parquet => "Apache Parquet",
        };
        (format, format.extension(), help)
    }))
}

pub(super) fn compression() -> impl TypedValueParser<Value = Compression> {
    one_of(Compression::ALL.map(|compression| {
        let help = match compression {
            Compression::None => "No compression",
            Compression::Gzip => "gzip",
            Compression::Zstd => "Zstandard",
        };
        (compression, compression.name(), help)
    }))
}

/// Returns a parser of named values, each with its help.
fn one_of<T: Clone + Send + Sync + 'static, const N: usize>(
    values: [(T, &'static str, &'static str); N],
) -> impl TypedValueParser<Value = T> {
    let names = values.clone().map(|(_, name, help)| PossibleValue::new(name).help(help));
    let value = move |name: String| values.iter().find(|(_, known, _)| *known == name).map(|(value, ..)| value.clone());
    PossibleValuesParser::new(names).try_map(move |name| value(name).ok_or("not a possible value"))
}

/// Parses a delimiter, which must not occur in ids, quotes and line ends.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        br"\t" => Ok(b'\t'),
        &[byte] if !byte.is_ascii_alphanumeric() && !b"\"-_\r\n".contains(&byte) => Ok(byte),
        [_] => Err("ids, quotes or line ends contain this character".into()),
        _ => Err(r"pass one ASCII character, or \t for a tab".into()),
    }
}

pub(super) fn in_flight(text: &str) -> Result<NonZero<usize>, String> {
    let number = text.parse().ok().filter(|number: &NonZero<usize>| number.get() <= MAX_IN_FLIGHT);
    number.ok_or_else(|| format!("pass a number from 1 to {MAX_IN_FLIGHT}"))
}

pub(super) fn share(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|share| (0.0..=1.0).contains(share)).ok_or("pass a number from 0 to 1, such as 0.01".into())
}
