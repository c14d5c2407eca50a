//! The manual's tables are compared with the code, the template, the events and the benches.

use std::collections::{BTreeMap, BTreeSet};

use cloud::setting::Environment;
use sam::Template;
use shared::{
    fault::Fault,
    identity::{
        Code,
        token::{INIT_TOKEN_TTL_SECONDS, SMART_TOKEN_TTL_SECONDS},
        translate::{MAX_DOMAIN_PAIRS, MAX_IDS},
    },
    upload::{operation::MAX_PARTS, sign_request::MAX_CLOCK_SKEW_SECONDS},
};

use super::{
    deployment::GATEWAY_TIMEOUT,
    documents::{blocks, page},
    files, read, routes, sections,
    template::template,
};

/// The rows of a page's table between two equal markers, without its head.
fn rows(page: &str, marker: &str) -> Vec<String> {
    let table = page.split(&format!("<!-- {marker} -->")).nth(1).unwrap_or_else(|| panic!("no page has a table {marker}"));
    let rows: Vec<_> = table.lines().filter(|line| line.starts_with("| ")).skip(1).map(str::to_owned).collect();
    assert!(!rows.is_empty(), "the table {marker} is empty");
    rows
}

#[test]
fn the_codes_page_lists_every_code_of_translation() {
    let rows = rows(&page("codes"), "codes");
    let codes: Vec<_> = Code::ALL.iter().map(|code| format!("| {} | {code} |", code.code())).collect();
    assert_eq!(rows, codes);
}

#[test]
fn the_codes_page_lists_every_code_of_uploads() {
    use cloud::{gateway::ApiError, upload::Error};
    use shared::upload::{Code, Refusal};
    let rows = rows(&page("codes"), "upload codes");
    let status = |code: Code| match code {
        // The gateway's own error; no handler returns it.
        Code::Method => "405".to_owned(),
        other => ApiError::from(Error::Code(other)).to_string()[..3].to_owned(),
    };
    let codes = Code::ALL.iter().map(|code| format!("| `{}` | {} | {} |", code.code(), status(*code), code.message()));
    let refusals = Refusal::ALL.iter().map(|refusal| format!("| `{}` | {} | {refusal} |", refusal.code(), refusal.fault().status()));
    assert_eq!(rows, codes.chain(refusals).collect::<Vec<_>>());
}

#[test]
fn the_limits_page_matches_the_code_and_the_template() {
    let text = page("limits");
    let environment = [("ENDPOINT_NAME".to_owned(), "any".to_owned())].into();
    let endpoint = Environment::with_defaults(environment).endpoint().unwrap();
    let template = template();
    let default = |name: &str| parameter(&template, name).replace('`', "");
    let unlimited = |name: &str| if default(name) == "0" { "unlimited".to_owned() } else { default(name) };
    let timeout = template.node().text(&["Globals", "Function", "Timeout"]);
    for row in [
        format!("| ids in a request | {}, of at most {MAX_DOMAIN_PAIRS} pairs of domains |", grouped(MAX_IDS)),
        format!("| time for a request | {GATEWAY_TIMEOUT} seconds (API Gateway); a function ends after {timeout} seconds |"),
        format!(
            "| requests to each API | {} per second (`RateLimit`), with a burst of {} (`BurstLimit`) |",
            default("RateLimit"),
            default("BurstLimit")
        ),
        format!("| size of an endpoint invocation | {} bytes (`ENDPOINT_MAX_BYTES`) |", grouped(endpoint.max_bytes)),
        format!("| life of a smart token | {} minutes |", SMART_TOKEN_TTL_SECONDS / 60),
        format!("| life of a key packet | at most {} hours; keys are renewed daily |", INIT_TOKEN_TTL_SECONDS / 3600),
        format!(
            "| difference between a browser's clock and the server's | {} minutes; `GET /time` corrects it |",
            MAX_CLOCK_SKEW_SECONDS / 60
        ),
        format!("| parts of an upload | {} (`UploadMaxParts`) |", grouped(MAX_PARTS.into())),
        format!("| size of a file | {} (`UploadMaxBytes`) |", unlimited("UploadMaxBytes")),
        format!("| uploads per caller and hour | {} (`UploadsPerHour`) |", unlimited("UploadsPerHour")),
        format!("| bytes per caller and day | {} (`UploadBytesPerDay`) |", unlimited("UploadBytesPerDay")),
    ] {
        assert!(text.contains(&row), "limits.md lacks: {row}");
    }
    assert_eq!(default("UploadMaxParts"), MAX_PARTS.to_string());
    let transcoder = read("functions/transcoder/src/setting.rs");
    for (row, constant) in [
        ("| size of a batch transform payload | 100 MiB (`MAX_BODY_BYTES`) |", "DEFAULT_MAX_BODY_BYTES: usize = 100 << 20;"),
        (
            "| bodies and responses in a transcoder's memory | 512 MiB (`MAX_BYTES_IN_FLIGHT`) |",
            "DEFAULT_MAX_BYTES_IN_FLIGHT: usize = 512 << 20;",
        ),
    ] {
        assert!(text.contains(row) && transcoder.contains(constant), "limits.md and the transcoder's settings differ: {row}");
    }
}

/// A parameter's default as the manual writes it.
fn parameter(template: &Template, name: &str) -> String {
    let default = template.node().text(&["Parameters", name, "Default"]);
    if default.is_empty() { default } else { format!("`{default}`") }
}

#[test]
fn the_deployment_page_lists_every_parameter_and_output() {
    let (template, page) = (template(), page("deployment"));
    let description = |section: &str, name: &str| template.node().text(&[section, name, "Description"]);
    let parameters = template.node().entries(&["Parameters"]).map(|(name, _)| {
        let row = format!("| `{name}` | {} | {} |", parameter(&template, name), description("Parameters", name));
        row.replace("|  |", "| |")
    });
    assert_eq!(rows(&page, "parameters"), parameters.collect::<Vec<_>>());
    let outputs = template.node().entries(&["Outputs"]);
    let outputs = outputs.map(|(name, _)| format!("| `{name}` | {} |", description("Outputs", name)));
    assert_eq!(rows(&page, "outputs"), outputs.collect::<Vec<_>>());
    for (name, parameter) in template.node().entries(&["Parameters"]) {
        assert!(!parameter.text(&["Description"]).is_empty(), "{name} has no description");
    }
}

#[test]
fn the_pages_of_the_apis_list_every_route() {
    let tables = [("translation_api", "translation routes"), ("uploads", "upload routes")];
    let rows = tables.iter().flat_map(|(name, marker)| rows(&page(name), marker));
    let rows: BTreeSet<String> = rows.map(|row| row.split(" | ").take(2).collect::<Vec<_>>().join(" ")).collect();
    // A 405 response names the route's method. Another test checks that every route has such a
    // case.
    let cases = routes::cases().into_iter().filter(|(.., answer)| answer["statusCode"] == 405);
    let routes = cases.map(|(function, _, event, answer)| {
        let method = answer["headers"]["Allow"].as_str().unwrap_or_default().split(',').next().unwrap_or_default().to_owned();
        format!("| `{method} {}` `{function}`", event["resource"].as_str().unwrap_or_default())
    });
    assert_eq!(rows, routes.collect());
}

#[test]
fn the_speed_page_lists_every_bench() {
    let page = page("speed");
    let commands = page.lines().filter_map(|line| line.strip_prefix("| `cargo bench ")?.split('`').next());
    let commands: BTreeSet<String> = commands.map(str::to_owned).collect();
    let mut benches = BTreeSet::new();
    for manifest in files().iter().filter(|path| path.ends_with("/Cargo.toml")) {
        let text = read(manifest);
        let names = |section: &str| -> Vec<String> {
            let sections = text.split(section).skip(1);
            sections.filter_map(|rest| rest.split("name = \"").nth(1)?.split('"').next().map(str::to_owned)).collect()
        };
        for package in names("[package]") {
            benches.extend(names("[[bench]]").into_iter().map(|bench| format!("-p {package} --bench {bench}")));
        }
    }
    assert_eq!(commands, benches);
}

#[test]
fn crates_depend_on_lower_floors_only() {
    let page = page("architecture");
    let diagram = blocks(&page).into_iter().find(|(_, block)| block.contains("functions/<lambda>")).expect("the page has a diagram").1;
    let mut floors = BTreeMap::new();
    let mut floor = 0;
    for line in diagram.lines().map(str::trim_start).filter(|line| !line.is_empty()) {
        let path = line.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start();
        floor = line.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(floor);
        floors.entry(path.split_whitespace().next().unwrap_or_default().to_owned()).or_insert(floor);
    }
    let floor_of = |folder: &str| -> u32 {
        let folder =
            if floors.contains_key(folder) { folder } else { folder.strip_prefix("functions/").map_or(folder, |_| "functions/<lambda>") };
        *floors.get(folder).unwrap_or_else(|| panic!("architecture.md does not show {folder}"))
    };
    let members = files().into_iter().filter_map(|path| path.strip_suffix("/Cargo.toml").map(str::to_owned));
    let members: Vec<_> = members.filter(|folder| folder != "shared/fuzz").collect();
    let package = |name: &str| members.iter().find(|folder| folder.rsplit('/').next() == Some(name));
    for folder in &members {
        for (section, names) in sections(&read(&format!("{folder}/Cargo.toml"))) {
            for dependency in names.iter().filter(|_| section == "dependencies").filter_map(|name| package(name)) {
                assert!(floor_of(dependency) < floor_of(folder), "{folder} depends on {dependency}, which is not on a lower floor");
            }
        }
    }
    for folder in floors.keys().filter(|folder| !folder.contains('<')) {
        assert!(members.contains(folder), "architecture.md shows {folder}, which is no crate");
    }
}

#[test]
fn the_translation_page_lists_every_status() {
    let text = page("translation_api");
    let table = text.split("| status | when |").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| ")?.split(" |").next());
    let listed: BTreeSet<u16> = cells.flat_map(|cell| cell.split(", ")).filter_map(|status| status.parse().ok()).collect();
    let faults = [Fault::Request, Fault::Identity, Fault::Access, Fault::Absent, Fault::Busy, Fault::Upstream, Fault::Ours];
    // HTTP and API Gateway define these: wrong method, too large, too many requests, timeout.
    let known: BTreeSet<u16> = faults.map(Fault::status).into_iter().chain([405, 413, 429, 504]).collect();
    assert_eq!(listed, known);
}

/// A number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
