//! The deployment: timeouts, tables, logs, network isolation and the environment.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    sources,
    template::{events, functions, property, resources, template},
};

/// The maximum integration timeout of an API Gateway REST API, in seconds.
pub(crate) const GATEWAY_TIMEOUT: u64 = 29;

/// The tables with items that expire, the time-to-live attribute, and the source that writes it:
/// reported counts, the proxy's init tokens, and uploads a week after their credentials.
const EXPIRING: [(&str, &str, &str); 3] = [
    ("UploadsTable", "ttl", "shared/cloud/src/upload/"),
    ("UsageTable", "expires_at", "shared/cloud/src/identity/usage/counter.rs"),
    ("VaultTable", "expires_at", "shared/cloud/src/identity/credential_store.rs"),
];

/// The variables that settings read and the template does not set, and the reason.
const SET_ELSEWHERE: [(&str, &str); 15] = [
    ("AWS_REGION", "set by Lambda, locally by the environment file"),
    ("AWS_ACCESS_KEY_ID", "set by Lambda, locally by the environment file"),
    ("AWS_SECRET_ACCESS_KEY", "set by Lambda, locally by the environment file"),
    ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "local only"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "local only"),
    ("AWS_ENDPOINT_URL_S3", "set for an S3 engine only"),
    ("BRIGHTCOVE_OAUTH_URL", "local only: Brightcove's own is the default"),
    ("BRIGHTCOVE_CMS_URL", "local only: Brightcove's own is the default"),
    ("BRIGHTCOVE_INGEST_URL", "local only: Brightcove's own is the default"),
    ("UPLOAD_HOSTS", "local only: S3's own hosts are built in"),
    ("MODEL_DIRECTORY", "SageMaker always uses the default"),
    ("SAGEMAKER_BIND_TO_PORT", "set by SageMaker"),
    ("RAMPWAY_BIND", "local only: binds the transcoder to loopback"),
    ("MAX_BODY_BYTES", "the default is the limit of batch transform"),
    ("MAX_BYTES_IN_FLIGHT", "the default fits the smallest instance"),
];

#[test]
fn every_function_times_out_before_api_gateway() {
    let template = template();
    let mut functions_with_routes = 0;
    for (name, function) in functions(&template).into_iter().filter(|(_, function)| !events(*function, "Api").is_empty()) {
        let timeout = property(&template, function, "Timeout").and_then(|timeout| timeout.number(&[])).expect("the timeout is a number");
        assert!(timeout < GATEWAY_TIMEOUT, "{name} may run {timeout} seconds; API Gateway ends the request after {GATEWAY_TIMEOUT}");
        functions_with_routes += 1;
    }
    assert!(functions_with_routes > 0, "no function has a route");
}

#[test]
fn every_table_is_encrypted_and_can_be_restored() {
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
fn items_that_expire_have_a_time_to_live() {
    let template = template();
    let tables = resources(&template, "AWS::DynamoDB::Table").into_iter();
    let ttl = ["Properties", "TimeToLiveSpecification", "AttributeName"];
    let tables = tables.map(|table| (table.id.to_owned(), table.node.text(&ttl)));
    let with_ttl: BTreeSet<(String, String)> = tables.filter(|(_, attribute)| !attribute.is_empty()).collect();
    assert_eq!(with_ttl, EXPIRING.map(|(table, attribute, _)| (table.to_owned(), attribute.to_owned())).into());
    for (table, attribute, writer) in EXPIRING {
        let written = sources(&[writer]).iter().any(|(_, text)| text.contains(attribute));
        assert!(written, "items of {table} do not expire: {writer} does not write {attribute}");
    }
    // Tables of identity share the attribute's name. Another writer needs a time-to-live of its
    // own.
    let writers: Vec<_> = sources(&["shared/cloud/src/identity/"]).into_iter().filter(|(_, text)| text.contains("expires_at")).collect();
    assert_eq!(writers.len(), 2, "{:?}", writers.iter().map(|(path, _)| path).collect::<Vec<_>>());
}

#[test]
fn the_transcoder_has_network_isolation() {
    for model in resources(&template(), "AWS::SageMaker::Model") {
        assert_eq!(model.node.text(&["Properties", "EnableNetworkIsolation"]), "true", "{}", model.id);
        assert!(model.node.get(&["Properties", "VpcConfig"]).is_none(), "{} is in a VPC", model.id);
    }
}

#[test]
fn kms_keys_rotate() {
    for key in resources(&template(), "AWS::KMS::Key") {
        assert_eq!(key.node.text(&["Properties", "EnableKeyRotation"]), "true", "{}", key.id);
    }
}

#[test]
fn every_log_group_is_encrypted_and_has_a_retention() {
    let template = template();
    let groups = resources(&template, "AWS::Logs::LogGroup");
    for group in &groups {
        assert_eq!(group.node.text(&["Properties", "KmsKeyId"]), "!GetAtt VaultKey.Arn", "{}", group.id);
        assert_eq!(group.node.text(&["Properties", "RetentionInDays"]), "!Ref LogRetentionDays", "{}", group.id);
    }
    for (name, function) in functions(&template) {
        let group = function.text(&["Properties", "LoggingConfig", "LogGroup"]);
        let group = group.strip_prefix("!Ref ").unwrap_or_default();
        assert!(groups.iter().any(|known| known.id == group), "{name} logs to {group:?}, which the template does not define");
    }
}

#[test]
fn access_logs_hold_no_client_input() {
    let template = template();
    let api = template.node().get(&["Globals", "Api"]).expect("the APIs have globals");
    let format = api.text(&["AccessLogSetting", "Format"]);
    assert!(format.contains("$context.resourcePath"), "{format}");
    for written in ["$input", "$context.path", "requestOverride", "querystring", "userAgent", "authorizer"] {
        assert!(!format.contains(written), "the access log holds {written}");
    }
    assert!(api.items(&["MethodSettings"]).next().is_some(), "the APIs have method settings");
    for setting in api.items(&["MethodSettings"]) {
        assert_eq!(setting.text(&["DataTraceEnabled"]), "false", "a data trace logs bodies");
    }
}

#[test]
fn the_template_sets_the_variables_that_settings_read() {
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
        assert!(!read.is_empty(), "{setting} reads no variable");
        for name in &set {
            assert!(read.contains(name), "the template sets {name}, and {setting} does not read it");
        }
        for name in read.iter().filter(|name| !set.contains(*name)) {
            assert!(SET_ELSEWHERE.iter().any(|(known, _)| known == name), "{setting} reads {name}, and the template does not set it");
            elsewhere.remove(name.as_str());
        }
    }
    assert_eq!(elsewhere, BTreeSet::new(), "no setting reads these");
}

/// The string literals of a source that are names of environment variables.
fn variables(source: &str) -> BTreeSet<String> {
    let literals = source.split('"').skip(1).step_by(2);
    let is_name =
        |text: &&str| text.len() > 3 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_');
    literals.filter(is_name).map(str::to_owned).collect()
}

#[test]
fn admin_environment_lists_every_table() {
    let template = template();
    let environment = template.node().get(&["Outputs", "AdminEnvironment", "Value"]).expect("the template has the output");
    let environment = environment.to_string();
    for table in resources(&template, "AWS::DynamoDB::Table") {
        assert!(environment.contains(&format!("_TABLE=${{{}}}", table.id)), "AdminEnvironment lacks {}", table.id);
    }
    for name in ["AWS_REGION=", "ISSUER=", "MASTER_KEY=", "AUTHORITY_URL="] {
        assert!(environment.contains(name), "AdminEnvironment lacks {name}");
    }
}

#[test]
fn translate_environment_lists_the_settings_of_the_endpoint_client() {
    let template = template();
    let environment = template.node().get(&["Outputs", "TranslateEnvironment", "Value"]).expect("the template has the output");
    let environment = environment.to_string();
    let lines =
        ["AWS_REGION=", "AUTHORITY_URL=", "ENDPOINT_NAME=${TranscoderEndpoint", "ENDPOINT_MAX_BYTES=6291456", "USAGE_TABLE=${UsageTable}"];
    for name in lines {
        assert!(environment.contains(name), "TranslateEnvironment lacks {name}");
    }
    assert!(!environment.contains("MASTER_KEY"), "the endpoint client decrypts nothing");
}

#[test]
fn every_function_has_the_same_runtime_and_build() {
    let template = template();
    for (name, function) in functions(&template) {
        let setting = |key| property(&template, function, key).map(|value| value.texts(&[])).unwrap_or_default();
        assert_eq!((setting("Runtime"), setting("Handler")), (vec!["provided.al2023".into()], vec!["bootstrap".into()]), "{name}");
        assert_eq!(setting("Architectures"), ["!Ref Architecture"], "{name}");
        assert_eq!(function.text(&["Metadata", "BuildMethod"]), "rust-cargolambda", "{name}");
        assert!(super::root().join("functions").join(&name).join("Cargo.toml").exists(), "{name} has no package");
    }
}
