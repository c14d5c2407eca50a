//! Lambda authorizers: a function that is asked who may pass, before the function that a request is for.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Gateway,
    event::Request,
    response::{self, Kind},
    routes::Target,
};

/// What an authorizer answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
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
    action: OneOrMore,
    resource: OneOrMore,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Gateway {
    /// What the target's authorizer says of the caller, or how the gateway turns the caller away. A target without one takes everybody.
    pub(super) async fn authorize(
        &self,
        request: &Request<'_>,
        target: &Target,
        parameters: &[(&str, String)],
    ) -> Result<Option<Map<String, Value>>, Kind> {
        let Some(name) = &target.route.authorizer else { return Ok(None) };
        let api = self.api(target);
        let authorizer = api.and_then(|api| api.authorizers.get(name)).ok_or(response::AUTHORIZER_CONFIGURATION_ERROR)?;
        let question = request.question(target, parameters);
        let reply = tokio::time::timeout(self.limit, self.lambda.invoke(&authorizer.function, request.id, question.into())).await;
        let reply = reply.ok().flatten().ok_or(response::AUTHORIZER_FAILURE)?;
        if reply.failed {
            return Err(failure(&reply.payload));
        }
        decide(&reply.payload, &request.arn(target)).map(Some)
    }
}

/// A failure of this very text is how an authorizer says that it does not know the caller.
fn failure(payload: &[u8]) -> Kind {
    let error: Value = serde_json::from_slice(payload).unwrap_or_default();
    if error["errorMessage"] == "Unauthorized" { response::UNAUTHORIZED } else { response::AUTHORIZER_FAILURE }
}

fn decide(payload: &[u8], arn: &str) -> Result<Map<String, Value>, Kind> {
    let answer: Answer = serde_json::from_slice(payload).map_err(|_| response::AUTHORIZER_CONFIGURATION_ERROR)?;
    let statements = answer.policy_document.statement.iter();
    let applies = statements.filter(|statement| statement.action.matches("execute-api:Invoke") && statement.resource.matches(arn));
    let effects: Vec<Effect> = applies.map(|statement| statement.effect).collect();
    if effects.contains(&Effect::Deny) {
        return Err(response::ACCESS_DENIED);
    }
    if effects.is_empty() {
        return Err(response::NOT_ALLOWED);
    }
    let mut caller = Map::new();
    for (name, value) in answer.context.unwrap_or_default() {
        // Whatever it is, it is text to the function behind.
        let text = match value {
            Value::String(text) => text,
            Value::Number(_) | Value::Bool(_) => value.to_string(),
            _ => return Err(response::AUTHORIZER_CONFIGURATION_ERROR),
        };
        caller.insert(name, text.into());
    }
    caller.insert("principalId".into(), answer.principal_id.into());
    caller.insert("integrationLatency".into(), 0.into());
    Ok(caller)
}

impl OneOrMore {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::One(pattern) => matches(pattern.as_bytes(), text.as_bytes()),
            Self::More(patterns) => patterns.iter().any(|pattern| matches(pattern.as_bytes(), text.as_bytes())),
        }
    }
}

/// Whether a text is like a pattern, in which `*` is any text and `?` any letter.
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

    fn decided(statements: &Value, context: &Value) -> Result<Value, String> {
        let answer = json!({"principalId": "p", "policyDocument": {"Version": "2012-10-17", "Statement": statements}, "context": context});
        decide(answer.to_string().as_bytes(), ARN).map(Value::Object).map_err(|kind| format!("{kind:?}"))
    }

    fn statement(effect: &str, resource: &Value) -> Value {
        json!({"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource})
    }

    #[test]
    fn whoever_is_allowed_passes_with_what_is_known_of_him() {
        let context = json!({"mode": "token", "bytes": 5, "new": true});
        let caller = decided(&json!([statement("Allow", &json!([ARN]))]), &context).unwrap();
        assert_eq!(caller, json!({"principalId": "p", "mode": "token", "bytes": "5", "new": "true", "integrationLatency": 0}));
        let everywhere = json!("arn:aws:execute-api:*:123456789012:Api/*");
        assert!(decided(&json!([statement("Allow", &everywhere)]), &Value::Null).is_ok());
    }

    #[test]
    fn whoever_is_denied_or_not_allowed_does_not() {
        let all = statement("Allow", &json!("*"));
        let denied = decided(&json!([all, statement("Deny", &json!("*/POST/*"))]), &Value::Null).unwrap_err();
        assert!(denied.contains("explicit deny"), "{denied}");
        let elsewhere = decided(&json!([statement("Allow", &json!("*/GET/upload"))]), &Value::Null).unwrap_err();
        assert!(elsewhere.contains("ACCESS_DENIED") && !elsewhere.contains("explicit"), "{elsewhere}");
        let nested = decided(&json!([all]), &json!({"list": []})).unwrap_err();
        assert!(nested.contains("AUTHORIZER_CONFIGURATION_ERROR"), "{nested}");
        assert!(decide(b"\"yes\"", ARN).is_err());
    }

    #[test]
    fn a_failure_that_says_unauthorized_is_one() {
        let name = |payload: &[u8]| format!("{:?}", failure(payload));
        assert!(name(br#"{"errorType":"E","errorMessage":"Unauthorized"}"#).contains("\"UNAUTHORIZED\""));
        assert!(name(br#"{"errorType":"E","errorMessage":"it broke"}"#).contains("AUTHORIZER_FAILURE"));
        assert!(name(b"").contains("AUTHORIZER_FAILURE"));
    }
}
