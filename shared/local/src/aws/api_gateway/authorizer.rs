//! The response of a Lambda authorizer of type `REQUEST`, which API Gateway invokes before the
//! function of the route.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::gateway_response::{self, ResponseType};

/// The response of an authorizer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AuthorizerResponse {
    principal_id: String,
    policy_document: Policy,
    #[serde(default)]
    context: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    statement: Vec<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    effect: Effect,
    action: Patterns,
    resource: Patterns,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Patterns {
    One(String),
    Several(Vec<String>),
}

/// The gateway response to an error of an authorizer. The error message `Unauthorized` rejects the
/// caller's credentials.
pub(super) fn failure(payload: &[u8]) -> ResponseType {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    if error["errorMessage"] == "Unauthorized" { gateway_response::UNAUTHORIZED } else { gateway_response::AUTHORIZER_FAILURE }
}

/// The authorizer's context for the function, when its policy allows `execute-api:Invoke` on the
/// ARN.
pub(super) fn decide(payload: &[u8], arn: &str) -> Result<Map<String, Value>, ResponseType> {
    let response: AuthorizerResponse = serde_json::from_slice(payload).map_err(|_| gateway_response::AUTHORIZER_CONFIGURATION_ERROR)?;
    let statements = response.policy_document.statement.iter();
    let matching = statements.filter(|statement| statement.action.matches("execute-api:Invoke") && statement.resource.matches(arn));
    let effects: Vec<Effect> = matching.map(|statement| statement.effect).collect();
    if effects.contains(&Effect::Deny) {
        return Err(gateway_response::ACCESS_DENIED);
    }
    if effects.is_empty() {
        return Err(gateway_response::NOT_ALLOWED);
    }
    let mut context = Map::new();
    for (name, value) in response.context.unwrap_or_default() {
        // The function gets every value as a string.
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(gateway_response::AUTHORIZER_CONFIGURATION_ERROR),
        };
        context.insert(name, text.into());
    }
    context.insert("principalId".into(), response.principal_id.into());
    context.insert("integrationLatency".into(), 0.into());
    Ok(context)
}

impl Patterns {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::One(pattern) => matches(pattern.as_bytes(), text.as_bytes()),
            Self::Several(patterns) => patterns.iter().any(|pattern| matches(pattern.as_bytes(), text.as_bytes())),
        }
    }
}

/// Whether a text matches a pattern, in which `*` is any text and `?` is any byte.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|from| matches(rest, &text[from..])),
        ([b'?', pattern @ ..], [_, text @ ..]) => matches(pattern, text),
        ([a, pattern @ ..], [b, text @ ..]) if a == b => matches(pattern, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:eu-west-1:123456789012:Api/Prod/POST/upload";

    fn decision(statements: &Value, context: &Value) -> Result<Value, String> {
        let answer = json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": statements}, "context": context});
        decide(answer.to_string().as_bytes(), ARN).map(Value::Object).map_err(|kind| format!("{kind:?}"))
    }

    fn statement(effect: &str, resource: &Value) -> Value {
        json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource})
    }

    #[test]
    fn an_allowed_request_gets_the_authorizer_s_context() {
        let context = json!({"mode": "token", "bytes": 5, "new": true});
        let context = decision(&json!([statement("Allow", &json!([ARN]))]), &context).unwrap();
        assert_eq!(context, json!({"principalId": "p", "mode": "token", "bytes": "5", "new": "true", "integrationLatency": 0}));
        let everywhere = json!("arn:aws:execute-api:*:123456789012:Api/*");
        assert!(decision(&json!([statement("Allow", &everywhere)]), &Value::Null).is_ok());
    }

    #[test]
    fn a_request_that_is_denied_or_not_allowed_is_rejected() {
        let all = statement("Allow", &json!("*"));
        let denied = decision(&json!([all, statement("Deny", &json!("*/POST/*"))]), &Value::Null).unwrap_err();
        assert!(denied.contains("explicit deny"), "{denied}");
        let elsewhere = decision(&json!([statement("Allow", &json!("*/GET/upload"))]), &Value::Null).unwrap_err();
        assert!(elsewhere.contains("ACCESS_DENIED") && !elsewhere.contains("explicit"), "{elsewhere}");
        let nested = decision(&json!([all]), &json!({"list": []})).unwrap_err();
        assert!(nested.contains("AUTHORIZER_CONFIGURATION_ERROR"), "{nested}");
        let no_policy = decide(b"\"yes\"", ARN).map_err(|kind| format!("{kind:?}")).unwrap_err();
        assert!(no_policy.contains("AUTHORIZER_CONFIGURATION_ERROR"), "{no_policy}");
    }

    #[test]
    fn only_the_error_message_unauthorized_rejects_credentials() {
        let name = |payload: &[u8]| format!("{:?}", failure(payload));
        assert!(name(br#"{"errorType":"E","errorMessage":"Unauthorized"}"#).contains("\"UNAUTHORIZED\""));
        assert!(name(br#"{"errorType":"E","errorMessage":"it broke"}"#).contains("AUTHORIZER_FAILURE"));
        assert!(name(b"").contains("AUTHORIZER_FAILURE"));
    }
}
