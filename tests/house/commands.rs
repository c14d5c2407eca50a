//! The commands in the documents: routes, parameters, outputs and stacks exist.
//!
//! The command's own tests parse every `rampway` line.

use std::collections::BTreeSet;

use super::{
    documents::{blocks, documents},
    read,
    template::{events, functions, template},
};

/// The shell blocks of every document, each with its document's path.
fn commands() -> Vec<(String, String)> {
    let shell = documents().into_iter().flat_map(|(path, text)| {
        let blocks = blocks(&text).into_iter().filter(|(language, _)| *language == "sh");
        blocks.map(|(_, block)| (path.clone(), block.to_owned())).collect::<Vec<_>>()
    });
    let shell: Vec<_> = shell.collect();
    assert!(shell.len() > 10, "the documents have only {} shell blocks", shell.len());
    shell
}

/// The words of a text that follow a prefix, up to the first character that `end` finds.
fn after<'a>(text: &'a str, prefix: &str, end: impl Fn(char) -> bool) -> Vec<&'a str> {
    text.split(prefix).skip(1).map(|rest| rest.split(&end).next().unwrap_or_default()).collect()
}

#[test]
fn every_address_is_a_route() {
    let template = template();
    let functions = functions(&template).into_iter();
    let routes: BTreeSet<String> = functions.flat_map(|(_, function)| events(function, "Api")).map(|route| route.text(&["Path"])).collect();
    let mut called = 0;
    for (path, block) in commands() {
        for address in after(&block, "$URL", |letter| letter.is_whitespace() || "?\"'".contains(letter)) {
            let is_route = |route: &String| {
                let (route, address) = (route.split('/'), address.split('/'));
                route.clone().count() == address.clone().count()
                    && route.zip(address).all(|(name, part)| name.starts_with('{') || name == part)
            };
            assert!(routes.iter().any(is_route), "{path}: the template has no route {address}");
            called += 1;
        }
    }
    assert!(called >= 5, "the documents call only {called} routes");
}

#[test]
fn every_parameter_output_and_stack_exists() {
    let template = template();
    let parameters: Vec<_> = template.node().entries(&["Parameters"]).map(|(name, _)| name).collect();
    let outputs: Vec<_> = template.node().entries(&["Outputs"]).map(|(name, _)| name).collect();
    let stacks = read("samconfig.toml");
    let mut seen = [0; 3];
    for (path, block) in commands() {
        for (name, _) in block.split_whitespace().filter_map(|word| word.split_once('=')) {
            // Variables of the shell are in capitals.
            if name.starts_with(char::is_uppercase) && name.contains(char::is_lowercase) && name.chars().all(char::is_alphanumeric) {
                assert!(parameters.contains(&name), "{path}: the template has no parameter {name}");
                seen[0] += 1;
            }
        }
        for name in after(&block, "OutputKey==`", |letter| letter == '`') {
            assert!(outputs.contains(&name), "{path}: the template has no output {name}");
            seen[1] += 1;
        }
        for name in after(&block, "--config-env ", char::is_whitespace) {
            assert!(stacks.contains(&format!("[{name}.deploy.parameters]")), "{path}: samconfig.toml has no section {name}");
            seen[2] += 1;
        }
    }
    assert!(seen.iter().all(|count| *count > 1), "the documents name too few: {seen:?}");
}
