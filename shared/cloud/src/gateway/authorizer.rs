//! The door before the door: an API's authorizer of kind REQUEST, which says who may pass before a function is called.

use std::collections::BTreeMap;

use lambda_http::{
    aws_lambda_events::apigw::ApiGatewayProxyRequest,
    lambda_runtime::{self, Diagnostic, LambdaEvent},
};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Value, json, value::RawValue};

use super::{Error, Failure, Request, log};
use crate::setting::Environment;

/// Somebody who wants to pass.
#[derive(Debug)]
pub struct Entrance {
    /// What he asks for.
    pub request: Request,
    /// Its ARN.
    pub method_arn: String,
}

/// What an authorizer says.
#[derive(Debug, PartialEq, Eq)]
pub enum Permission {
    /// He may pass.
    Allow {
        /// Who he is.
        principal: String,
        /// What the function shall know of him.
        context: BTreeMap<&'static str, String>,
    },
    /// He is somebody, and may not.
    Deny {
        /// Who he is.
        principal: String,
    },
    /// He does not show who he is.
    Unauthorized,
}

impl<'de> Deserialize<'de> for Entrance {
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

impl Permission {
    /// The answer: a policy for this one request, or nothing where the gateway shall answer 401.
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

/// Serves an API's questions who may pass.
pub async fn authorize<H>(environment: &Environment, handler: H) -> Result<(), Error>
where
    H: AsyncFn(Request) -> Result<Permission, Failure>,
{
    log(environment);
    let service = lambda_runtime::service_fn(async |event: LambdaEvent<Entrance>| {
        let Entrance { request, method_arn } = event.payload;
        let permission = handler(request).await.map_err(|failure| {
            tracing::error!("{failure}");
            Diagnostic { error_type: "Failure".into(), error_message: "the authorizer failed".into() }
        })?;
        // The gateway tells this from a broken authorizer by the very word.
        let unauthorized = || Diagnostic { error_type: "Unauthorized".into(), error_message: "Unauthorized".into() };
        permission.policy(&method_arn).ok_or_else(unauthorized)
    });
    lambda_runtime::run(service).await
}
