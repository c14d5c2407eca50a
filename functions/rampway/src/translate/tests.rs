//! The options that command lines result in.

use std::num::NonZero;

use clap::{CommandFactory, Parser};

use super::*;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    translate: Translate,
}

fn options(line: &str) -> Result<Options, String> {
    let line = Line::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?;
    line.translate.options().map_err(|error| error.to_string())
}

#[test]
fn the_output_is_named_after_the_input_and_the_target() {
    for (line, output) in [
        ("a/b.csv --to 1006", "a/b.1006.csv"),
        ("b.c.tsv --to-column p", "b.c.translated.tsv"),
        ("ids --to 1006", "ids.1006.csv"),
        ("b.csv.gz --to 1006", "b.1006.csv.gz"),
        ("b.csv.gz --to 1006 --output-format parquet", "b.1006.parquet"),
        ("b.parquet --to 1006 --output-format jsonl", "b.1006.jsonl"),
    ] {
        assert_eq!(options(&format!("x --column id {line}")).unwrap().output, Location::Local(output.into()), "{line}");
    }
    assert_eq!(options("x - --column id --to 1006").unwrap().output, Location::Stdio);
}

#[test]
fn without_a_header_columns_are_numbered() {
    assert_eq!(options("x f.csv --column 2 --to 1006").unwrap().column, Column::Named("2".into()));
    let numbered = options("x f.csv --column 2 --to 1006 --no-header").unwrap().column;
    assert_eq!(numbered, Column::Numbered(NonZero::new(2).unwrap()));
    for column in ["0", "id"] {
        let error = options(&format!("x f.csv --column {column} --to 1006 --no-header")).unwrap_err();
        assert_eq!(error, format!("with --no-header, pass --column as a number from 1, not `{column}`"));
    }
}

#[test]
fn the_maximum_request_size_depends_on_the_transport() {
    for (line, bytes) in [
        ("", files::DEFAULT_API_REQUEST_BYTES),
        ("--via endpoint", files::DEFAULT_ENDPOINT_REQUEST_BYTES),
        ("--request-bytes 6000000", 6_000_000),
        ("--request-bytes 12000000 --via endpoint", 12_000_000),
    ] {
        assert_eq!(options(format!("x f.csv --column id --to 1006 {line}").trim_end()).unwrap().max_request_bytes, bytes, "{line}");
    }
    let help = Line::command().render_long_help().to_string();
    let defaults = [files::DEFAULT_API_REQUEST_BYTES, files::DEFAULT_ENDPOINT_REQUEST_BYTES];
    assert!(defaults.iter().all(|bytes| help.contains(&bytes.to_string())), "{help}");
}

#[test]
fn invalid_arguments_are_refused_with_a_reason() {
    for (line, reason) in [
        ("--to 106", "a domain is four letters or digits"),
        ("--to 10é", "a domain is four letters or digits"),
        ("--to 1006 --to-column p", "cannot be used with '--to-column <COLUMN>'"),
        ("--to 1006 --delimiter -", "contain this character"),
        ("--to 1006 --delimiter ab", "pass one ASCII character"),
        ("--to 1006 --in-flight 0", "pass a number from 1 to 64"),
        ("--to 1006 --in-flight 65", "pass a number from 1 to 64"),
        ("--to 1006 --request-bytes 4095", "pass --request-bytes as a number from 4096 to 6000000"),
        ("--to 1006 --request-bytes 7000000", "pass --request-bytes as a number from 4096 to 6000000"),
        ("--to 1006 --request-bytes 13000000 --via endpoint", "pass --request-bytes as a number from 4096 to 12000000"),
        ("--to 1006 --max-error-rate 2", "pass a number from 0 to 1"),
        ("--to 1006 --output - --json", "standard output, which already has the rows"),
        ("--to 1006 --output s3://bucket", "s3://bucket/key"),
        ("--to 1006 --rejects s3://bucket/key", "--rejects must be a local file"),
        ("--to 1006 --input-format jsonl --no-header", "pass --column as a number"),
    ] {
        let error = options(&format!("x f.csv --column id {line}")).unwrap_err();
        assert!(error.contains(reason), "{line}: {error}");
    }
    let error = options("x f.csv --column 1 --to 1006 --input-format jsonl --no-header").unwrap_err();
    assert_eq!(error, "--no-header requires delimited text; other formats name their columns");
    assert_eq!(options(r"x f.csv --column id --to 1006 --delimiter \t").unwrap().delimiter, Some(b'\t'));
}
