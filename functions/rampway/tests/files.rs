//! Runs `rampway translate` with whole files against a local cloud, including its failures.

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

async fn start_cloud() -> LocalCloud {
    let template = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").into();
    let options = Options { template, port: 0, state: State::Ephemeral, quiet: true, ..Options::default() };
    let (cloud, seed) = serve::start(options).await.expect("the local cloud starts");
    assert!(serve::banner(&cloud, seed.as_ref()).contains(cloud.api()));
    cloud
}

/// The ids of the same people in two domains.
async fn people(cloud: &LocalCloud) -> [Vec<String>; 2] {
    let admin = Admin::from_env(&Environment::with_defaults(cloud.environment().clone())).await.expect("the tables exist");
    let domains = [FROM, TO[0]].map(|domain| domain.parse().expect("the domain is valid"));
    let mint = admin.mint(&domains).await.expect("the domains have keys");
    domains.map(|domain| {
        let id = |row: usize| {
            let kind = if row.is_multiple_of(4) { Kind::Derived } else { Kind::Maintained };
            mint.id(kind, domain, &sha256(&row.to_le_bytes())[..kind.payload_len()]).expect("the payload has the kind's length").to_string()
        };
        (0..ROWS).map(id).collect()
    })
}

/// The command with the arguments `line` in a directory. `limits` is shell code that runs first.
fn command(cloud: &LocalCloud, dir: &Path, limits: &str, line: &str) -> Command {
    let mut command = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_rampway");
    let state = cloud.state().display();
    command.args(["-c", &format!("{limits} exec '{program}' translate --state '{state}' {line}")]).current_dir(dir);
    for name in ["RAMPWAY_URL", "RAMPWAY_CLIENT_ID", "RAMPWAY_CLIENT_SECRET", "CLIENTS_TABLE"] {
        command.env_remove(name);
    }
    command
}

async fn rampway(cloud: &LocalCloud, dir: &Path, line: &str) -> (Option<i32>, Output) {
    let mut command = command(cloud, dir, "", line);
    // The local cloud runs in this process: blocking its thread would deadlock.
    let output = tokio::task::spawn_blocking(move || command.output().expect("the command runs")).await.expect("the command ends");
    (output.status.code(), output)
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("messages are UTF-8")
}

fn audience(ids: &[String]) -> String {
    let rows = ids.iter().enumerate().map(|(row, id)| format!("{row},\"Doe, {row}\",{id}\r\n"));
    "row,name,rampid\r\n".to_owned() + &rows.collect::<String>()
}

fn expected(ids: &[String], translated: &[String]) -> String {
    let rows = ids.iter().zip(translated).enumerate().map(|(row, (id, new))| format!("{row},\"Doe, {row}\",{id},{new},\r\n"));
    "row,name,rampid,rampid_1006,error_code\r\n".to_owned() + &rows.collect::<String>()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_translated_over_each_transport_and_in_each_format() {
    let (cloud, dir) = (start_cloud().await, tempfile::tempdir().unwrap());
    let dir = dir.path();
    let [ids, translated] = people(&cloud).await;
    fs::write(dir.join("audience.csv"), audience(&ids)).unwrap();
    let environment = cloud.environment().iter().map(|(name, value)| format!("{name}={value}\n")).collect::<Vec<_>>();
    fs::write(dir.join("env"), environment.concat()).unwrap();
    for via in ["api", "endpoint --env-file env"] {
        let line = format!("audience.csv --column rampid --to 1006 --output whole.csv --via {via} --request-bytes 100000 --json");
        let (code, output) = rampway(&cloud, dir, &line).await;
        assert_eq!(code, Some(0), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(dir.join("whole.csv")).unwrap(), expected(&ids, &translated));
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(report["rows"]["translated"], ROWS);
        assert_eq!(report["under_previous_key"], 0);
        assert!(["1005", "1006"].iter().all(|domain| report["key_ids"][domain][0].is_string()), "{report}");
        assert_eq!(report["kinds"], serde_json::json!({"derived": ROWS / 4, "maintained": ROWS - ROWS / 4}));
        assert_eq!(report, serde_json::from_slice::<Value>(&fs::read(dir.join("whole.csv.report.json")).unwrap()).unwrap());
    }

    // Each format can be read again.
    for name in ["a.parquet", "a.jsonl.gz", "a.tsv.zst"] {
        let (code, output) = rampway(&cloud, dir, &format!("audience.csv --column rampid --to 1006 --output {name}")).await;
        assert_eq!(code, Some(0), "{}", stderr(&output));
        let (code, output) = rampway(&cloud, dir, &format!("{name} --column rampid_1006 --to 1007 --output back.csv")).await;
        assert_eq!(code, Some(1), "the column error_code exists: {}", stderr(&output));
        assert!(stderr(&output).contains("there is already a column `error_code`"), "{}", stderr(&output));
    }

    let mut child = command(&cloud, dir, "", "- --column 2 --no-header --to 1006 --quiet");
    let mut child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("a,{}\nb,\n", ids[0]).as_bytes()).unwrap();
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("a,{},{},\nb,,,\n", ids[0], translated[0]));
    cloud.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_reported_and_an_incomplete_output_never_has_the_final_name() {
    let (cloud, dir) = (start_cloud().await, tempfile::tempdir().unwrap());
    let dir = dir.path();
    let [ids, translated] = people(&cloud).await;
    fs::write(dir.join("audience.csv"), audience(&ids)).unwrap();
    let line = "audience.csv --column rampid --to 1006 --output out.csv";

    // Every tenth id is truncated.
    let truncated: Vec<_> = ids.iter().enumerate().map(|(row, id)| if row % 10 == 0 { id[..40].to_owned() } else { id.clone() }).collect();
    fs::write(dir.join("broken.csv"), audience(&truncated)).unwrap();
    for (max_error_rate, code) in [("0.1", 0), ("0.05", 3)] {
        let line = format!("broken.csv --column rampid --to 1006 --output b.csv --rejects bad.csv --max-error-rate {max_error_rate}");
        let (found, output) = rampway(&cloud, dir, &line).await;
        assert_eq!(found, Some(code), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(dir.join("bad.csv")).unwrap().lines().count(), 1 + ROWS / 10);
        assert_eq!(fs::read_to_string(dir.join("b.csv")).unwrap().lines().count(), 1 + ROWS);
    }

    let (code, output) = rampway(&cloud, dir, "audience.csv --column rampid --to 1006 --dry-run --output dry.csv").await;
    assert_eq!((code, output.stdout.is_empty(), dir.join("dry.csv").exists()), (Some(0), false, false), "{}", stderr(&output));
    let (code, output) = rampway(&cloud, dir, "audience.csv --column rampid --to 1006 --output no/out.csv").await;
    assert_eq!(code, Some(1));
    assert!(stderr(&output).contains("no/out.csv cannot be written"), "{}", stderr(&output));

    // A full disk, simulated by a limit on the file size in blocks of 512 bytes.
    let limits = "ulimit -f 200; trap '' XFSZ;";
    let mut full = command(&cloud, dir, limits, &format!("{line} --request-bytes 20000"));
    let output = tokio::task::spawn_blocking(move || full.output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let message = stderr(&output);
    assert!(message.contains("out.csv cannot be written (File too large") && message.contains("go on with --resume"), "{message}");
    assert!(!dir.join("out.csv").exists());
    let (code, output) = rampway(&cloud, dir, line).await;
    assert_eq!(code, Some(1));
    assert!(stderr(&output).contains("was stopped after"), "{}", stderr(&output));
    let (code, output) = rampway(&cloud, dir, &format!("{line} --resume --in-flight 1")).await;
    assert_eq!(code, Some(0), "{}", stderr(&output));
    assert_eq!(fs::read_to_string(dir.join("out.csv")).unwrap(), expected(&ids, &translated));

    check_stop_by_signal(&cloud, dir, &ids, &translated).await;
    cloud.stop().await;
}

async fn check_stop_by_signal(cloud: &LocalCloud, dir: &Path, ids: &[String], translated: &[String]) {
    let line = "audience.csv --column rampid --to 1006 --output stopped.csv --request-bytes 5000 --in-flight 1";
    for signal in ["INT", "TERM"] {
        let child = command(cloud, dir, "", line).stderr(Stdio::piped()).spawn().expect("the command starts");
        let partial = dir.join(".stopped.csv.partial");
        let start = Instant::now();
        while fs::metadata(&partial).map_or(0, |file| file.len()) < 20_000 && start.elapsed() < Duration::from_secs(20) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().expect("kill runs").success());
        let output =
            tokio::task::spawn_blocking(move || child.wait_with_output().expect("the command runs")).await.expect("the command ends");
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("rampway: stopped; stopped.csv was not written; the first ") && message.contains("--resume"), "{message}");
        assert!(!dir.join("stopped.csv").exists());
        let (code, output) = rampway(cloud, dir, &format!("{line} --resume")).await;
        assert_eq!(code, Some(0), "{}", stderr(&output));
        assert_eq!(fs::read_to_string(dir.join("stopped.csv")).expect("the output exists"), expected(ids, translated));
        fs::remove_file(dir.join("stopped.csv")).expect("the output exists");
    }
}
