//! Limits, tables, logs, the sealed room, and the environment.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    sources,
    template::{events, functions, property, resources, template},
};

/// The maximum integration timeout of an API Gateway REST API, in seconds.
pub(crate) const GATEWAY_TIMEOUT: u64 = 29;

/// The tables with items that end, by which attribute, and where that is written: counts long reported, the proxy's init tokens, and uploads
/// a week after their credentials.
const EXPIRING: [(&str, &str, &str); 3] = [
    ("UploadsTable", "ttl", "shared/cloud/src/upload/"),
    ("UsageTable", "expires_at", "shared/cloud/src/identity/usage/counter.rs"),
    ("VaultTable", "expires_at", "shared/cloud/src/identity/credential_store.rs"),
];

/// What a setting reads and the template does not set, and why.
const SET_ELSEWHERE: [(&str, &str); 15] = [
    ("AWS_REGION", "Lambda's own; on a desk it comes from the environment file"),
    ("AWS_ACCESS_KEY_ID", "Lambda's own; on a desk it comes from the environment file"),
    ("AWS_SECRET_ACCESS_KEY", "Lambda's own; on a desk it comes from the environment file"),
    ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "only of a desk"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "only of a desk"),
    ("AWS_ENDPOINT_URL_S3", "only where an engine stands in for S3"),
    ("BRIGHTCOVE_OAUTH_URL", "only of a desk: the vendor has one"),
    ("BRIGHTCOVE_CMS_URL", "only of a desk: the vendor has one"),
    ("BRIGHTCOVE_INGEST_URL", "only of a desk: the vendor has one"),
    ("UPLOAD_HOSTS", "only of a desk: S3's own hosts are known"),
    ("MODEL_DIRECTORY", "SageMaker has one place for models"),
    ("SAGEMAKER_BIND_TO_PORT", "SageMaker's own"),
    ("RAMPWAY_BIND", "only of a desk: it narrows the transcoder to loopback"),
    ("MAX_BODY_BYTES", "its default is what batch transform may send"),
    ("MAX_BYTES_IN_FLIGHT", "its default fits the smallest instance"),
];

#[test]
fn no_function_outlives_the_gateway() {
    let template = template();
    let mut doors = 0;
    for (name, function) in functions(&template).into_iter().filter(|(_, function)| !events(*function, "Api").is_empty()) {
        let timeout = property(&template, function, "Timeout").and_then(|timeout| timeout.number(&[])).expect("a time-out is a number");
        assert!(timeout < GATEWAY_TIMEOUT, "{name} may run {timeout} s: the gateway answers its caller before");
        doors += 1;
    }
    assert!(doors > 0, "no function has a route");
}

#[test]
fn every_table_is_sealed_and_can_be_restored() {
    for table in resources(&template(), "AWS::DynamoDB::Table") {
        let (name, table) = (table.id, table.node);
        assert_eq!(table.text(&["Properties", "SSESpecification", "SSEEnabled"]), "true", "{name}");
        assert_eq!(table.text(&["Properties", "SSESpecification", "KMSMasterKeyId"]), "!GetAtt VaultKey.Arn", "{name}");
        let recovery = ["Properties", "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"];
        assert_eq!(table.text(&recovery), "true", "{name}");
        assert_eq!(table.text(&["DeletionPolicy"]), "Retain", "{name}");
        assert_eq!(table.text(&["UpdateReplacePolicy"]), "Retain", "{name}");
    }
}

#[test]
fn what_expires_is_swept() {
    let template = template();
    let tables = resources(&template, "AWS::DynamoDB::Table").into_iter();
    let ttl = ["Properties", "TimeToLiveSpecification", "AttributeName"];
    let tables = tables.map(|table| (table.id.to_owned(), table.node.text(&ttl)));
    let swept: BTreeSet<(String, String)> = tables.filter(|(_, attribute)| !attribute.is_empty()).collect();
    assert_eq!(swept, EXPIRING.map(|(table, attribute, _)| (table.to_owned(), attribute.to_owned())).into());
    for (table, attribute, writer) in EXPIRING {
        let written = sources(&[writer]).iter().any(|(_, text)| text.contains(attribute));
        assert!(written, "nothing of {table} ends: {writer} does not write {attribute}");
    }
    // Whoever writes the attribute by which others' items end may mean to end his own.
    let writers: Vec<_> = sources(&["shared/cloud/src/identity/"]).into_iter().filter(|(_, text)| text.contains("expires_at")).collect();
    assert_eq!(writers.len(), 2, "{:?}", writers.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn the_sealed_room_has_no_network() {
    for model in resources(&template(), "AWS::SageMaker::Model") {
        assert_eq!(model.node.text(&["Properties", "EnableNetworkIsolation"]), "true", "{}", model.id);
        assert!(model.node.get(&["Properties", "VpcConfig"]).is_none(), "{} is in a network", model.id);
    }
}

#[test]
fn keys_rotate() {
    for key in resources(&template(), "AWS::KMS::Key") {
        assert_eq!(key.node.text(&["Properties", "EnableKeyRotation"]), "true", "{}", key.id);
    }
}

#[test]
fn every_log_is_sealed_and_ends() {
    let template = template();
    let groups = resources(&template, "AWS::Logs::LogGroup");
    for group in &groups {
        assert_eq!(group.node.text(&["Properties", "KmsKeyId"]), "!GetAtt VaultKey.Arn", "{}", group.id);
        assert_eq!(group.node.text(&["Properties", "RetentionInDays"]), "!Ref LogRetentionDays", "{}", group.id);
    }
    for (name, function) in functions(&template) {
        let group = function.text(&["Properties", "LoggingConfig", "LogGroup"]);
        let group = group.strip_prefix("!Ref ").unwrap_or_default();
        assert!(groups.iter().any(|known| known.id == group), "{name} logs into {group:?}, which the template does not make");
    }
}

#[test]
fn logs_hold_nothing_that_a_caller_wrote() {
    let template = template();
    let api = template.node().get(&["Globals", "Api"]).expect("the APIs have globals");
    let format = api.text(&["AccessLogSetting", "Format"]);
    assert!(format.contains("$context.resourcePath"), "{format}");
    for written in ["$input", "$context.path", "requestOverride", "querystring", "userAgent", "authorizer"] {
        assert!(!format.contains(written), "the access log holds {written}");
    }
    assert!(api.items(&["MethodSettings"]).next().is_some(), "there are method settings");
    for setting in api.items(&["MethodSettings"]) {
        assert_eq!(setting.text(&["DataTraceEnabled"]), "false", "a data trace logs bodies");
    }
}

#[test]
fn every_variable_that_is_set_is_read_and_every_one_that_is_read_is_set() {
    let template = template();
    let mut set: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (_, function) in functions(&template) {
        let own = function.entries(&["Properties", "Environment", "Variables"]);
        let all = own.chain(template.node().entries(&["Globals", "Function", "Environment", "Variables"]));
        set.entry("shared/cloud/src/").or_default().extend(all.map(|(name, _)| name.to_owned()));
    }
    for model in resources(&template, "AWS::SageMaker::Model") {
        let own = model.node.entries(&["Properties", "PrimaryContainer", "Environment"]);
        set.entry("functions/transcoder/src/").or_default().extend(own.map(|(name, _)| name.to_owned()));
    }
    let mut elsewhere: BTreeSet<&str> = SET_ELSEWHERE.map(|(name, _)| name).into();
    for (setting, set) in set {
        // A crate's settings, and those of its nouns.
        let settings = sources(&[setting]).into_iter().filter(|(path, _)| path.ends_with("/setting.rs"));
        let read: BTreeSet<String> = settings.flat_map(|(_, text)| variables(&text)).collect();
        assert!(!read.is_empty(), "{setting} reads nothing");
        for name in &set {
            assert!(read.contains(name), "the template sets {name}, and {setting} does not read it");
        }
        for name in read.iter().filter(|name| !set.contains(*name)) {
            assert!(SET_ELSEWHERE.iter().any(|(known, _)| known == name), "{setting} reads {name}, and the template does not set it");
            elsewhere.remove(name.as_str());
        }
    }
    assert_eq!(elsewhere, BTreeSet::new(), "no setting reads these any more");
}

/// The names of environment variables among a source's literals.
fn variables(source: &str) -> BTreeSet<String> {
    let literals = source.split('"').skip(1).step_by(2);
    let is_name =
        |text: &&str| text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    literals.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn the_administrator_is_told_of_every_table() {
    let template = template();
    let told = template.node().get(&["Outputs", "AdminEnvironment", "Value"]).expect("the template tells the administrator's environment");
    let told = told.to_string();
    for table in resources(&template, "AWS::DynamoDB::Table") {
        assert!(told.contains(&format!("_TABLE=${{{}}}", table.id)), "AdminEnvironment says nothing of {}", table.id);
    }
    for name in ["AWS_REGION=", "ISSUER=", "MASTER_KEY=", "AUTHORITY_URL="] {
        assert!(told.contains(name), "AdminEnvironment says nothing of {name}");
    }
}

#[test]
fn whoever_translates_at_the_endpoint_is_told_what_it_takes() {
    let template = template();
    let told = template.node().get(&["Outputs", "TranslateEnvironment", "Value"]).expect("the template tells a translator's environment");
    let told = told.to_string();
    let lines =
        ["AWS_REGION=", "AUTHORITY_URL=", "ENDPOINT_NAME=${TranscoderEndpoint", "ENDPOINT_MAX_BYTES=6291456", "USAGE_TABLE=${UsageTable}"];
    for name in lines {
        assert!(told.contains(name), "TranslateEnvironment says nothing of {name}");
    }
    assert!(!told.contains("MASTER_KEY"), "whoever translates opens no seal");
}

#[test]
fn every_function_runs_the_same_way() {
    let template = template();
    for (name, function) in functions(&template) {
        let setting = |key| property(&template, function, key).map(|value| value.texts(&[])).unwrap_or_default();
        assert_eq!((setting("Runtime"), setting("Handler")), (vec!["provided.al2023".into()], vec!["bootstrap".into()]), "{name}");
        assert_eq!(setting("Architectures"), ["!Ref Architecture"], "{name}");
        assert_eq!(function.text(&["Metadata", "BuildMethod"]), "rust-cargolambda", "{name}");
        assert!(super::root().join("functions").join(&name).join("Cargo.toml").exists(), "{name} has no package");
    }
}
