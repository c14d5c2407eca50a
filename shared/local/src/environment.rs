//! Environment variables of the functions' processes and of `rampway admin`.

use std::{collections::BTreeMap, net::SocketAddr};

use sam::{Deployment, Function, Stack};

/// The configuration of the AWS SDKs: the local endpoints, and credentials that no AWS account
/// knows.
pub(crate) fn sdk(deployment: &Deployment, database: SocketAddr, sagemaker: SocketAddr) -> BTreeMap<String, String> {
    [
        ("AWS_REGION", deployment.region.clone()),
        ("AWS_DEFAULT_REGION", deployment.region.clone()),
        ("AWS_ACCESS_KEY_ID", "local".into()),
        ("AWS_SECRET_ACCESS_KEY", "local".into()),
        ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ("AWS_ENDPOINT_URL_DYNAMODB", format!("http://{database}")),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", format!("http://{sagemaker}")),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The variables that Lambda sets for a function.
pub(crate) fn lambda(function: &Function, runtime_api: SocketAddr, stream: &str) -> BTreeMap<String, String> {
    [
        ("AWS_LAMBDA_RUNTIME_API", runtime_api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", function.id.clone()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", function.memory_mb.to_string()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".into()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/{}", function.id)),
        ("AWS_LAMBDA_LOG_STREAM_NAME", stream.into()),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into()),
        ("AWS_EXECUTION_ENV", "AWS_Lambda_provided.al2023".into()),
        ("_HANDLER", "bootstrap".into()),
        ("TZ", ":UTC".into()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// The variables of `rampway admin`: tables, master key, authority, Brightcove account and the
/// SDK's configuration.
pub(crate) fn administrator(stack: &Stack, authority_url: &str, mut sdk: BTreeMap<String, String>) -> BTreeMap<String, String> {
    sdk.entry("AUTHORITY_URL".into()).or_insert_with(|| authority_url.into());
    for (name, value) in stack.functions.iter().flat_map(|function| &function.environment) {
        if name.ends_with("_TABLE")
            || ["MASTER_KEY", "AUTHORITY_URL", "ISSUER", "ENDPOINT_NAME", "BRIGHTCOVE_ACCOUNT"].contains(&name.as_str())
        {
            sdk.insert(name.clone(), value.clone());
        }
    }
    sdk
}
