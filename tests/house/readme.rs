//! What the README says in tables, the code says too.

use shared::identity::{
    Code,
    token::{INIT_LIFE, SMART_LIFE},
    translate::{MAX_IDS, MAX_PAIRS},
};

use super::read;

#[test]
fn the_readme_s_codes_are_the_code_s() {
    let text = read("README.md");
    let table = text.split("<!-- codes -->").nth(1).unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| code ")).collect();
    let codes: Vec<_> = Code::ALL.iter().map(|code| format!("| {code} | {} |", code.meaning())).collect();
    assert_eq!(rows, codes);
}

#[test]
fn the_readme_s_limits_are_the_code_s() {
    let text = read("README.md");
    let thousands = format!("{},{:03}", MAX_IDS / 1000, MAX_IDS % 1000);
    for row in [
        format!("| ids in a request | {thousands}, between {MAX_PAIRS} pairs of domains |"),
        format!("| a smart token | {} minutes |", SMART_LIFE / 60),
        format!("| keys in a transcoder | {} hours, renewed daily |", INIT_LIFE / 3600),
    ] {
        assert!(text.contains(&row), "the README lacks: {row}");
    }
}
