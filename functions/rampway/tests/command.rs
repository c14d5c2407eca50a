//! The command from outside: exit codes, and the streams that its sentences go to.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};

fn rampway(folder: &Path, line: &str) -> Output {
    command(folder, line).output().expect("the command is built before its tests")
}

fn command(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rampway"));
    for name in ["RAMPWAY_URL", "RAMPWAY_CLIENT_ID", "RAMPWAY_CLIENT_SECRET", "CLIENTS_TABLE", "AUTHORITY_URL"] {
        command.env_remove(name);
    }
    command.current_dir(folder).args(line.split(' '));
    command
}

#[test]
fn what_makes_no_sense_exits_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "transmogrify",
        "translate audience.csv --to 1006",
        "translate audience.csv --column id --to 10065",
        "translate audience.csv --column id --to 1006 --no-header",
        "mint --domain 1005 --kind alien 00",
        "admin permits grant acme 1005",
        "explain",
        "explain XY --to 10065",
        "translate audience.csv --column id --to 1006 --via pigeon",
    ] {
        let output = rampway(folder.path(), line);
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{line}");
    }
}

#[test]
fn what_stands_in_the_way_exits_with_1_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("audience.csv"), "id\nXY1005a\n").unwrap();
    fs::write(folder.path().join("secret"), "open sesame\n").unwrap();
    let here = "--url http://127.0.0.1:1/Prod --client-id demo --client-secret-file secret";
    for (line, sentence) in [
        ("translate audience.csv --column id --to 1006".into(), "start one with `rampway serve`"),
        (format!("translate no.csv --column id --to 1006 {here}"), "no.csv: it cannot be read"),
        (format!("translate audience.csv --column rampid --to 1006 {here}"), "there is no column `rampid`; the columns are `id`"),
        (format!("translate audience.csv --column id --to 1006 {here}"), "http://127.0.0.1:1/Prod did not respond"),
        (
            format!("translate audience.csv --column id --to 1006 --via endpoint {here}"),
            "AUTHORITY_URL is not set; for --via endpoint, pass",
        ),
        ("admin keys list".into(), "CLIENTS_TABLE is not set"),
        ("admin keys list --env-file no/such".into(), "no/such cannot be read"),
        ("mint --domain 1005 00".into(), "`00` is not a native id"),
    ] {
        let output = rampway(folder.path(), &line);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {said}");
        assert!(said.contains(sentence) && !said.contains("sesame"), "{line}: {said}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left of what failed");
}

#[test]
fn help_is_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "--help",
        "translate --help",
        "admin --help",
        "admin permits --help",
        "mint --help",
        "explain --help",
        "doctor --help",
        "--version",
    ] {
        let output = rampway(folder.path(), line);
        assert_eq!(output.status.code(), Some(0), "{line}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{line}");
    }
}

#[test]
fn an_id_is_explained_where_nobody_can_be_asked() {
    let folder = tempfile::tempdir().unwrap();
    let id = "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz+2lg0wFAr1PWK7FMhs";
    let output = rampway(folder.path(), &format!("explain {id}"));
    let expected = format!(
        "{id}\n  begins like a maintained id of domain 1005, and is none (I001)\n  character 32: `+` does not belong there: standard \
         base64 has + where an id has -\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert!(String::from_utf8_lossy(&output.stderr).contains("Where they may go is not known: no client is given"));
    assert_eq!(output.status.code(), Some(0));

    let output = rampway(folder.path(), &format!("explain --offline --json {id}"));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["ids"][0]["faults"][0]["position"], &said["permissions_known"]), (&32.into(), &false.into()));
    assert!(output.stderr.is_empty());
}

#[test]
fn the_doctor_says_what_is_wrong_and_exits_with_1() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "open sesame").unwrap();
    let there = "doctor --url http://127.0.0.1:1/Prod --client-id demo --client-secret-file secret";
    for (line, said) in
        [("doctor", "wrong  connection   no API is configured"), (there, "wrong  reach        http://127.0.0.1:1/Prod did not respond")]
    {
        let output = rampway(folder.path(), line);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains(said), "{output:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("audience.csv"), "id\nXY1005a\n").unwrap();
    fs::write(folder.path().join("secret"), "open sesame").unwrap();
    // It takes connections, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/Prod", silent.local_addr().unwrap());
    let line = format!("translate audience.csv --column id --to 1006 --url {url} --client-id demo --client-secret-file secret");
    let process = command(folder.path(), &line).stderr(Stdio::piped()).spawn().unwrap();
    while fs::read_dir(folder.path()).unwrap().count() < 3 {
        sleep(Duration::from_millis(5));
    }
    let interrupt = Command::new("kill").args(["-INT", &process.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let output = process.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "rampway: stopped; audience.1006.csv was not written\n");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
}
