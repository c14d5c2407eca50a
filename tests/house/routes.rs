//! Every route has events, and every event a route and an answer.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use serde_norway::Value as YamlValue;
use shared::upload::Code;

use super::{
    files, read,
    template::{Template, events, get, text},
};

/// An event: the function, the case, what arrives and what is promised.
pub(crate) fn cases() -> Vec<(String, String, Value, Value)> {
    let json = |path: &str| -> Value { serde_json::from_str(&read(path)).unwrap_or_else(|error| panic!("{path}: {error}")) };
    let files = files();
    let events = files.iter().filter(|path| path.starts_with("events/"));
    let mut cases = Vec::new();
    for path in events {
        let Some(stem) = path.strip_suffix(".json") else { panic!("{path} is no event") };
        if let Some(case) = stem.strip_suffix(".answer") {
            assert!(files.contains(&format!("{case}.json")), "{path} answers nothing");
            continue;
        }
        let answer = format!("{stem}.answer.json");
        assert!(files.contains(&answer), "{path} has no answer");
        let parent = Path::new(stem).parent().and_then(Path::file_name).and_then(|name| name.to_str()).expect("an event is a function's");
        cases.push((parent.to_owned(), path.clone(), json(path), json(&answer)));
    }
    assert!(!cases.is_empty(), "there is no event");
    cases
}

/// The routes that a browser asks about without the credentials that the others of their path need.
const ASKED_FREELY: [(&str, &str); 2] = [("create_video", "/upload"), ("create_video", "/upload/{caller}")];

#[test]
fn every_route_has_events_and_every_event_a_route() {
    let template = Template::read();
    let (mut routes, mut free) = (BTreeSet::new(), BTreeSet::new());
    for (function, resource) in template.functions() {
        for route in events(resource, "Api") {
            let route_of = (function.to_owned(), text(get(route, &["Path"])));
            match text(get(route, &["Method"])).as_str() {
                // API Gateway answers an unknown method as it does an unknown path: the function says 405 itself.
                "ANY" => drop(routes.insert(route_of)),
                "OPTIONS" => {
                    assert!(get(route, &["Auth"]).is_none(), "{route_of:?}: nobody who asks whether he may ask has credentials");
                    free.insert(route_of);
                }
                method => panic!("{route_of:?} takes {method} alone"),
            }
        }
    }
    assert_eq!(free, ASKED_FREELY.map(|(function, path)| (function.to_owned(), path.to_owned())).into());
    let (mut good, mut wrong_method, mut asked) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    let of_route = |event: &Value| event.get("httpMethod").is_some() && !is_question(event);
    for (function, path, event, answer) in cases().into_iter().filter(|(.., event, _)| of_route(event)) {
        let resource = event["resource"].as_str().unwrap_or_default().to_owned();
        let route = (function, resource.clone());
        assert!(routes.contains(&route), "{path}: the template has no such route");
        assert_eq!(event["path"], filled(&resource, &event["pathParameters"]), "{path}: its path is not its resource, filled in");
        assert_eq!(event["requestContext"]["path"], format!("/Prod{}", event["path"].as_str().unwrap_or_default()), "{path}");
        assert_eq!(event["requestContext"]["httpMethod"], event["httpMethod"], "{path}");
        let media_type = answer["headers"]["Content-Type"].as_str().unwrap_or_default().split(';').next().unwrap_or_default();
        match answer["statusCode"].as_u64() {
            Some(204) if event["httpMethod"] == "OPTIONS" => drop(asked.insert(route)),
            Some(204) => drop(good.insert(route)),
            Some(200) => {
                assert!(["application/json", "text/plain"].contains(&media_type), "{path} promises {media_type:?}");
                good.insert(route);
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
    assert_eq!(good, routes, "the routes with a good case, and those of the template");
    assert_eq!(wrong_method, routes, "the routes with a wrong method, and those of the template");
    assert!(asked.is_superset(&free), "of {free:?} only {asked:?} have a case of being asked freely");
}

/// A route's path with its parameters in it.
fn filled(resource: &str, parameters: &Value) -> String {
    let values = parameters.as_object().into_iter().flatten();
    values.fold(resource.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value.as_str().unwrap_or_default()))
}

/// Whether an event is for an authorizer, about another function's route.
fn is_question(event: &Value) -> bool {
    event["type"] == "REQUEST"
}

#[test]
fn every_authorizer_is_asked_about_its_routes() {
    let template = Template::read();
    let (mut guarded, mut authorizers) = (BTreeSet::new(), BTreeSet::new());
    for (_, function) in template.functions() {
        let routes = events(function, "Api").into_iter();
        guarded.extend(routes.filter(|route| get(route, &["Auth", "Authorizer"]).is_some()).map(|route| text(get(route, &["Path"]))));
    }
    for (_, api) in template.resources("AWS::Serverless::Api") {
        let known = get(api, &["Properties", "Auth", "Authorizers"]).and_then(YamlValue::as_mapping);
        for authorizer in known.into_iter().flat_map(|known| known.values()) {
            let id = text(get(authorizer, &["FunctionArn"])).replace("!GetAtt ", "").replace(".Arn", "");
            let functions = template.resources("AWS::Serverless::Function").into_iter();
            let code = functions.filter(|(name, _)| *name == id).map(|(_, function)| text(get(function, &["Properties", "CodeUri"])));
            authorizers.extend(code.map(|code| code.replace("functions/", "")));
        }
    }
    let mut asked = BTreeSet::new();
    for (function, path, event, answer) in cases().into_iter().filter(|(.., event, _)| is_question(event)) {
        assert!(authorizers.contains(&function), "{path}: {function} is no authorizer");
        // The gateway tells an authorizer that does not know the caller from one that is broken by this very word.
        let unknown = answer["errorMessage"] == "Unauthorized";
        assert!(answer["policyDocument"].is_object() != unknown, "{path} promises neither a policy nor that the caller is unknown");
        asked.insert(event["resource"].as_str().unwrap_or_default().to_owned());
    }
    assert_eq!(asked, guarded, "the routes that an authorizer is asked about, and those that have one");
}

#[test]
fn the_gateway_speaks_as_uploads_do() {
    let template = Template::read();
    let (_, api) = template.resources("AWS::Serverless::Api").into_iter().find(|(name, _)| *name == "UploadApi").expect("it is there");
    let own = get(api, &["Properties", "GatewayResponses"]).and_then(YamlValue::as_mapping).expect("it answers itself");
    let everybody = template.get(&["Globals", "Api", "GatewayResponses"]).and_then(YamlValue::as_mapping).expect("others do, too");
    for kind in everybody.keys() {
        assert!(own.contains_key(kind), "UploadApi leaves {} to the other APIs' words", text(Some(kind)));
    }
    for (kind, response) in own {
        let kind = text(Some(kind));
        let said: Value = serde_json::from_str(&text(get(response, &["ResponseTemplates", "application/json"]))).expect("JSON");
        let code = Code::ALL.iter().find(|code| said["error"] == code.code());
        let code = code.unwrap_or_else(|| panic!("{kind} says {}, which is no code", said["error"]));
        assert_eq!(said["message"], code.message(), "{kind}");
        let header = |name: &str| text(get(response, &["ResponseParameters", "Headers", name]));
        let said = ["Access-Control-Allow-Origin", "Vary", "Cache-Control"].map(header);
        assert_eq!(said, ["method.request.header.Origin", "'Origin'", "'no-store'"], "{kind}");
    }
}

/// What is sent by hand to a function that a schedule calls otherwise.
const BY_HAND: [(&str, &str); 1] = [("upload_reaper", r#"{"dry_run":true}"#)];

#[test]
fn every_schedule_has_an_event_and_every_other_event_a_schedule() {
    let template = Template::read();
    let (mut scheduled, mut known) = (BTreeSet::new(), BTreeSet::new());
    for (function, resource) in template.functions() {
        for schedule in events(resource, "Schedule") {
            let input = text(get(schedule, &["Input"]));
            // Without an input of its own a schedule sends EventBridge's.
            let kind = if input.is_empty() { "Scheduled Event".into() } else { input };
            scheduled.insert((function.to_owned(), kind));
        }
    }
    for (function, _, event, _) in cases().into_iter().filter(|(.., event, _)| event.get("httpMethod").is_none()) {
        let kind = event["detail-type"].as_str().map_or_else(|| event.to_string(), str::to_owned);
        if !BY_HAND.contains(&(function.as_str(), kind.as_str())) {
            known.insert((function, kind));
        }
    }
    assert!(!scheduled.is_empty(), "there is no schedule");
    assert_eq!(known, scheduled, "the scheduled events, and the template's schedules");
}
