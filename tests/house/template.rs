//! `template.yaml` as it is written, read by crate `sam`.

use sam::{Node, Resource, Template};

use super::root;

pub(crate) fn template() -> Template {
    Template::read(&root().join("template.yaml")).expect("template.yaml is a template")
}

/// The resources of a type. There must be some.
pub(crate) fn resources<'a>(template: &'a Template, kind: &str) -> Vec<Resource<'a>> {
    let found: Vec<_> = template.resources().filter(|resource| resource.kind == kind).collect();
    assert!(!found.is_empty(), "the template has no {kind}");
    found
}

/// The functions, by the folder of their code: `sm_proxy` of `CodeUri: functions/sm_proxy`.
pub(crate) fn functions(template: &Template) -> Vec<(String, Node<'_>)> {
    let folder = |function: Node<'_>| {
        let code = function.text(&["Properties", "CodeUri"]);
        code.strip_prefix("functions/").expect("a function lives under functions/").to_owned()
    };
    resources(template, "AWS::Serverless::Function").into_iter().map(|function| (folder(function.node), function.node)).collect()
}

/// A property of a function: its own, or the global one.
pub(crate) fn property<'a>(template: &'a Template, function: Node<'a>, name: &str) -> Option<Node<'a>> {
    function.get(&["Properties", name]).or_else(|| template.node().get(&["Globals", "Function", name]))
}

/// The properties of a function's events of a type.
pub(crate) fn events<'a>(function: Node<'a>, kind: &str) -> Vec<Node<'a>> {
    let events = function.entries(&["Properties", "Events"]).map(|(_, event)| event);
    events.filter(|event| event.text(&["Type"]) == kind).filter_map(|event| event.get(&["Properties"])).collect()
}
