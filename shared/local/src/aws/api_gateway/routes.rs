//! The routes of all APIs.

use percent_encoding::percent_decode_str;
use sam::{Function, Route};

use crate::error::Error;

/// The routes of all APIs, the most specific first.
#[derive(Debug)]
pub(super) struct Routes(Vec<Target>);

/// A route and its function.
#[derive(Debug)]
pub(super) struct Target {
    pub(super) route: Route,
    pub(super) function: String,
    segments: Vec<Segment>,
}

/// A segment of a path. The order of the variants is that of their precedence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter(String),
    /// `{name+}`.
    Greedy(String),
}

/// The route of a request.
#[derive(Debug)]
pub(super) enum RouteMatch<'a> {
    /// A target, with the path parameters.
    Target(&'a Target, Vec<(&'a str, String)>),
    /// A target with the path, but no target with the method.
    OtherMethods(&'a Target),
    /// No target with the path.
    NotFound,
}

impl Routes {
    pub(super) fn new(functions: &[Function]) -> Result<Self, Error> {
        let mut targets: Vec<Target> = Vec::new();
        for function in functions {
            for route in &function.routes {
                let same = |other: &Target| other.route.path == route.path && other.route.method == route.method;
                if targets.iter().any(same) {
                    return Err(Error::SameRoute { method: route.method.clone(), path: route.path.clone() });
                }
                let segments = route.path.split('/').skip(1).map(Segment::parse).collect();
                targets.push(Target { route: route.clone(), function: function.id.clone(), segments });
            }
        }
        // The first match wins.
        targets.sort_by(|a, b| (&a.segments, a.route.method == "ANY").cmp(&(&b.segments, b.route.method == "ANY")));
        Ok(Self(targets))
    }

    /// The route of a request. `path` has no stage, and is percent-encoded.
    pub(super) fn find(&self, method: &str, path: &str) -> RouteMatch<'_> {
        let mut other_methods = None;
        for target in &self.0 {
            if let Some(parameters) = target.parameters(path) {
                if target.route.method == "ANY" || target.route.method == method {
                    return RouteMatch::Target(target, parameters);
                }
                other_methods = other_methods.or(Some(target));
            }
        }
        other_methods.map_or(RouteMatch::NotFound, RouteMatch::OtherMethods)
    }

    /// A route whose first segment is that of a path.
    pub(super) fn nearest(&self, path: &str) -> Option<&Target> {
        let first = path.split('/').nth(1).unwrap_or_default();
        self.0.iter().find(|target| matches!(target.segments.first(), Some(Segment::Literal(literal)) if literal == first))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Target> {
        self.0.iter()
    }
}

impl Target {
    fn parameters(&self, path: &str) -> Option<Vec<(&str, String)>> {
        let mut parameters = Vec::new();
        let mut rest = path.strip_prefix('/');
        for segment in &self.segments {
            let here = rest?;
            let (first, after) = here.split_once('/').map_or((here, None), |(first, after)| (first, Some(after)));
            rest = after;
            match segment {
                Segment::Literal(literal) if literal == first => {}
                Segment::Parameter(name) if !first.is_empty() => {
                    parameters.push((name.as_str(), percent_decode(first)));
                }
                Segment::Greedy(name) if !here.is_empty() => {
                    parameters.push((name.as_str(), percent_decode(here)));
                    rest = None;
                }
                _ => return None,
            }
        }
        rest.is_none().then_some(parameters)
    }
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Greedy(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
            None => Self::Literal(text.to_owned()),
        }
    }
}

fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn function(id: &str, routes: &[(&str, &str)]) -> Function {
        let route = |(method, path): &(&str, &str)| Route {
            event: "E".into(),
            api: "Api".into(),
            path: (*path).into(),
            method: (*method).into(),
            authorizer: None,
        };
        Function {
            id: id.into(),
            code_uri: id.into(),
            environment: [].into(),
            memory_mb: 128,
            timeout: Duration::from_secs(3),
            routes: routes.iter().map(route).collect(),
            schedules: Vec::new(),
        }
    }

    #[test]
    fn the_most_specific_route_matches() {
        let routes = Routes::new(&[
            function("rest", &[("ANY", "/{proxy+}")]),
            function("one", &[("ANY", "/jobs/{id}"), ("GET", "/jobs/{id}/log")]),
            function("exact", &[("POST", "/jobs/new"), ("ANY", "/jobs/new")]),
        ])
        .unwrap();
        let find = |method, path| match routes.find(method, path) {
            RouteMatch::Target(target, parameters) => {
                let parameters: Vec<_> = parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
                format!("{} {} {}", target.function, target.route.method, parameters.join("&"))
            }
            RouteMatch::OtherMethods(_) => "other methods".into(),
            RouteMatch::NotFound => "nothing".into(),
        };
        assert_eq!(find("POST", "/jobs/new"), "exact POST ");
        assert_eq!(find("PUT", "/jobs/new"), "exact ANY ");
        assert_eq!(find("GET", "/jobs/a%20b"), "one ANY id=a b");
        assert_eq!(find("GET", "/jobs/7/log"), "one GET id=7");
        assert_eq!(find("PUT", "/jobs/7/log"), "rest ANY proxy=jobs/7/log");
        assert_eq!(find("GET", "/jobs/"), "rest ANY proxy=jobs/");
        assert_eq!(find("GET", "/"), "nothing");
        assert_eq!(routes.nearest("/jobs").map(|target| target.route.path.as_str()), Some("/jobs/new"));
        assert!(routes.nearest("/job").is_none());
    }

    #[test]
    fn two_functions_with_one_route_are_an_error() {
        let functions = [function("a", &[("ANY", "/x")]), function("b", &[("ANY", "/x")])];
        assert_eq!(Routes::new(&functions).unwrap_err().to_string(), "the template has two functions for ANY /x");
    }
}
