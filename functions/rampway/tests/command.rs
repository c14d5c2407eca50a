//! The command as a process: exit codes, and what it prints on which stream.

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
fn invalid_arguments_exit_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for (line, reason) in [
        ("transmogrify", "unrecognized subcommand 'transmogrify'"),
        ("translate audience.csv --to 1006", "--column <COLUMN>"),
        ("translate audience.csv --column id --to 10065", "a domain is four letters or digits"),
        ("translate audience.csv --column id --to 1006 --no-header", "with --no-header, pass --column as a number"),
        ("mint --domain 1005 --kind alien 00", "invalid value 'alien'"),
        ("admin permits grant acme 1005", "<TO>"),
        ("explain", "<ID>"),
        ("explain XY --to 10065", "a domain is four letters or digits"),
        ("translate audience.csv --column id --to 1006 --via pigeon", "invalid value 'pigeon'"),
        ("serve --instance 2", "unexpected argument '--instance'"),
        ("completions tcsh", "invalid value 'tcsh'"),
        ("man transmogrify", "there is no command `transmogrify`"),
    ] {
        let output = rampway(folder.path(), line);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{line}");
        assert!(output.stdout.is_empty() && stderr.contains(reason), "{line}: {stderr}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was started");
}

#[test]
fn a_failure_exits_with_1_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("audience.csv"), "id\nXY1005a\n").unwrap();
    fs::write(folder.path().join("secret"), "open sesame\n").unwrap();
    let here = "--url http://127.0.0.1:1/Prod --client-id demo --client-secret-file secret";
    for (line, message) in [
        ("translate audience.csv --column id --to 1006".into(), "start one with `rampway serve`"),
        (format!("translate no.csv --column id --to 1006 {here}"), "no.csv: it cannot be read"),
        (format!("translate audience.csv --column rampid --to 1006 {here}"), "there is no column `rampid`; the columns are `id`"),
        (format!("translate audience.csv --column id --to 1006 {here}"), "http://127.0.0.1:1/Prod did not respond"),
        (
            format!("translate audience.csv --column id --to 1006 --via endpoint {here}"),
            "AUTHORITY_URL is not set; for --via endpoint, pass",
        ),
        ("admin keys list".into(), "CLIENTS_TABLE is not set"),
        ("admin keys list --env-file no/such".into(), "no/such cannot be used"),
        ("mint --domain 1005 00".into(), "`00` is not a native id"),
    ] {
        let output = rampway(folder.path(), &line);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {stderr}");
        assert!(stderr.contains(message) && !stderr.contains("sesame"), "{line}: {stderr}");
        assert!(output.stdout.is_empty());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "a failure leaves no files");
}

#[test]
fn help_and_version_are_printed_without_starting_anything() {
    let folder = tempfile::tempdir().unwrap();
    for line in [
        "--help",
        "translate --help",
        "admin --help",
        "admin permits --help",
        "mint --help",
        "explain --help",
        "doctor --help",
        "completions --help",
        "man --help",
        "openapi --help",
        "help",
        "help serve",
        "--version",
    ] {
        let output = rampway(folder.path(), line);
        assert_eq!(output.status.code(), Some(0), "{line}");
        assert!(!output.stdout.is_empty() && output.stderr.is_empty(), "{line}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was started");
}

#[test]
fn completions_and_manual_pages_are_printed() {
    let folder = tempfile::tempdir().unwrap();
    for (line, part) in [
        ("completions bash", "complete -F _rampway"),
        ("completions zsh", "#compdef rampway"),
        ("completions fish", "complete -c rampway"),
        ("man", "\n.TH rampway 1"),
        ("man admin domains", "\n.TH rampway-admin-domains 1"),
    ] {
        let output = rampway(folder.path(), line);
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && stdout.contains(part), "{line}: {stdout}");
    }
}

#[test]
fn the_openapi_document_is_that_of_the_template_inside() {
    let folder = tempfile::tempdir().unwrap();
    let output = rampway(folder.path(), "openapi --url https://api.example/v1 --parameter Sides=none");
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&document["openapi"], &document["servers"][0]["url"]), (&"3.1.0".into(), &"https://api.example/v1".into()));
    assert!(document["paths"]["/upload"]["post"].is_object() && document["paths"].get("/auth/init").is_none());
    let output = rampway(folder.path(), "openapi --parameter Side=none");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("the template has no parameter Side"));
}

/// Without a checkout and without cargo, the program has the template but not the function
/// binaries.
#[test]
fn an_installed_binary_says_where_the_function_binaries_belong() {
    let folder = tempfile::tempdir().unwrap();
    let (bin, work) = (folder.path().join("bin"), folder.path().join("work"));
    fs::create_dir(&bin).unwrap();
    fs::create_dir(&work).unwrap();
    let installed = bin.join("rampway");
    fs::copy(env!("CARGO_BIN_EXE_rampway"), &installed).unwrap();
    let run = |line: &str| {
        let output = Command::new(&installed).env_clear().env("PATH", "").current_dir(&work).args(line.split(' ')).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{line}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (line, directory) in
        [("demo", &bin), ("serve --port 0 --ephemeral", &bin), ("serve --port 0 --ephemeral --binaries .", &".".into())]
    {
        let stderr = run(line);
        let place =
            format!("is not in {}; put all function binaries beside `rampway`, or pass their directory as --binaries", directory.display());
        assert!(stderr.contains(&place) && stderr.contains("cargo build --release --workspace --bins"), "{line}: {stderr}");
    }
    assert_eq!(fs::read_dir(&work).unwrap().count(), 0, "nothing was started");
    fs::write(work.join("template.yaml"), "Resources:").unwrap();
    assert!(
        run("serve --port 0 --ephemeral").contains("the template has no Resources"),
        "template.yaml takes precedence over the template inside"
    );
}

#[test]
fn the_form_of_an_id_is_explained_without_a_connection() {
    let folder = tempfile::tempdir().unwrap();
    let id = "XY1005wXyWPB1SgpMUKIpzA0I3UaLEz+2lg0wFAr1PWK7FMhs";
    let output = rampway(folder.path(), &format!("explain {id}"));
    let expected = format!(
        "{id}\n  starts like a maintained id of domain 1005, but is not valid (I001)\n  character 32: `+` is invalid here: ids use \
         base64url, which has - instead of +\n"
    );
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
    assert!(String::from_utf8_lossy(&output.stderr).contains("The permissions are not known: no client is given"));
    assert_eq!(output.status.code(), Some(0));

    let output = rampway(folder.path(), &format!("explain --offline --json {id}"));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&json["ids"][0]["faults"][0]["position"], &json["permissions_known"]), (&32.into(), &false.into()));
    assert!(output.stderr.is_empty());
}

#[test]
fn a_failed_check_exits_with_1_and_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), "open sesame").unwrap();
    let there = "doctor --url http://127.0.0.1:1/Prod --client-id demo --client-secret-file secret";
    for (line, check) in
        [("doctor", "failed connection   no API is configured"), (there, "failed reach        http://127.0.0.1:1/Prod did not respond")]
    {
        let output = rampway(folder.path(), line);
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&output.stdout).contains(check), "{output:?}");
    }
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_no_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("audience.csv"), "id\nXY1005a\n").unwrap();
    fs::write(folder.path().join("secret"), "open sesame").unwrap();
    // It accepts connections, and never responds.
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
