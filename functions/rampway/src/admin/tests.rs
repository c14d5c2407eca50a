//! Command lines against the tables of an embedded DynamoDB.

use std::{collections::BTreeMap, fs};

use clap::Parser;
use local::DynamoDb;
use sam::{Deployment, Template};
use shared::identity::Kind;
use tempfile::TempDir;

use super::{transcoders::write_private, *};
use crate::mint::mint;

const UUID: &str = "6f1c2a9e-58b3-4a52-9f6e-0b7a44c5d2e1";

/// Creates the template's tables, and returns the settings that name them. The tables are dropped
/// with the engine.
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
    admin: Admin,
}

/// Executes a command line.
async fn admin(environment: &Environment, line: &str) -> Result<String, Error> {
    let words = std::iter::once("rampway").chain(line.split(' '));
    execute(&Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}")).admin.subject, environment).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_companies_are_set_up_from_empty_tables() {
    let folder = tempfile::tempdir().unwrap();
    let (environment, _dynamodb) = tables(&folder).await;
    let model = folder.path().join("model");
    let run = async |line: &str| admin(&environment, line).await.unwrap_or_else(|error| panic!("{line}: {error}"));

    run("keys create").await;
    assert!(run("clients create acme").await.starts_with("client_id      acme\nclient_secret  "));
    run("clients create globex").await;
    run("domains create 1005 --owner acme").await;
    run("domains create 1006 --owner globex").await;
    run(&format!("transcoders create acme --model {}", model.display())).await;
    let granted = run("permits grant acme 1005 1006 --by acme").await;
    assert_eq!(granted, "from  to    granted  accepted  active\n1005  1006  yes      no        no\n");
    let accepted = run("permits accept acme 1005 1006 --by globex --days 365").await;
    assert!(accepted.contains("1005  1006  yes      ends in 52 weeks  yes"), "{accepted}");

    assert!(run("clients list").await.contains("acme    -          registered\n"));
    assert!(run("domains list").await.contains("1005    acme "));
    assert_eq!(run("keys list").await.lines().count(), 2);
    assert!(fs::read_to_string(model.join("private_key.pem")).unwrap().starts_with("-----BEGIN PRIVATE KEY-----"));
    assert!(fs::read_to_string(model.join("verification_keys.json")).unwrap().contains("\"keys\""));

    let minted = async || mint(Kind::Maintained, "1005".parse().unwrap(), &[UUID.into()], &environment).await.unwrap()[0].to_string();
    let id = minted().await;
    assert!(id.starts_with("XY1005") && id.len() == 49, "{id}");
    run("domains rotate 1005").await;
    assert_eq!(minted().await, id, "a new key does not encode before its delay has passed");
    // A key that is created in the same second as the first begins a second later.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    run("domains rotate 1005 --after 0").await;
    assert_ne!(minted().await, id);
    run("permits revoke acme 1005 1006 --order grant --by acme").await;
    assert!(run("permits list acme").await.ends_with("no\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_command_is_refused_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (environment, _dynamodb) = tables(&folder).await;
    admin(&environment, "clients create acme").await.unwrap();
    admin(&environment, "domains create 1005 --owner acme").await.unwrap();
    for (line, reason) in [
        ("clients create acme", "client acme exists already"),
        ("clients rotate globex", "there is no client globex"),
        ("domains create 1005 --owner acme", "domain 1005 exists already"),
        ("domains create 1006 --owner globex", "there is no client globex"),
        ("domains rotate 1006", "there is no domain 1006"),
        ("permits grant acme 1005 1006 --by globex", "domain 1005 belongs to acme; only its owner may approve or revoke"),
        ("transcoders register acme no/such.pem", "no/such.pem cannot be used"),
        ("keys retire none", "there is no signing key none"),
    ] {
        let found = admin(&environment, line).await.unwrap_err().to_string();
        assert!(found.contains(reason), "{line}: {found}");
    }
}

#[tokio::test]
async fn without_an_environment_the_error_says_what_to_do() {
    let error = admin(&Environment::process(), "keys list").await.unwrap_err().to_string();
    assert_eq!(error, "CLIENTS_TABLE is not set; start a local cloud with `rampway serve`, or pass an environment file as --env-file");
}

#[tokio::test]
async fn the_secret_of_an_account_is_read_from_standard_input() {
    let folder = TempDir::new().unwrap();
    let (environment, _dynamodb) = tables(&folder).await;
    let Line { admin } = Line::parse_from(["", "uploads", "connect", "--account", "7", "--client-id", "c"]);
    let Subject::Uploads(command) = admin.subject else { panic!("the command is about uploads") };
    let connect = async |input: &str| uploads::run(&command, &environment, &mut input.as_bytes()).await.map_err(|error| error.to_string());
    assert_eq!(connect("open sesame\n").await.unwrap(), "account 7 is connected, as client c\n");
    assert!(connect("").await.unwrap_err().starts_with("the secret cannot be read"));
    let listed = uploads::run(&Uploads::List, &environment, &mut [].as_slice()).await.unwrap();
    assert_eq!(listed, "video  state  created  credentials end  name\n");
}
