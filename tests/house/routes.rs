//! Every route has events, and every event a route and an answer.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;
use shared::upload::Code;

use super::{
    files, read,
    template::{events, functions, resources, template},
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
    let template = template();
    let (mut routes, mut free) = (BTreeSet::new(), BTreeSet::new());
    for (function, resource) in functions(&template) {
        for route in events(resource, "Api") {
            let route_of = (function.clone(), route.text(&["Path"]));
            match route.text(&["Method"]).as_str() {
                // API Gateway answers an unknown method as it does an unknown path: the function says 405 itself.
                "ANY" => drop(routes.insert(route_of)),
                "OPTIONS" => {
                    assert!(route.get(&["Auth"]).is_none(), "{route_of:?}: nobody who asks whether he may ask has credentials");
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
    let template = template();
    let api = template.resource("UploadApi").expect("it is there");
    let own: Vec<_> = api.node.entries(&["Properties", "GatewayResponses"]).collect();
    let everybody: Vec<_> = template.node().entries(&["Globals", "Api", "GatewayResponses"]).collect();
    assert!(!own.is_empty() && !everybody.is_empty(), "UploadApi and the other APIs have responses of their own");
    for (kind, _) in everybody {
        assert!(own.iter().any(|(own, _)| *own == kind), "UploadApi leaves {kind} to the other APIs' words");
    }
    for (kind, response) in own {
        let said: Value = serde_json::from_str(&response.text(&["ResponseTemplates", "application/json"])).expect("JSON");
        let code = Code::ALL.iter().find(|code| said["error"] == code.code());
        let code = code.unwrap_or_else(|| panic!("{kind} says {}, which is no code", said["error"]));
        assert_eq!(said["message"], code.message(), "{kind}");
        let header = |name: &str| response.text(&["ResponseParameters", "Headers", name]);
        let said = ["Access-Control-Allow-Origin", "Vary", "Cache-Control"].map(header);
        assert_eq!(said, ["method.request.header.Origin", "'Origin'", "'no-store'"], "{kind}");
    }
}

/// What is sent by hand to a function that a schedule calls otherwise.
const BY_HAND: [(&str, &str); 1] = [("upload_reaper", r#"{"dry_run":true}"#)];

#[test]
fn every_schedule_has_an_event_and_every_other_event_a_schedule() {
    let template = template();
    let (mut scheduled, mut known) = (BTreeSet::new(), BTreeSet::new());
    for (function, resource) in functions(&template) {
        for schedule in events(resource, "Schedule") {
            let input = schedule.text(&["Input"]);
            // Without an input of its own a schedule sends EventBridge's.
            let kind = if input.is_empty() { "Scheduled Event".into() } else { input };
            scheduled.insert((function.clone(), kind));
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
