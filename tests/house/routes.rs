//! Every route has events, and every event has a route and an answer.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use shared::upload::Code;

use super::{
    files, read,
    template::{events, functions, resources, template},
};

/// All events: the function, the path of the event's file, the event and the promised answer.
pub(crate) fn cases() -> Vec<(String, String, Value, Value)> {
    let json = |path: &str| -> Value { serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}")) };
    let files = files();
    let events = files.iter().filter(|path| path.starts_with("events/"));
    let mut cases = Vec::new();
    for path in events {
        let Some(stem) = path.strip_suffix(".json") else { panic!("{path} is not JSON") };
        if let Some(case) = stem.strip_suffix(".answer") {
            assert!(files.contains(&format!("{case}.json")), "{path} has no event");
            continue;
        }
        let answer = format!("{stem}.answer.json");
        assert!(files.contains(&answer), "{path} has no answer");
        let parent =
            Path::new(stem).parent().and_then(Path::file_name).and_then(|name| name.to_str()).expect("an event is in a function's folder");
        cases.push((parent.to_owned(), path.clone(), json(path), json(&answer)));
    }
    assert!(!cases.is_empty(), "there is no event");
    cases
}

/// The paths whose preflight request needs no authorization, although their other methods do.
const PREFLIGHT_WITHOUT_AUTH: [(&str, &str); 2] = [("create_video", "/upload"), ("create_video", "/upload/{caller}")];

#[test]
fn every_route_has_events_and_every_event_a_route() {
    let template = template();
    let (mut routes, mut free) = (BTreeSet::new(), BTreeSet::new());
    for (function, resource) in functions(&template) {
        for route in events(resource, "Api") {
            let route_of = (function.clone(), route.text(&["Path"]));
            match route.text(&["Method"]).as_str() {
                // API Gateway answers an unknown method like an unknown path. The function answers
                // 405 itself.
                "ANY" => drop(routes.insert(route_of)),
                "OPTIONS" => {
                    assert!(route.get(&["Auth"]).is_none(), "{route_of:?}: a preflight request has no credentials");
                    free.insert(route_of);
                }
                method => panic!("{route_of:?} has the method {method} instead of ANY"),
            }
        }
    }
    assert_eq!(free, PREFLIGHT_WITHOUT_AUTH.map(|(function, path)| (function.to_owned(), path.to_owned())).into());
    let (mut successful, mut wrong_method, mut preflights) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let of_route = |event: &Value| event.get("httpMethod").is_some() && !is_authorizer_event(event);
    for (function, path, event, answer) in cases().into_iter().filter(|(.., event, _)| of_route(event)) {
        let resource = event["resource"].as_str().unwrap_or_default().to_owned();
        let route = (function, resource.clone());
        assert!(routes.contains(&route), "{path}: the template has no such route");
        assert_eq!(event["path"], filled(&resource, &event["pathParameters"]), "{path}: the path is not the resource with its parameters");
        assert_eq!(event["requestContext"]["path"], format!("/Prod{}", event["path"].as_str().unwrap_or_default()), "{path}");
        assert_eq!(event["requestContext"]["httpMethod"], event["httpMethod"], "{path}");
        let media_type = answer["headers"]["Content-Type"].as_str().unwrap_or_default().split(';').next().unwrap_or_default();
        match answer["statusCode"].as_u64() {
            Some(204) if event["httpMethod"] == "OPTIONS" => drop(preflights.insert(route)),
            Some(204) => drop(successful.insert(route)),
            Some(200) => {
                assert!(["application/json", "text/plain"].contains(&media_type), "{path} promises {media_type:?}");
                successful.insert(route);
            }
            Some(status @ 400..=499) => {
                assert_eq!(media_type, "application/json", "{path}");
                if status == 405 {
                    assert_ne!(answer["headers"]["Allow"], event["httpMethod"], "{path}");
                    wrong_method.insert(route);
                }
            }
            status => panic!("{path} promises {status:?}"),
        }
    }
    assert_eq!(successful, routes, "the routes with a successful case, and those of the template");
    assert_eq!(wrong_method, routes, "the routes with a wrong method, and those of the template");
    assert!(preflights.is_superset(&free), "of {free:?} only {preflights:?} have a preflight case");
}

/// The path of a resource with its parameters.
fn filled(resource: &str, parameters: &Value) -> String {
    let values = parameters.as_object().into_iter().flatten();
    values.fold(resource.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default()))
}

/// Whether an event is an authorizer's input, for the route of another function.
fn is_authorizer_event(event: &Value) -> bool {
    event["type"] == "REQUEST"
}

#[test]
fn every_authorizer_has_events_for_its_routes() {
    let template = template();
    let (mut guarded, mut authorizers) = (BTreeSet::new(), BTreeSet::new());
    for (_, function) in functions(&template) {
        let routes = events(function, "Api").into_iter();
        guarded.extend(routes.filter(|route| route.get(&["Auth", "Authorizer"]).is_some()).map(|route| route.text(&["Path"])));
    }
    for api in resources(&template, "AWS::Serverless::Api") {
        for (_, authorizer) in api.node.entries(&["Properties", "Auth", "Authorizers"]) {
            let id = authorizer.text(&["FunctionArn"]).replace("!GetAtt ", "").replace(".Arn", "");
            let functions = resources(&template, "AWS::Serverless::Function").into_iter();
            let code = functions.filter(|function| function.id == id).map(|function| function.node.text(&["Properties", "CodeUri"]));
            authorizers.extend(code.map(|code| code.replace("functions/", "")));
        }
    }
    let mut with_events = BTreeSet::new();
    for (function, path, event, answer) in cases().into_iter().filter(|(.., event, _)| is_authorizer_event(event)) {
        assert!(authorizers.contains(&function), "{path}: {function} is no authorizer");
        // By this exact message, API Gateway tells an unknown caller from a failed authorizer.
        let unknown = answer["errorMessage"] == "Unauthorized";
        assert!(answer["policyDocument"].is_object() != unknown, "{path} promises neither a policy nor `Unauthorized`");
        with_events.insert(event["resource"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(with_events, guarded, "the routes with authorizer events, and those with an authorizer");
}

#[test]
fn gateway_responses_have_the_form_of_upload_errors() {
    let template = template();
    let api = template.resource("UploadApi").expect("the template has the API");
    let own: Vec<_> = api.node.entries(&["Properties", "GatewayResponses"]).collect();
    let global: Vec<_> = template.node().entries(&["Globals", "Api", "GatewayResponses"]).collect();
    assert!(!own.is_empty() && !global.is_empty(), "UploadApi and the globals have gateway responses");
    for (kind, _) in global {
        assert!(own.iter().any(|(own, _)| *own == kind), "UploadApi lacks the response {kind}");
    }
    for (kind, response) in own {
        let error: Value = serde_json::from_str(&response.text(&["ResponseTemplates", "application/json"])).expect("JSON");
        let code = Code::ALL.iter().find(|code| error["error"] == code.code());
        let code = code.unwrap_or_else(|| panic!("{kind} has the unknown code {}", error["error"]));
        assert_eq!(error["message"], code.message(), "{kind}");
        let header = |name: &str| response.text(&["ResponseParameters", "Headers", name]);
        let headers = ["Access-Control-Allow-Origin", "Vary", "Cache-Control"].map(header);
        assert_eq!(headers, ["method.request.header.Origin", "'Origin'", "'no-store'"], "{kind}");
    }
}

/// The events that are invoked manually, for functions with a schedule.
const INVOKED_MANUALLY: [(&str, &str); 1] = [("upload_reaper", r#"{"dry_run":true}"#)];

#[test]
fn every_schedule_has_an_event_and_every_other_event_a_schedule() {
    let template = template();
    let (mut scheduled, mut known) = (BTreeSet::new(), BTreeSet::new());
    for (function, resource) in functions(&template) {
        for schedule in events(resource, "Schedule") {
            let input = schedule.text(&["Input"]);
            // A schedule without an input sends EventBridge's event.
            let kind = if input.is_empty() { "Scheduled Event".into() } else { input };
            scheduled.insert((function.clone(), kind));
        }
    }
    for (function, _, event, _) in cases().into_iter().filter(|(.., event, _)| event.get("httpMethod").is_none()) {
        let kind = event["detail-type"].as_str().map_or_else(|| event.to_string(), str::to_owned);
        if !INVOKED_MANUALLY.contains(&(function.as_str(), kind.as_str())) {
            known.insert((function, kind));
        }
    }
    assert!(!scheduled.is_empty(), "there is no schedule");
    assert_eq!(known, scheduled, "the scheduled events, and the template's schedules");
}
