//! Permissions: each role grants exactly the AWS calls of its function.

use std::collections::{BTreeMap, BTreeSet};

use sam::Node;

use super::{
    sources,
    template::{functions, resources, template},
};

const ISSUERS: &[&str] = &["init_token", "auth_token", "id_api"];
const UPLOADERS: &[&str] = &["create_video", "sign_upload", "ingest", "upload_reaper"];
/// The functions that decrypt with the vault's key.
const VAULT_READERS: &[&str] =
    &["init_token", "auth_token", "id_api", "sm_proxy", "usage", "create_video", "sign_upload", "ingest", "upload_reaper"];
/// The functions that call no AWS service.
const WITHOUT_CALLS: [&str; 1] = ["upload_authorizer"];
/// The client of the endpoint, which has `TranslatePolicy`.
const TRANSLATOR: &str = "rampway translate";
/// The administrator's permissions are not part of the template.
const ADMINISTRATOR: &[&str] = &[];

/// The permissions for a bucket are its owner's to grant.
const BUCKETS: &[&str] = &[];

/// A call in the source: the file, the SDK's operation, the action, the resource, and the callers.
type Call = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// Every call to AWS under shared/cloud/src, with one row for each place. Calls of [`HELPERS`] are
/// listed like operations.
const CALLS: &[Call] = &[
    ("identity/clients.rs", "get_item", "dynamodb:GetItem", "!GetAtt ClientsTable.Arn", ISSUERS),
    ("identity/permits.rs", "query_items", "dynamodb:Query", "!GetAtt PermitsTable.Arn", ISSUERS),
    ("identity/domains.rs", "query_items", "dynamodb:Query", "!GetAtt DomainsTable.Arn", &["init_token", "id_api"]),
    ("identity/keyring.rs", "scan_items", "dynamodb:Scan", "!GetAtt SigningKeysTable.Arn", ISSUERS),
    ("identity/usage/receiver.rs", "update_item", "dynamodb:UpdateItem", "!GetAtt MetricsTable.Arn", &["id_api"]),
    ("identity/usage/receiver.rs", "query_items", "dynamodb:Query", "!GetAtt MetricsTable.Arn", ADMINISTRATOR),
    // A transaction needs the permissions of its items, here updates.
    ("identity/usage/counter.rs", "transact_write_items", "dynamodb:UpdateItem", "!GetAtt UsageTable.Arn", &["sm_proxy", TRANSLATOR]),
    ("identity/usage/reporter.rs", "query_items", "dynamodb:Query", "!Sub ${UsageTable.Arn}/index/pending", &["usage"]),
    ("identity/usage/reporter.rs", "query_items", "dynamodb:Query", "!GetAtt UsageTable.Arn", &["usage"]),
    ("identity/usage/reporter.rs", "update_item", "dynamodb:UpdateItem", "!GetAtt UsageTable.Arn", &["usage"]),
    ("identity/credential_store.rs", "get_item", "dynamodb:GetItem", "!GetAtt VaultTable.Arn", &["sm_proxy", "usage"]),
    ("identity/credential_store.rs", "get_item", "dynamodb:GetItem", "!GetAtt VaultTable.Arn", &["sm_proxy"]),
    ("identity/credential_store.rs", "put_item", "dynamodb:PutItem", "!GetAtt VaultTable.Arn", &["sm_proxy"]),
    ("identity/credential_store.rs", "put_item", "dynamodb:PutItem", "!GetAtt VaultTable.Arn", &["sm_proxy"]),
    ("identity/credential_store.rs", "scan_items", "dynamodb:Scan", "!GetAtt VaultTable.Arn", &["sm_proxy"]),
    ("identity/endpoint/json.rs", "invoke_endpoint", "sagemaker:InvokeEndpoint", "!Ref TranscoderEndpoint", &["sm_proxy"]),
    ("identity/endpoint/csv.rs", "invoke_endpoint", "sagemaker:InvokeEndpoint", "!Ref TranscoderEndpoint", &[TRANSLATOR]),
    ("object/store.rs", "head_object", "s3:GetObject", "an object", BUCKETS),
    ("object/store.rs", "get_object", "s3:GetObject", "an object", BUCKETS),
    ("object/writer.rs", "put_object", "s3:PutObject", "an object", BUCKETS),
    ("object/writer.rs", "create_multipart_upload", "s3:PutObject", "an object", BUCKETS),
    ("object/writer.rs", "upload_part", "s3:PutObject", "an object", BUCKETS),
    ("object/writer.rs", "complete_multipart_upload", "s3:PutObject", "an object", BUCKETS),
    ("object/writer.rs", "abort_multipart_upload", "s3:AbortMultipartUpload", "an object", BUCKETS),
    ("upload/store.rs", "get_item", "dynamodb:GetItem", "!GetAtt UploadsTable.Arn", UPLOADERS),
    ("upload/store.rs", "put_item", "dynamodb:PutItem", "!GetAtt UploadsTable.Arn", &["create_video"]),
    ("upload/store.rs", "update_item", "dynamodb:UpdateItem", "!GetAtt UploadsTable.Arn", UPLOADERS),
    ("upload/store.rs", "query_items", "dynamodb:Query", "!Sub ${UploadsTable.Arn}/index/unfinished", &["upload_reaper"]),
    ("upload/store.rs", "scan_items", "dynamodb:Scan", "!GetAtt UploadsTable.Arn", ADMINISTRATOR),
    // Uses the upload's credentials for Brightcove's bucket.
    ("upload/object.rs", "head_object", "s3:GetObject", "an object", BUCKETS),
    ("vault/envelope.rs", "decrypt", "kms:Decrypt", "!GetAtt VaultKey.Arn", VAULT_READERS),
    ("vault/envelope.rs", "generate_data_key", "kms:GenerateDataKey", "!GetAtt VaultKey.Arn", &["sm_proxy", "create_video"]),
];

/// The source of the administration, whose calls are not listed.
const ADMINISTRATION: &str = "identity/admin/";

/// The methods that run an operation on a table of their caller's choice: the file, the operation
/// and the method. [`CALLS`] lists their callers instead.
const HELPERS: [(&str, &str, &str); 2] = [("vault/tables.rs", "query", "query_items"), ("vault/tables.rs", "scan", "scan_items")];

/// The SDKs' operations that the source is searched for.
const OPERATIONS: [&str; 29] = [
    "get_item",
    "query",
    "scan",
    "put_item",
    "update_item",
    "delete_item",
    "transact_write_items",
    "transact_get_items",
    "batch_get_item",
    "batch_write_item",
    "execute_statement",
    "head_object",
    "get_object",
    "list_objects_v2",
    "put_object",
    "copy_object",
    "delete_object",
    "create_multipart_upload",
    "upload_part",
    "complete_multipart_upload",
    "abort_multipart_upload",
    "invoke_endpoint",
    "invoke_endpoint_async",
    "encrypt",
    "decrypt",
    "re_encrypt",
    "generate_data_key",
    "generate_data_key_without_plaintext",
    "create_grant",
];

/// The actions without resource-level permissions, which need `*`.
const WITHOUT_RESOURCE: [(&str, &str); 4] = [
    ("TracePolicy", "xray:PutTraceSegments"),
    ("TracePolicy", "xray:PutTelemetryRecords"),
    ("TranscoderRole", "ecr:GetAuthorizationToken"),
    ("TranscoderRole", "cloudwatch:PutMetricData"),
];

/// The roles with AWS managed policies, and the reason.
const MANAGED: [(&str, &str); 1] = [("ApiGatewayLogRole", "API Gateway refuses a role with fewer permissions")];

/// The statements of a role or a managed policy: actions and resources.
fn statements(resource: Node<'_>) -> Vec<(Vec<String>, Vec<String>)> {
    let inline = resource.items(&["Properties", "Policies"]).filter_map(|policy| policy.get(&["PolicyDocument"]));
    let documents = inline.chain(resource.get(&["Properties", "PolicyDocument"]));
    let statements = documents.flat_map(|document| document.items(&["Statement"]));
    statements.map(|statement| (statement.texts(&["Action"]), statement.texts(&["Resource"]))).collect()
}

/// The actions and resources of a caller's calls.
fn calls_of(caller: &str) -> impl Iterator<Item = (String, String)> {
    CALLS.iter().filter(move |(.., callers)| callers.contains(&caller)).map(|(_, _, action, on, _)| ((*action).into(), (*on).into()))
}

/// The actions and resources that a role or a policy grants.
fn granted(resource: Node<'_>) -> BTreeSet<(String, String)> {
    let each = statements(resource).into_iter();
    each.flat_map(|(actions, on)| actions.into_iter().flat_map(move |action| on.clone().into_iter().map(move |on| (action.clone(), on))))
        .collect()
}

#[test]
fn translate_policy_grants_exactly_its_calls() {
    let template = template();
    let policy = template.resource("TranslatePolicy").expect("the policy is in the template");
    let called: BTreeSet<_> = calls_of(TRANSLATOR).collect();
    assert_eq!((granted(policy.node), called.len()), (called, 2));
}

#[test]
fn every_role_grants_exactly_its_function_s_calls() {
    let template = template();
    for (name, function) in functions(&template) {
        let role = function.text(&["Properties", "Role"]);
        let role = role.strip_prefix("!GetAtt ").and_then(|role| role.strip_suffix(".Arn")).expect("a function has a role of its own");
        let log = function.text(&["Properties", "LoggingConfig", "LogGroup"]).replace("!Ref ", "!GetAtt ") + ".Arn";

        let logged = ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| (action.to_owned(), log.clone()));
        let called: BTreeSet<(String, String)> = calls_of(&name).chain(logged).collect();
        assert_eq!(called.len() > 2, !WITHOUT_CALLS.contains(&name.as_str()), "{name} has calls, or is in WITHOUT_CALLS");

        let resource = template.resource(role).expect("the role is in the template").node;
        assert_eq!(granted(resource), called, "{name}: the grants of its role, and its calls");
        assert_eq!(resource.texts(&["Properties", "ManagedPolicyArns"]), ["!Ref TracePolicy"], "{name}");
    }
}

#[test]
fn every_call_to_aws_is_listed() {
    let mut known: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (file, operation, ..) in CALLS {
        *known.entry(((*file).into(), (*operation).into())).or_default() += 1;
    }
    // Each helper makes its operation once.
    known.extend(HELPERS.map(|(file, operation, _)| ((file.into(), operation.into()), 1)));
    let mut made: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (path, text) in sources(&["shared/cloud/src/"]) {
        let file = path.trim_start_matches("shared/cloud/src/");
        let is_administration = file.starts_with(ADMINISTRATION);
        for (_, _, method) in HELPERS {
            let count = text.matches(&format!(".{method}(")).count();
            if count > 0 && !is_administration {
                made.insert((file.into(), method.into()), count);
            }
        }
        let mut found = 0;
        for operation in OPERATIONS {
            let count = text.matches(&format!(".{operation}()")).count();
            if count > 0 && !is_administration {
                made.insert((file.into(), operation.into()), count);
            }
            if !operation.contains("crypt") && !operation.contains("_key") && !operation.starts_with("invoke") {
                found += count;
            }
        }
        // Every use of a client is a call. A difference means that OPERATIONS lacks one.
        let used = text.matches(".dynamo()").count() + text.matches(".s3()").count();
        assert_eq!(found, used, "{path}: calls to DynamoDB and S3, and uses of their clients");
    }
    assert_eq!(made, known, "the calls in the source, and those in CALLS");
}

#[test]
fn functions_call_aws_through_cloud_only() {
    for (path, text) in sources(&["functions/"]).iter().filter(|(path, _)| !path.starts_with("functions/rampway/")) {
        for operation in OPERATIONS {
            assert!(!text.contains(&format!(".{operation}()")), "{path} calls {operation}");
        }
        for (_, _, method) in HELPERS {
            assert!(!text.contains(&format!(".{method}(")), "{path} calls {method}");
        }
    }
}

#[test]
fn no_policy_uses_a_wildcard() {
    let template = template();
    let mut without_resource = BTreeSet::from(WITHOUT_RESOURCE);
    let policies = ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"].map(|kind| resources(&template, kind)).concat();
    for policy in policies {
        let name = policy.id;
        for (actions, on) in statements(policy.node) {
            assert!(!actions.is_empty() && !on.is_empty(), "{name} has an empty statement");
            for action in &actions {
                assert!(!action.contains('*'), "{name} may do {action}");
                if on.iter().any(|on| on.contains('*')) {
                    let reason = WITHOUT_RESOURCE.iter().find(|(role, known)| *role == name && known == action);
                    assert!(reason.is_some(), "{name} may do {action} on {on:?}");
                    without_resource.remove(reason.expect("it is some"));
                }
            }
        }
        for arn in policy.node.texts(&["Properties", "ManagedPolicyArns"]).iter().filter(|arn| *arn != "!Ref TracePolicy") {
            assert!(MANAGED.iter().any(|(role, _)| *role == name), "{name} has {arn}");
        }
    }
    assert_eq!(without_resource, BTreeSet::new(), "these do not need `*`");
}

/// The items that each function opens and seals, by the prefix of their names. The encryption
/// context of a seal has the name, and the roles' conditions restrict it.
const SEALS: [(&str, &[&str], &[&str]); 9] = [
    ("init_token", &["domain#*", "signing_key#*"], &[]),
    ("auth_token", &["signing_key#*"], &[]),
    ("id_api", &["domain#*", "signing_key#*"], &[]),
    ("sm_proxy", &["credentials#*", "init_token#*"], &["credentials#*", "init_token#*"]),
    ("usage", &["credentials#*"], &[]),
    ("create_video", &["brightcove#*", "key#*", "upload#*"], &["key#*", "upload#*"]),
    ("sign_upload", &["upload#*"], &[]),
    ("ingest", &["brightcove#*", "key#*", "upload#*"], &[]),
    ("upload_reaper", &["brightcove#*"], &[]),
];

#[test]
fn kms_grants_are_restricted_by_encryption_context() {
    let template = template();
    let source: String = sources(&["shared/cloud/src/"]).into_iter().map(|(_, text)| text).collect();
    for (name, opened, sealed) in SEALS {
        for item in opened.iter().chain(sealed) {
            assert!(source.contains(&format!("\"{}", item.trim_end_matches('*'))), "the source seals no item {item}");
        }
        let (_, function) = functions(&template).into_iter().find(|(function, _)| *function == name).expect("the function exists");
        let role = function.text(&["Properties", "Role"]).replace("!GetAtt ", "").replace(".Arn", "");
        let role = template.resource(&role).expect("the role is in the template");
        let all = role.node.items(&["Properties", "Policies"]).flat_map(|policy| policy.items(&["PolicyDocument", "Statement"]));
        let mut granted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for statement in all {
            for action in statement.texts(&["Action"]).into_iter().filter(|action| action.starts_with("kms:")) {
                let bound = statement.texts(&["Condition", "StringLike", "kms:EncryptionContext:item"]);
                assert!(!bound.is_empty(), "{name} may {action} with any encryption context");
                granted.entry(action).or_default().extend(bound);
            }
        }
        let seals = |action: &str| granted.get(action).cloned().unwrap_or_default();
        assert_eq!((seals("kms:Decrypt"), seals("kms:GenerateDataKey")), (owned(opened), owned(sealed)), "{name}");
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}
