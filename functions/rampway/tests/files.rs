//! `rampway translate` as a user has it: the command, the real suite, whole files, and what stands in their way.

use std::{
    fs,
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use cloud::{identity::admin::Admin, setting::Environment};
use local::{LocalCloud, Options, State};
use rampway::serve::{self, FROM, TO};
use serde_json::Value;
use shared::{crypto::sha256, identity::Kind};

const ROWS: usize = 3000;

async fn suite() -> LocalCloud {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into();
    let options = Options { template, port: 0, state: State::Ephemeral, quiet: true, ..Options::default() };
    let (suite, seed) = serve::start(options).await.expect("the suite starts");
    assert!(serve::banner(&suite, seed.as_ref()).contains(suite.api()));
    suite
}

/// The same people in two domains.
async fn people(suite: &LocalCloud) -> [Vec<String>; 2] {
    let admin = Admin::from_env(&Environment::over(suite.environment().clone())).await.expect("an answer");
    let domains = [FROM, TO[0]].map(|domain| domain.parse().expect("a domain"));
    let mint = admin.mint(&domains).await.expect("an answer");
    domains.map(|domain| {
        let id = |row: usize| {
            let kind = if row.is_multiple_of(4) { Kind::Derived } else { Kind::Maintained };
            mint.id(kind, domain, &sha256(&row.to_le_bytes())[..kind.payload_len()]).expect("what was made here").to_string()
        };
        (0..ROWS).map(id).collect()
    })
}

/// The command in a folder; a script before it may set limits.
fn command(suite: &LocalCloud, folder: &Path, limits: &str, line: &str) -> Command {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_rampway");
    let state = suite.state().display();
    command.args(["-c", &format!("{limits} exec '{program}' translate --state '{state}' {line}")]).current_dir(folder);
    for name in ["RAMPWAY_URL", "RAMPWAY_CLIENT_ID", "RAMPWAY_CLIENT_SECRET", "CLIENTS_TABLE"] {
        command.env_remove(name);
    }
    command
}

async fn rampway(suite: &LocalCloud, folder: &Path, line: &str) -> (Option<i32>, Output) {
    let mut command = command(suite, folder, "", line);
    // The suite runs in this process, and must not wait for its own caller.
    let output = tokio::task::spawn_blocking(move || command.output().expect("the command runs")).await.expect("the command ends");
    (output.status.code(), output)
}

fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("what was made here")
}

fn audience(ids: &[String]) -> String {
    let rows = ids.iter().enumerate().map(|(row, id)| format!("{row},\"Doe, {row}\",{id}\r\n"));
    "row,name,rampid\r\n".to_owned() + &rows.collect::<String>()
}

fn expected(here: &[String], there: &[String]) -> String {
    let rows = here.iter().zip(there).enumerate().map(|(row, (id, new))| format!("{row},\"Doe, {row}\",{id},{new},\r\n"));
    "row,name,rampid,rampid_1006,error_code\r\n".to_owned() + &rows.collect::<String>()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_through_the_suite_by_every_way_and_in_every_format() {
    let (suite, folder) = (suite().await, tempfile::tempdir().unwrap());
    let folder = folder.path();
    let [here, there] = people(&suite).await;
    fs::write(folder.join("audience.csv"), audience(&here)).unwrap();
    let environment = suite.environment().iter().map(|(name, value)| format!("{name}={value}\n")).collect::<Vec<_>>();
    fs::write(folder.join("env"), environment.concat()).unwrap();
    for via in ["api", "endpoint --env-file env"] {
        let line = format!("audience.csv --column rampid --to 1006 --output whole.csv --via {via} --request-bytes 100000 --json");
        let (code, output) = rampway(&suite, folder, &line).await;
        assert_eq!(code, Some(0), "{}", said(&output));
        assert_eq!(fs::read_to_string(folder.join("whole.csv")).unwrap(), expected(&here, &there));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["rows"]["translated"], ROWS);
        assert_eq!(report["under_previous_key"], 0);
        assert!(["1005", "1006"].iter().all(|domain| report["key_ids"][domain][0].is_string()), "{report}");
        assert_eq!(report["kinds"], serde_json::json!({"derived": ROWS / 4, "maintained": ROWS - ROWS / 4}));
        assert_eq!(report, serde_json::from_slice::<Value>(&fs::read(folder.join("whole.csv.report.json")).unwrap()).unwrap());
    }

    // Back again from each of the formats.
    for name in ["a.parquet", "a.jsonl.gz", "a.tsv.zst"] {
        let (code, output) = rampway(&suite, folder, &format!("audience.csv --column rampid --to 1006 --output {name}")).await;
        assert_eq!(code, Some(0), "{}", said(&output));
        let (code, output) = rampway(&suite, folder, &format!("{name} --column rampid_1006 --to 1007 --output back.csv")).await;
        assert_eq!(code, Some(1), "error_code is there already: {}", said(&output));
        assert!(said(&output).contains("there is already a column `error_code`"), "{}", said(&output));
    }

    let mut child = command(&suite, folder, "", "- --column 2 --no-header --to 1006 --quiet");
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("a,{}\nb,\n", here[0]).as_bytes()).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("a,{},{},\nb,,,\n", here[0], there[0]));
    suite.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_is_told_and_nothing_half_written_has_the_final_name() {
    let (suite, folder) = (suite().await, tempfile::tempdir().unwrap());
    let folder = folder.path();
    let [here, there] = people(&suite).await;
    fs::write(folder.join("audience.csv"), audience(&here)).unwrap();
    let line = "audience.csv --column rampid --to 1006 --output out.csv";

    // Every tenth id is broken.
    let broken: Vec<_> = here.iter().enumerate().map(|(row, id)| if row % 10 == 0 { id[..40].to_owned() } else { id.clone() }).collect();
    fs::write(folder.join("broken.csv"), audience(&broken)).unwrap();
    for (most, code) in [("0.1", 0), ("0.05", 3)] {
        let line = format!("broken.csv --column rampid --to 1006 --output b.csv --rejects bad.csv --max-error-rate {most}");
        let (found, output) = rampway(&suite, folder, &line).await;
        assert_eq!(found, Some(code), "{}", said(&output));
        assert_eq!(fs::read_to_string(folder.join("bad.csv")).unwrap().lines().count(), 1 + ROWS / 10);
        assert_eq!(fs::read_to_string(folder.join("b.csv")).unwrap().lines().count(), 1 + ROWS);
    }

    let (code, output) = rampway(&suite, folder, "audience.csv --column rampid --to 1006 --dry-run --output dry.csv").await;
    assert_eq!((code, output.stdout.is_empty(), folder.join("dry.csv").exists()), (Some(0), false, false), "{}", said(&output));
    let (code, output) = rampway(&suite, folder, "audience.csv --column rampid --to 1006 --output no/out.csv").await;
    assert_eq!(code, Some(1));
    assert!(said(&output).contains("no/out.csv cannot be written"), "{}", said(&output));

    // A disk that is full: no file may have more than so many blocks of 512 bytes.
    let limits = "ulimit -f 200; trap '' XFSZ;";
    let mut full = command(&suite, folder, limits, &format!("{line} --request-bytes 20000"));
    let output = tokio::task::spawn_blocking(move || full.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = said(&output);
    assert!(told.contains("out.csv cannot be written (File too large") && told.contains("go on with --resume"), "{told}");
    assert!(!folder.join("out.csv").exists());
    let (code, output) = rampway(&suite, folder, line).await;
    assert_eq!(code, Some(1));
    assert!(said(&output).contains("was stopped after"), "{}", said(&output));
    let (code, output) = rampway(&suite, folder, &format!("{line} --resume --in-flight 1")).await;
    assert_eq!(code, Some(0), "{}", said(&output));
    assert_eq!(fs::read_to_string(folder.join("out.csv")).unwrap(), expected(&here, &there));

    stopped_by_a_signal(&suite, folder, &here, &there).await;
    suite.stop().await;
}

async fn stopped_by_a_signal(suite: &LocalCloud, folder: &Path, here: &[String], there: &[String]) {
    let line = "audience.csv --column rampid --to 1006 --output stopped.csv --request-bytes 5000 --in-flight 1";
    for signal in ["INT", "TERM"] {
        let child = command(suite, folder, "", line).stderr(Stdio::piped()).spawn().expect("the command starts");
        let partial = folder.join(".stopped.csv.partial");
        let start = Instant::now();
        while fs::metadata(&partial).map_or(0, |file| file.len()) < 20_000 && start.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().expect("a status").success());
        let output =
            tokio::task::spawn_blocking(move || child.wait_with_output().expect("the command runs")).await.expect("the command ends");
        let told = said(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("rampway: stopped; stopped.csv was not written; the first ") && told.contains("--resume"), "{told}");
        assert!(!folder.join("stopped.csv").exists());
        let (code, output) = rampway(suite, folder, &format!("{line} --resume")).await;
        assert_eq!(code, Some(0), "{}", said(&output));
        assert_eq!(fs::read_to_string(folder.join("stopped.csv")).expect("an output"), expected(here, there));
        fs::remove_file(folder.join("stopped.csv")).expect("what was made here");
    }
}
