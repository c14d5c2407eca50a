//! Every route has events, and every event a route and an answer.

use std::{collections::BTreeSet, path::Path};

use serde_json::Value;

use super::{
    files, read,
    template::{Template, events, get, text},
};

/// An event: the function, the case, what arrives and what is promised.
fn cases() -> Vec<(String, String, Value, Value)> {
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

#[test]
fn every_route_has_events_and_every_event_a_route() {
    let template = Template::read();
    let mut routes = BTreeSet::new();
    for (function, resource) in template.functions() {
        for route in events(resource, "Api") {
            // API Gateway answers an unknown method as it does an unknown path: the function says 405 itself.
            assert_eq!(text(get(route, &["Method"])), "ANY", "{function}");
            routes.insert((function.to_owned(), text(get(route, &["Path"]))));
        }
    }
    let (mut good, mut wrong_method) = (BTreeSet::new(), BTreeSet::new());
    for (function, path, event, answer) in cases().into_iter().filter(|(.., event, _)| event.get("httpMethod").is_some()) {
        let resource = event["resource"].as_str().unwrap_or_default().to_owned();
        let route = (function, resource.clone());
        assert!(routes.contains(&route), "{path}: the template has no such route");
        assert_eq!(event["path"], event["resource"], "{path}: no route has a parameter");
        assert_eq!(event["requestContext"]["path"], format!("/Prod{resource}"), "{path}");
        assert_eq!(event["requestContext"]["httpMethod"], event["httpMethod"], "{path}");
        assert_eq!(answer["headers"]["Content-Type"], "application/json", "{path}");
        match answer["statusCode"].as_u64() {
            Some(200) => drop(good.insert(route)),
            Some(405) => {
                assert_ne!(answer["headers"]["Allow"], event["httpMethod"], "{path}");
                wrong_method.insert(route);
            }
            Some(400..=499) => {}
            status => panic!("{path} promises {status:?}"),
        }
    }
    assert_eq!(good, routes, "the routes with a good case, and those of the template");
    assert_eq!(wrong_method, routes, "the routes with a wrong method, and those of the template");
}

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
        known.insert((function, kind));
    }
    assert!(!scheduled.is_empty(), "there is no schedule");
    assert_eq!(known, scheduled, "the scheduled events, and the template's schedules");
}
