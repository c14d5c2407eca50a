//! Lambda authorizers of type REQUEST: API Gateway invokes one before it invokes a function.

use std::collections::BTreeMap;

use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayProxyRequest,
    lambda_runtime::{self, Diagnostic, LambdaEvent},
};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json, value::RawValue};

use super::{
    log,
    request::Request,
    response::{ApiError, Error},
};
use crate::setting::Environment;

/// An authorizer's input: the request to decide on, and its ARN.
#[derive(Debug)]
pub struct AuthorizerRequest {
    /// The request.
    pub request: Request,
    /// The ARN of the method that it calls.
    pub method_arn: String,
}

/// An authorizer's output.
#[derive(Debug, PartialEq, Eq)]
pub enum AuthorizerDecision {
    /// API Gateway invokes the function.
    Allow {
        /// The caller's identity: `principalId`.
        principal: String,
        /// The context that the function gets.
        context: BTreeMap<&'static str, String>,
    },
    /// The caller is authenticated, and not authorized: API Gateway answers 403.
    Deny {
        /// The caller's identity: `principalId`.
        principal: String,
    },
    /// The caller is not authenticated: API Gateway answers 401.
    Unauthorized,
}

impl<'de> Deserialize<'de> for AuthorizerRequest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Arn {
            #[serde(rename = "methodArn")]
            method_arn: String,
        }
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let request: ApiGatewayProxyRequest = serde_json::from_str(raw).map_err(de::Error::custom)?;
        let Arn { method_arn } = serde_json::from_str(raw).map_err(de::Error::custom)?;
        Ok(Self { request: request.into(), method_arn })
    }
}

impl AuthorizerDecision {
    /// The response: an IAM policy for this one method, or `None` for 401.
    #[must_use]
    pub fn policy(self, method_arn: &str) -> Option<Value> {
        let policy = |effect: &str| {
            let statement = json!([{"Action": "execute-api:Invoke", "Effect": effect, "Resource": method_arn}]);
            json!({"Version": "2012-10-17", "Statement": statement})
        };
        match self {
            Self::Allow { principal, context } => {
                Some(json!({"principalId": principal, "policyDocument": policy("Allow"), "context": context}))
            }
            Self::Deny { principal } => Some(json!({"principalId": principal, "policyDocument": policy("Deny")})),
            Self::Unauthorized => None,
        }
    }
}

/// Serves the authorizer requests of an API.
pub async fn authorize<H>(environment: &Environment, handler: H) -> Result<(), Error>
where
    H: AsyncFn(Request) -> Result<AuthorizerDecision, ApiError>,
{
    log::init(environment);
    let service = lambda_runtime::service_fn(async |event: LambdaEvent<AuthorizerRequest>| {
        let AuthorizerRequest { request, method_arn } = event.payload;
        let decision = handler(request).await.map_err(|error| {
            tracing::error!("{error}");
            Diagnostic { error_type: "Failure".into(), error_message: "the authorizer failed".into() }
        })?;
        // API Gateway answers 401 to exactly this message, and 500 to any other.
        let unauthorized = || Diagnostic { error_type: "Unauthorized".into(), error_message: "Unauthorized".into() };
        decision.policy(&method_arn).ok_or_else(unauthorized)
    });
    lambda_runtime::run(service).await
}
