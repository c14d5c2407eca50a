//! Orders against a real engine, and what they are made of.

use std::collections::BTreeMap;

use clap::Parser;
use local::DynamoDb;
use sam::{Deployment, Template};
use tempfile::TempDir;

use super::*;

const UUID: &str = "6f1c2a9e-58b3-4a52-9f6e-0b7a44c5d2e1";

/// The template's tables, empty, and the settings that name them. They are gone with the engine.
async fn tables(folder: &TempDir) -> (Environment, DynamoDb) {
    let template = Template::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml").as_ref()).unwrap();
    let parameters =
        [("BrightcoveAccount", "7"), ("UploadOrigins", "http://localhost:8080")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let stack = template.stack(&parameters.into(), &Deployment::local("http://127.0.0.1", folder.path())).unwrap();
    let dynamodb = DynamoDb::in_memory(&stack.tables).await.unwrap();
    let variables = stack.functions.into_iter().flat_map(|function| function.environment);
    let mut settings: BTreeMap<String, String> = variables.filter(|(name, _)| name.ends_with("_TABLE")).collect();

    let master_key = folder.path().join("master_key");
    write_private(&master_key, &[7; 32]).unwrap();
    for (name, value) in [
        ("MASTER_KEY", format!("file:{}", master_key.display())),
        ("AWS_REGION", "eu-west-1".into()),
        ("BRIGHTCOVE_ACCOUNT", "7".into()),
        ("AWS_ACCESS_KEY_ID", "local".into()),
        ("AWS_SECRET_ACCESS_KEY", "local".into()),
        ("AWS_ENDPOINT_URL_DYNAMODB", dynamodb.url()),
    ] {
        settings.insert(name.into(), value);
    }
    (Environment::with_defaults(settings), dynamodb)
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    admin: arguments::Admin,
}

/// Carries out a command line.
async fn order(environment: &Environment, line: &str) -> Result<String, Error> {
    let words = std::iter::once("rampway").chain(line.split(' '));
    run(&Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).admin.subject, environment).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_companies_are_set_up_from_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (environment, _dynamodb) = tables(&folder).await;
    let model = folder.path().join("model");
    let done = async |line: &str| order(&environment, line).await.unwrap_or_else(|error| panic!("{line}: {error}"));

    done("keys create").await;
    assert!(done("clients create acme").await.starts_with("client_id      acme\nclient_secret  "));
    done("clients create globex").await;
    done("domains create 1005 --owner acme").await;
    done("domains create 1006 --owner globex").await;
    done(&format!("transcoders create acme --model {}", model.display())).await;
    let granted = done("permits grant acme 1005 1006 --by acme").await;
    assert_eq!(granted, "from  to    granted  accepted  stands\n1005  1006  yes      no        no\n");
    let accepted = done("permits accept acme 1005 1006 --by globex --days 365").await;
    assert!(accepted.contains("1005  1006  yes      ends in 52 weeks  yes"), "{accepted}");

    assert!(done("clients list").await.contains("acme    -          registered\n"));
    assert!(done("domains list").await.contains("1005    acme "));
    assert_eq!(done("keys list").await.lines().count(), 2);
    assert!(fs::read_to_string(model.join("private_key.pem")).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(fs::read_to_string(model.join("verification_keys.json")).unwrap().contains("\"keys\""));

    let minted = async || mint(Kind::Maintained, "1005".parse().unwrap(), &[UUID.into()], &environment).await.unwrap()[0].to_string();
    let id = minted().await;
    assert!(id.starts_with("XY1005") && id.len() == 49, "{id}");
    done("domains rotate 1005").await;
    assert_eq!(minted().await, id, "a new key does not encode before its time");
    // A key made in the first one's second begins a second later.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    done("domains rotate 1005 --after 0").await;
    assert_ne!(minted().await, id);
    done("permits revoke acme 1005 1006 --order grant --by acme").await;
    assert!(done("permits list acme").await.ends_with("no\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_that_cannot_be_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (environment, _dynamodb) = tables(&folder).await;
    order(&environment, "clients create acme").await.unwrap();
    order(&environment, "domains create 1005 --owner acme").await.unwrap();
    for (line, complaint) in [
        ("clients create acme", "client acme exists already"),
        ("clients rotate globex", "there is no client globex"),
        ("domains create 1005 --owner acme", "domain 1005 exists already"),
        ("domains create 1006 --owner globex", "there is no client globex"),
        ("domains rotate 1006", "there is no domain 1006"),
        ("permits grant acme 1005 1006 --by globex", "domain 1005 belongs to acme; only its owner may approve or revoke"),
        ("transcoders register acme no/such.pem", "no/such.pem cannot be used"),
        ("keys retire none", "there is no signing key none"),
    ] {
        let found = order(&environment, line).await.unwrap_err().to_string();
        assert!(found.contains(complaint), "{line}: {found}");
    }
}

#[tokio::test]
async fn without_an_environment_the_sentence_says_what_to_do() {
    let error = order(&Environment::process(), "keys list").await.unwrap_err().to_string();
    assert_eq!(error, "CLIENTS_TABLE is not set: start a suite here with `rampway serve`, or name an environment file with --env-file");
}

#[test]
fn a_native_id_is_a_uuid_or_digits_of_the_kinds_length() {
    assert_eq!(payload(Kind::Maintained, UUID).unwrap(), payload(Kind::Household, &UUID.replace('-', "")).unwrap());
    assert_eq!(payload(Kind::Derived, &"0a".repeat(32)).unwrap(), [10; 32]);
    for (kind, native) in [(Kind::Derived, UUID), (Kind::Maintained, ""), (Kind::Maintained, "6f1c2a9e58-b3-4a52-9f6e-0b7a44c5d2e1")] {
        assert!(matches!(payload(kind, native), Err(Error::Native { .. })), "{native}");
    }
}

#[test]
fn keys_say_when_their_time_begins_and_ends() {
    let key = |not_before, not_after| KeyInfo { kid: String::new(), not_before, not_after };
    assert_eq!(state(&key(0, None), 2 * HOUR), "began 2 hours ago");
    assert_eq!(state(&key(3 * HOUR, None), HOUR), "begins in 2 hours");
    assert_eq!(state(&key(0, Some(HOUR)), 2 * HOUR), "ended 60 minutes ago");
}

#[test]
fn a_private_key_is_never_written_over_another() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("private_key.pem");
    write_private(&file, b"one").unwrap();
    assert_eq!(write_private(&file, b"two").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&file).unwrap().permissions()) & 0o777, 0o600);
}

#[test]
fn columns_line_up() {
    assert_eq!(table(&[["a", "b"].map(String::from), ["cc", ""].map(String::from)]), "a   b\ncc\n");
}

#[tokio::test]
async fn an_account_is_connected_by_a_secret_that_is_on_no_command_line() {
    let folder = TempDir::new().unwrap();
    let (environment, _dynamodb) = tables(&folder).await;
    let Line { admin } = Line::parse_from(["", "uploads", "connect", "--account", "7", "--client-id", "c"]);
    let Subject::Uploads(order) = admin.subject else { panic!("it is about uploads") };
    let connect = async |input: &str| uploads::run(&order, &environment, &mut input.as_bytes()).await.map_err(|error| error.to_string());
    assert_eq!(connect("open sesame\n").await.unwrap(), "account 7 is connected, as client c\n");
    assert!(connect("").await.unwrap_err().starts_with("the secret cannot be read"));
    let listed = uploads::run(&arguments::Uploads::List, &environment, &mut [].as_slice()).await.unwrap();
    assert_eq!(listed, "video  state  created  credentials end  name\n");
}
