//! Limits, tables, logs, the sealed room, and the environment.

use std::collections::{BTreeMap, BTreeSet};

use serde_norway::Value;

use super::{
    sources,
    template::{Template, events, get, names, text, texts},
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
    let template = Template::read();
    let mut doors = 0;
    for (name, function) in template.functions().iter().filter(|(_, function)| !events(function, "Api").is_empty()) {
        let timeout = template.setting(function, "Timeout").and_then(Value::as_u64).expect("a time-out is a number");
        assert!(timeout < GATEWAY_TIMEOUT, "{name} may run {timeout} s: the gateway answers its caller before");
        doors += 1;
    }
    assert!(doors > 0, "no function has a route");
}

#[test]
fn every_table_is_sealed_and_can_be_restored() {
    for (name, table) in Template::read().resources("AWS::DynamoDB::Table") {
        let at = |path: &[&str]| text(get(table, &[&["Properties"], path].concat()));
        assert_eq!(at(&["SSESpecification", "SSEEnabled"]), "true", "{name}");
        assert_eq!(at(&["SSESpecification", "KMSMasterKeyId"]), "!GetAtt VaultKey.Arn", "{name}");
        assert_eq!(at(&["PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"]), "true", "{name}");
        assert_eq!(text(get(table, &["DeletionPolicy"])), "Retain", "{name}");
        assert_eq!(text(get(table, &["UpdateReplacePolicy"])), "Retain", "{name}");
    }
}

#[test]
fn what_expires_is_swept() {
    let template = Template::read();
    let ttl = |table| text(get(table, &["Properties", "TimeToLiveSpecification", "AttributeName"]));
    let tables = template.resources("AWS::DynamoDB::Table").into_iter().map(|(name, table)| (name.to_owned(), ttl(table)));
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
    for (name, model) in Template::read().resources("AWS::SageMaker::Model") {
        assert_eq!(text(get(model, &["Properties", "EnableNetworkIsolation"])), "true", "{name}");
        assert!(get(model, &["Properties", "VpcConfig"]).is_none(), "{name} is in a network");
    }
}

#[test]
fn keys_rotate() {
    for (name, key) in Template::read().resources("AWS::KMS::Key") {
        assert_eq!(text(get(key, &["Properties", "EnableKeyRotation"])), "true", "{name}");
    }
}

#[test]
fn every_log_is_sealed_and_ends() {
    let template = Template::read();
    let groups = template.resources("AWS::Logs::LogGroup");
    for (name, group) in &groups {
        assert_eq!(text(get(group, &["Properties", "KmsKeyId"])), "!GetAtt VaultKey.Arn", "{name}");
        assert_eq!(text(get(group, &["Properties", "RetentionInDays"])), "!Ref LogRetentionDays", "{name}");
    }
    for (name, function) in template.functions() {
        let group = text(get(function, &["Properties", "LoggingConfig", "LogGroup"]));
        let group = group.strip_prefix("!Ref ").unwrap_or_default();
        assert!(groups.iter().any(|(name, _)| *name == group), "{name} logs into {group:?}, which the template does not make");
    }
}

#[test]
fn logs_hold_nothing_that_a_caller_wrote() {
    let template = Template::read();
    let format = text(template.get(&["Globals", "Api", "AccessLogSetting", "Format"]));
    assert!(format.contains("$context.resourcePath"), "{format}");
    for written in ["$input", "$context.path", "requestOverride", "querystring", "userAgent", "authorizer"] {
        assert!(!format.contains(written), "the access log holds {written}");
    }
    let settings = template.get(&["Globals", "Api", "MethodSettings"]).and_then(Value::as_sequence).expect("there are method settings");
    for setting in settings {
        assert_eq!(text(get(setting, &["DataTraceEnabled"])), "false", "a data trace logs bodies");
    }
}

#[test]
fn every_variable_that_is_set_is_read_and_every_one_that_is_read_is_set() {
    let template = Template::read();
    let mut set: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let everybody = names(template.get(&["Globals", "Function", "Environment", "Variables"]));
    for (_, function) in template.functions() {
        let own = names(get(function, &["Properties", "Environment", "Variables"]));
        set.entry("shared/cloud/src/").or_default().extend(own.into_iter().chain(everybody.clone()));
    }
    for (_, model) in template.resources("AWS::SageMaker::Model") {
        let own = names(get(model, &["Properties", "PrimaryContainer", "Environment"]));
        set.entry("functions/transcoder/src/").or_default().extend(own);
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
    let template = Template::read();
    let told = template.get(&["Outputs", "AdminEnvironment", "Value"]).map(|value| serde_norway::to_string(value).expect("YAML is YAML"));
    let told = told.expect("the template tells the administrator's environment");
    for (name, _) in template.resources("AWS::DynamoDB::Table") {
        assert!(told.contains(&format!("_TABLE=${{{name}}}")), "AdminEnvironment says nothing of {name}");
    }
    for name in ["AWS_REGION=", "ISSUER=", "MASTER_KEY=", "AUTHORITY_URL="] {
        assert!(told.contains(name), "AdminEnvironment says nothing of {name}");
    }
}

#[test]
fn whoever_translates_at_the_endpoint_is_told_what_it_takes() {
    let template = Template::read();
    let told =
        template.get(&["Outputs", "TranslateEnvironment", "Value"]).map(|value| serde_norway::to_string(value).expect("YAML is YAML"));
    let told = told.expect("the template tells a translator's environment");
    let lines =
        ["AWS_REGION=", "AUTHORITY_URL=", "ENDPOINT_NAME=${TranscoderEndpoint", "ENDPOINT_MAX_BYTES=6291456", "USAGE_TABLE=${UsageTable}"];
    for name in lines {
        assert!(told.contains(name), "TranslateEnvironment says nothing of {name}");
    }
    assert!(!told.contains("MASTER_KEY"), "whoever translates opens no seal");
}

#[test]
fn every_function_runs_the_same_way() {
    let template = Template::read();
    for (name, function) in template.functions() {
        let setting = |key| text(template.setting(function, key));
        assert_eq!((setting("Runtime").as_str(), setting("Handler").as_str()), ("provided.al2023", "bootstrap"), "{name}");
        assert_eq!(texts(template.setting(function, "Architectures")), ["!Ref Architecture"], "{name}");
        assert_eq!(text(get(function, &["Metadata", "BuildMethod"])), "rust-cargolambda", "{name}");
        assert!(super::root().join("functions").join(name).join("Cargo.toml").exists(), "{name} has no package");
    }
}
