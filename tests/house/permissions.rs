//! Permissions are the calls that are made, and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use sam::Node;

use super::{
    sources,
    template::{functions, resources, template},
};

const ISSUERS: &[&str] = &["init_token", "auth_token", "id_api"];
const UPLOADERS: &[&str] = &["create_video", "sign_upload", "ingest", "upload_reaper"];
/// Whoever opens what is sealed.
const EVERYBODY: &[&str] =
    &["init_token", "auth_token", "id_api", "sm_proxy", "usage", "create_video", "sign_upload", "ingest", "upload_reaper"];
/// Whose answers come of the request alone.
const CALLS_NOBODY: [&str; 1] = ["upload_authorizer"];
/// Who goes to the endpoint without the proxy, by `TranslatePolicy`.
const TRANSLATOR: &str = "rampway translate";
/// An administrator comes with permissions of his own.
const ADMINISTRATOR: &[&str] = &[];

/// Whose bucket it is says who may use it.
const BUCKETS: &[&str] = &[];

/// One call in the source: the file, the SDK's operation, the permission, what it is called on, and who gets there.
type Call = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

/// Every call to AWS under shared/cloud/src, once each. A call of one of the [`HELPERS`] counts like the operation that it makes.
const CALLS: &[Call] = &[
    ("identity/clients.rs", "get_item", "dynamodb:GetItem", "!GetAtt ClientsTable.Arn", ISSUERS),
    ("identity/permits.rs", "query_items", "dynamodb:Query", "!GetAtt PermitsTable.Arn", ISSUERS),
    ("identity/domains.rs", "query_items", "dynamodb:Query", "!GetAtt DomainsTable.Arn", &["init_token", "id_api"]),
    ("identity/keyring.rs", "scan_items", "dynamodb:Scan", "!GetAtt SigningKeysTable.Arn", ISSUERS),
    ("identity/usage/receiver.rs", "update_item", "dynamodb:UpdateItem", "!GetAtt MetricsTable.Arn", &["id_api"]),
    ("identity/usage/receiver.rs", "query_items", "dynamodb:Query", "!GetAtt MetricsTable.Arn", ADMINISTRATOR),
    // A transaction has no permission of its own: it needs those of what is in it, here updates.
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
    // With the upload's own credentials, in the vendor's bucket.
    ("upload/object.rs", "head_object", "s3:GetObject", "an object", BUCKETS),
    ("vault/envelope.rs", "decrypt", "kms:Decrypt", "!GetAtt VaultKey.Arn", EVERYBODY),
    ("vault/envelope.rs", "generate_data_key", "kms:GenerateDataKey", "!GetAtt VaultKey.Arn", &["sm_proxy", "create_video"]),
];

/// The administration's calls.
const ADMINISTRATION: &str = "identity/admin/";

/// The methods that make an operation on whichever table their caller names: the file, the operation, the method. [`CALLS`] lists their
/// callers instead.
const HELPERS: [(&str, &str, &str); 2] = [("vault/tables.rs", "query", "query_items"), ("vault/tables.rs", "scan", "scan_items")];

/// The SDKs' operations that anything here might come to call.
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

/// Where AWS knows no resource, `*` is all there is.
const NAMELESS: [(&str, &str); 4] = [
    ("TracePolicy", "xray:PutTraceSegments"),
    ("TracePolicy", "xray:PutTelemetryRecords"),
    ("TranscoderRole", "ecr:GetAuthorizationToken"),
    ("TranscoderRole", "cloudwatch:PutMetricData"),
];

/// What AWS's own policies are attached to, and why.
const MANAGED: [(&str, &str); 1] = [("ApiGatewayLogRole", "API Gateway refuses a role that may do less")];

/// The statements of a role or a managed policy: what may be done, and on what.
fn statements(resource: Node<'_>) -> Vec<(Vec<String>, Vec<String>)> {
    let inline = resource.items(&["Properties", "Policies"]).filter_map(|policy| policy.get(&["PolicyDocument"]));
    let documents = inline.chain(resource.get(&["Properties", "PolicyDocument"]));
    let statements = documents.flat_map(|document| document.items(&["Statement"]));
    statements.map(|statement| (statement.texts(&["Action"]), statement.texts(&["Resource"]))).collect()
}

/// What a caller calls: the permissions, and on what.
fn calls_of(caller: &str) -> impl Iterator<Item = (String, String)> {
    CALLS.iter().filter(move |(.., callers)| callers.contains(&caller)).map(|(_, _, action, on, _)| ((*action).into(), (*on).into()))
}

/// What a role or a policy grants: the permissions, and on what.
fn granted(resource: Node<'_>) -> BTreeSet<(String, String)> {
    let each = statements(resource).into_iter();
    each.flat_map(|(actions, on)| actions.into_iter().flat_map(move |action| on.clone().into_iter().map(move |on| (action.clone(), on))))
        .collect()
}

#[test]
fn whoever_translates_at_the_endpoint_may_do_that_and_nothing_else() {
    let template = template();
    let policy = template.resource("TranslatePolicy").expect("the policy is in the template");
    let called: BTreeSet<_> = calls_of(TRANSLATOR).collect();
    assert_eq!((granted(policy.node), called.len()), (called, 2));
}

#[test]
fn functions_may_do_what_they_call_and_nothing_else() {
    let template = template();
    for (name, function) in functions(&template) {
        let role = function.text(&["Properties", "Role"]);
        let role = role.strip_prefix("!GetAtt ").and_then(|role| role.strip_suffix(".Arn")).expect("a function has a role of its own");
        let log = function.text(&["Properties", "LoggingConfig", "LogGroup"]).replace("!Ref ", "!GetAtt ") + ".Arn";

        let logged = ["logs:CreateLogStream", "logs:PutLogEvents"].map(|action| (action.to_owned(), log.clone()));
        let called: BTreeSet<(String, String)> = calls_of(&name).chain(logged).collect();
        assert_eq!(called.len() > 2, !CALLS_NOBODY.contains(&name.as_str()), "{name} calls nothing");

        let resource = template.resource(role).expect("the role is in the template").node;
        assert_eq!(granted(resource), called, "{name}: what its role grants, and what it calls");
        assert_eq!(resource.texts(&["Properties", "ManagedPolicyArns"]), ["!Ref TracePolicy"], "{name}");
    }
}

#[test]
fn every_call_to_aws_is_known() {
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
        // Whoever reaches for the client calls it: an operation that is missing above would be seen here.
        let used = text.matches(".dynamo()").count() + text.matches(".s3()").count();
        assert_eq!(found, used, "{path}: calls to DynamoDB and S3, and uses of their clients");
    }
    assert_eq!(made, known, "the calls in the source, and those in CALLS");
}

#[test]
fn the_functions_make_no_call_but_through_cloud() {
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
fn no_policy_names_everything() {
    let template = template();
    let mut nameless = BTreeSet::from(NAMELESS);
    let policies = ["AWS::IAM::Role", "AWS::IAM::ManagedPolicy"].map(|kind| resources(&template, kind)).concat();
    for policy in policies {
        let name = policy.id;
        for (actions, on) in statements(policy.node) {
            assert!(!actions.is_empty() && !on.is_empty(), "{name} has a statement of nothing");
            for action in &actions {
                assert!(!action.contains('*'), "{name} may do {action}");
                if on.iter().any(|on| on.contains('*')) {
                    let reason = NAMELESS.iter().find(|(role, known)| *role == name && known == action);
                    assert!(reason.is_some(), "{name} may do {action} on {on:?}");
                    nameless.remove(reason.expect("it was just found"));
                }
            }
        }
        for arn in policy.node.texts(&["Properties", "ManagedPolicyArns"]).iter().filter(|arn| *arn != "!Ref TracePolicy") {
            assert!(MANAGED.iter().any(|(role, _)| *role == name), "{name} has {arn}");
        }
    }
    assert_eq!(nameless, BTreeSet::new(), "these need no `*` any more");
}

/// What each function opens and seals, by the beginning of its item's name. A seal is bound to that name, so the role is, too.
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
fn a_seal_opens_for_those_who_need_it() {
    let template = template();
    let source: String = sources(&["shared/cloud/src/"]).into_iter().map(|(_, text)| text).collect();
    for (name, opened, sealed) in SEALS {
        for seal in opened.iter().chain(sealed) {
            assert!(source.contains(&format!("\"{}", seal.trim_end_matches('*'))), "nothing is sealed as {seal}");
        }
        let (_, function) = functions(&template).into_iter().find(|(function, _)| *function == name).expect("the function is there");
        let role = function.text(&["Properties", "Role"]).replace("!GetAtt ", "").replace(".Arn", "");
        let role = template.resource(&role).expect("the role is in the template");
        let all = role.node.items(&["Properties", "Policies"]).flat_map(|policy| policy.items(&["PolicyDocument", "Statement"]));
        let mut granted: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for statement in all {
            for action in statement.texts(&["Action"]).into_iter().filter(|action| action.starts_with("kms:")) {
                let bound = statement.texts(&["Condition", "StringLike", "kms:EncryptionContext:item"]);
                assert!(!bound.is_empty(), "{name} may {action} whatever it is");
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
