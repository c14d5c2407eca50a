use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use cloud::{gateway, upload::Error};
use sam::{Deployment, Stack, Template};
use shared::identity::token::{ACCESS_TOKEN_TTL_SECONDS, INIT_TOKEN_TTL_SECONDS, SMART_TOKEN_TTL_SECONDS};

use serde_json::{Map, Value, json};
use shared::upload;

use super::{
    document::{METHODS, document, route},
    noun::{NOUNS, Noun},
    operation,
};

/// The project's stack with every side deployed.
fn stack(parameters: &[(&str, &str)]) -> Stack {
    let template = Template::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml")).unwrap();
    let chosen = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let deployment = Deployment::local("http://127.0.0.1:3000", Path::new("/state/master.key"));
    template.stack(&local::parameters(&template, &chosen), &deployment).unwrap()
}

fn described() -> Value {
    document(&stack(&[]), "http://127.0.0.1:3000/Prod")
}

/// The operations of a document or a part of one, as `METHOD path`, with their values.
fn operations(document: &Value) -> BTreeMap<(String, String), &Value> {
    let items = document["paths"].as_object().unwrap().iter();
    let operations = items.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().iter().filter(|(member, _)| METHODS.contains(&member.as_str()));
        methods.map(|(method, operation)| ((method.to_uppercase(), path.clone()), operation))
    });
    operations.collect()
}

/// The codes of an operation's responses, by status; those of a range are all codes.
fn codes(document: &Value, operation: &Value, error_key: &str) -> BTreeSet<(String, String)> {
    let responses = operation["responses"].as_object().unwrap().iter().map(|(status, response)| {
        let name = response["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/responses/"));
        (status, name.map_or(response, |name| &document["components"]["responses"][name]))
    });
    let codes = responses.flat_map(|(status, response)| {
        let schema = &response["content"]["application/json"]["schema"]["allOf"][1];
        let codes = schema["properties"][error_key]["enum"].as_array().into_iter().flatten();
        codes.map(|code| (status.clone(), code.as_str().unwrap().to_owned()))
    });
    codes.collect()
}

#[test]
fn every_route_has_an_operation_and_every_operation_a_route() {
    let (stack, document) = (stack(&[]), described());
    let described = operations(&document);
    for route in stack.functions.iter().flat_map(|function| &function.routes) {
        let methods = described.keys().filter(|(_, path)| *path == route.path).map(|(method, _)| method.as_str());
        let methods: Vec<_> = methods.filter(|method| (route.method == "ANY") != (*method == "OPTIONS")).collect();
        assert!(!methods.is_empty(), "{} {} has no operation", route.method, route.path);
    }
    for part in NOUNS.iter().flat_map(Noun::parts) {
        for ((method, path), _) in operations(&part) {
            assert!(described.contains_key(&(method.clone(), path.clone())), "{method} {path} has no route");
        }
    }
    // The preflights of the APIs with `Cors` are API Gateway's own.
    let paths: BTreeSet<_> = described.keys().map(|(_, path)| path).collect();
    assert!(paths.iter().all(|path| described.contains_key(&("OPTIONS".into(), (*path).clone()))));
}

#[test]
fn an_operation_has_its_api_s_tag_and_its_route_s_authorizer() {
    let (stack, document) = (stack(&[]), described());
    let described_tags: BTreeSet<_> = document["tags"].as_array().unwrap().iter().map(|tag| tag["name"].as_str().unwrap()).collect();
    let apis: BTreeSet<_> = stack.apis.iter().map(|api| api.id.as_str()).chain([operation::CORS]).collect();
    assert_eq!(described_tags, apis);
    let schemes = document["components"]["securitySchemes"].as_object().unwrap();
    let authorizers: BTreeSet<_> = stack.apis.iter().flat_map(|api| api.authorizers.keys()).collect();
    assert!(authorizers.iter().all(|authorizer| schemes.contains_key(*authorizer)), "{authorizers:?}");
    for ((method, path), operation) in operations(&document) {
        let (route, api) = route(&stack, &method, &path).unwrap();
        let tag = if method == "OPTIONS" { operation::CORS } else { &api.id };
        assert_eq!(operation["tags"], json!([tag]), "{method} {path}");
        let alternatives = operation["security"].as_array().into_iter().flatten();
        let required: BTreeSet<_> = alternatives.filter_map(Value::as_object).flat_map(Map::keys).collect();
        for authorizer in &authorizers {
            assert_eq!(required.contains(authorizer), route.authorizer.as_ref() == Some(authorizer), "{method} {path}");
        }
        assert!(required.iter().all(|name| schemes.contains_key(*name)), "{method} {path}");
    }
}

#[test]
fn every_code_is_one_of_the_tables_and_has_an_operation() {
    let document = described();
    // Identity's three cannot occur: every direction and kind is translated, and every payload has an
    // encoding. The 405 of uploads belongs to methods that have no operation.
    let elsewhere = [("Identity", "E004"), ("Identity", "E008"), ("Identity", "I002"), ("Upload", "method_not_allowed")];
    for noun in &NOUNS {
        let table: BTreeSet<_> = (noun.codes)().into_iter().map(|(code, _)| code.to_owned()).collect();
        let mut used: BTreeSet<_> = elsewhere.iter().filter(|(name, _)| *name == noun.name).map(|(_, code)| (*code).to_owned()).collect();
        for part in noun.parts() {
            for ((method, path), _) in operations(&part) {
                let item = &document["paths"][&path][method.to_lowercase()];
                used.extend(codes(&document, item, noun.error_key).into_iter().map(|(_, code)| code));
            }
            // The codes of one id.
            let of_ids = part["components"]["schemas"]["IdErrorCode"]["enum"].as_array().into_iter().flatten();
            used.extend(of_ids.map(|code| code.as_str().unwrap().to_owned()));
        }
        assert_eq!(used, table, "{}", noun.name);
    }
}

#[test]
fn codes_of_uploads_have_the_code_s_statuses() {
    let document = described();
    let [_, noun] = &NOUNS;
    let mut statuses: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for code in upload::Code::ALL {
        let status = gateway::ApiError::from(Error::Code(*code)).to_string()[..3].to_owned();
        statuses.entry(code.code()).or_default().insert(status);
    }
    for refusal in upload::Refusal::ALL {
        statuses.entry(refusal.code()).or_default().insert(refusal.fault().status().to_string());
    }
    for ((method, path), _) in operations(&noun.parts()[0]) {
        for (status, code) in codes(&document, &document["paths"][&path][method.to_lowercase()], noun.error_key) {
            // API Gateway's own response to a timeout.
            let is_timeout = (status.as_str(), code.as_str()) == ("504", upload::Code::Unavailable.code());
            assert!(is_timeout || statuses[code.as_str()].contains(&status), "{method} {path}: {status} {code}");
        }
    }
}

#[test]
fn a_stack_with_one_side_has_that_side_s_operations() {
    let authority = document(&stack(&[("Sides", "authority"), ("BrightcoveAccount", "")]), "https://authority.example/Prod");
    assert_eq!(authority["servers"], json!([{"url": "https://authority.example/Prod"}]));
    assert!(authority["paths"].get("/token/init").is_some());
    assert!(authority["paths"].get("/auth/init").is_none() && authority["paths"].get("/upload").is_none());
    assert!(authority["components"]["schemas"].get("UploadError").is_none());
}

#[test]
fn lifetimes_and_states_are_the_code_s() {
    let document = described();
    let schemas = &document["components"]["schemas"];
    let says = |value: &Value, text: &str| assert!(value["description"].as_str().unwrap().contains(text), "{text}: {value}");
    says(&schemas["SmartToken"], &format!("{} minutes", SMART_TOKEN_TTL_SECONDS / 60));
    let init = &document["paths"]["/token/init"]["post"]["responses"]["200"]["content"]["application/json"]["schema"];
    says(&init["properties"]["init_token"], &format!("{} hours", INIT_TOKEN_TTL_SECONDS / 3600));
    let access = &document["paths"]["/token"]["post"]["responses"]["200"]["content"]["application/json"];
    assert_eq!(access["example"]["expires_in"], ACCESS_TOKEN_TTL_SECONDS);
    let datetime = &document["paths"]["/sign/{videoId}"]["get"]["parameters"][1];
    says(datetime, &format!("{} minutes", upload::sign_request::MAX_CLOCK_SKEW_SECONDS / 60));
    let states: Vec<_> = upload::State::ALL.iter().map(|state| state.name()).collect();
    assert_eq!(schemas["UploadState"]["enum"], json!(states));
}
