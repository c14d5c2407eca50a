//! What the README says in tables, the code says too.

use std::collections::BTreeSet;

use cloud::setting::Environment;
use shared::{
    fault::Fault,
    identity::{
        Code,
        token::{INIT_TOKEN_TTL_SECONDS, SMART_TOKEN_TTL_SECONDS},
        translate::{MAX_IDS, MAX_PAIRS},
    },
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
fn the_readme_s_codes_of_uploads_are_the_code_s() {
    use cloud::{gateway::Failure, upload::Error};
    use shared::upload::{Code, Refusal};
    let text = read("README.md");
    let table = text.split("<!-- upload codes -->").nth(1).unwrap();
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| `")).collect();
    let status = |code: Code| match code {
        // The gateway's own failure: no deed gives it.
        Code::Method => "405".to_owned(),
        other => Failure::from(Error::Code(other)).to_string()[..3].to_owned(),
    };
    let codes = Code::ALL.iter().map(|code| format!("| `{}` | {} | {} |", code.name(), status(*code), code.sentence()));
    let refusals = Refusal::ALL.iter().map(|refusal| format!("| `{}` | {} | {refusal} |", refusal.code(), refusal.fault().status()));
    assert_eq!(rows, codes.chain(refusals).collect::<Vec<_>>());
}

#[test]
fn the_readme_s_limits_are_the_code_s() {
    let text = read("README.md");
    let environment = [("ENDPOINT_NAME".to_owned(), "any".to_owned())].into();
    let endpoint = Environment::over(environment).endpoint().unwrap();
    for row in [
        format!("| ids in a request | {}, between {MAX_PAIRS} pairs of domains |", grouped(MAX_IDS)),
        format!("| a smart token | {} minutes |", SMART_TOKEN_TTL_SECONDS / 60),
        format!("| a call of the endpoint | {} bytes (`ENDPOINT_MAX_BYTES`) |", grouped(endpoint.max_bytes)),
        format!("| keys in a transcoder | {} hours, renewed daily |", INIT_TOKEN_TTL_SECONDS / 3600),
    ] {
        assert!(text.contains(&row), "the README lacks: {row}");
    }
}

#[test]
fn the_readme_s_statuses_are_the_code_s() {
    let text = read("README.md");
    let table = text.split("| status | when |").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let said: BTreeSet<u16> = cells.flat_map(|cell| cell.split(", ")).filter_map(|status| status.parse().ok()).collect();
    let faults = [Fault::Request, Fault::Identity, Fault::Access, Fault::Absent, Fault::Busy, Fault::Upstream, Fault::Ours];
    // Those that HTTP and the gateway define: the method, the size, too many, too slow.
    let known: BTreeSet<u16> = faults.map(Fault::status).into_iter().chain([405, 413, 429, 504]).collect();
    assert_eq!(said, known);
}

/// A number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
