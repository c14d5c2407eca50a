//! `template.yaml`, read: the one place that knows a route, a table, an environment variable.
//!
//! CloudFormation's functions are resolved to what they are on this desk: a table's name is its logical id, the KMS key is a file, an API's
//! address is the local one. What this reader does not know is an error that names the place, never a guess.

use std::{collections::BTreeMap, fs, path::Path};

use serde_norway::Value;

/// What the template's functions mean here.
#[derive(Clone, Debug, Default)]
pub struct Desk {
    /// The address that stands for every API's, stage included.
    pub base_url: String,
    /// What stands for the KMS key.
    pub master_key: String,
    /// Parameters that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
}

/// Why the template was not read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file.
    #[error("{path} cannot be read: {cause}")]
    File {
        /// Its path.
        path: String,
        /// What is wrong.
        cause: std::io::Error,
    },
    /// Not YAML.
    #[error("the template is not YAML: {0}")]
    Yaml(#[from] serde_norway::Error),
    /// A construct that this reader does not know, or something that is missing.
    #[error("the template's {place}: {problem}")]
    Construct {
        /// Where.
        place: String,
        /// What.
        problem: String,
    },
}

/// A template on this desk.
pub struct Template {
    root: Value,
    desk: Desk,
}

/// A Lambda function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its logical id.
    pub id: String,
    /// Its binary's name: the last folder of `CodeUri`.
    pub binary: String,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Its memory, in MB.
    pub memory: u64,
    /// Its time-out, in seconds.
    pub timeout: u64,
    /// Its routes.
    pub routes: Vec<Route>,
    /// Its schedules.
    pub schedules: Vec<Schedule>,
}

/// A route to a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The API's logical id.
    pub api: String,
    /// The path, with `{parameters}`.
    pub path: String,
    /// The method, upper case; `ANY` for every one.
    pub method: String,
}

/// A schedule of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// `rate(…)` or `cron(…)`.
    pub expression: String,
    /// The event it sends; EventBridge's own where there is none.
    pub input: Option<String>,
}

/// An API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Api {
    /// Its logical id.
    pub id: String,
    /// Its stage.
    pub stage: String,
    /// The headers of a preflight's answer.
    pub cors: Vec<(String, String)>,
    /// What it answers itself, by response type.
    pub responses: BTreeMap<String, GatewayResponse>,
}

/// What an API answers itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GatewayResponse {
    /// The status, where it is not the usual one.
    pub status: Option<u16>,
    /// The headers.
    pub headers: Vec<(String, String)>,
    /// The body, with `$context` variables.
    pub body: Option<String>,
}

/// A table.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    /// Its logical id, which is its name here.
    pub id: String,
    /// The attribute that DynamoDB deletes items by.
    pub ttl: Option<String>,
    /// The body of the `CreateTable` call.
    pub create: serde_json::Value,
}

impl Template {
    /// Reads a file.
    pub fn read(path: &Path, desk: Desk) -> Result<Self, Error> {
        let text = fs::read_to_string(path).map_err(|cause| Error::File { path: path.display().to_string(), cause })?;
        Self::parse(&text, desk)
    }

    /// Reads text.
    pub fn parse(text: &str, desk: Desk) -> Result<Self, Error> {
        Ok(Self { root: serde_norway::from_str(text)?, desk })
    }

    /// Every function that the conditions let be.
    pub fn functions(&self) -> Result<Vec<Function>, Error> {
        self.resources("AWS::Serverless::Function")?.into_iter().map(|(id, properties)| self.function(id, properties)).collect()
    }

    /// Every API that the conditions let be.
    pub fn apis(&self) -> Result<Vec<Api>, Error> {
        self.resources("AWS::Serverless::Api")?.into_iter().map(|(id, properties)| self.api(id, properties)).collect()
    }

    /// Every table that the conditions let be.
    pub fn tables(&self) -> Result<Vec<Table>, Error> {
        let mut tables = Vec::new();
        for (id, properties) in self.resources("AWS::DynamoDB::Table")? {
            let mut create = serde_json::json!({"TableName": id});
            for name in ["AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes", "BillingMode"] {
                if let Some(value) = properties.get(name) {
                    create[name] = json(&self.resolve(value, &format!("{id}.{name}"))?);
                }
            }
            let ttl = properties.get("TimeToLiveSpecification").and_then(|ttl| Some(ttl.get("AttributeName")?.as_str()?.to_owned()));
            tables.push(Table { id: id.into(), ttl, create });
        }
        Ok(tables)
    }

    /// The environment of the SageMaker model's container.
    pub fn container(&self) -> Result<BTreeMap<String, String>, Error> {
        let mut environment = BTreeMap::new();
        for (id, properties) in self.resources("AWS::SageMaker::Model")? {
            if let Some(variables) = properties.get("PrimaryContainer").and_then(|container| container.get("Environment")) {
                environment.extend(self.variables(variables, id)?);
            }
        }
        Ok(environment)
    }

    fn function(&self, id: &str, properties: &Value) -> Result<Function, Error> {
        let globals = self.root.get("Globals").and_then(|globals| globals.get("Function"));
        let property = |name: &str| properties.get(name).or_else(|| globals?.get(name));
        let text = |name: &str| match property(name) {
            Some(value) => self.text(value, &format!("{id}.{name}")),
            None => Err(problem(&format!("{id}.{name}"), "is missing")),
        };
        let number = |name: &str| text(name)?.parse().map_err(|_| problem(&format!("{id}.{name}"), "is no number"));
        let mut environment = BTreeMap::new();
        for source in [globals, Some(properties)].into_iter().flatten() {
            if let Some(variables) = source.get("Environment").and_then(|environment| environment.get("Variables")) {
                environment.extend(self.variables(variables, id)?);
            }
        }
        let code = text("CodeUri")?;
        let binary = code.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned();
        let (mut routes, mut schedules) = (Vec::new(), Vec::new());
        for (name, event) in entries(properties.get("Events")) {
            let place = format!("{id}.Events.{name}");
            let of = |property: &str| event.get("Properties").and_then(|properties| properties.get(property));
            let required = |property: &str| of(property).ok_or_else(|| problem(&place, &format!("{property} is missing")));
            match event.get("Type").and_then(Value::as_str) {
                Some("Api") => routes.push(Route {
                    api: self.text(required("RestApiId")?, &place)?,
                    path: self.text(required("Path")?, &place)?,
                    method: self.text(required("Method")?, &place)?.to_uppercase(),
                }),
                Some("Schedule") => schedules.push(Schedule {
                    expression: self.text(required("Schedule")?, &place)?,
                    input: of("Input").map(|input| self.text(input, &place)).transpose()?,
                }),
                other => return Err(problem(&place, &format!("an event of type {other:?} is not known here"))),
            }
        }
        Ok(Function { id: id.into(), binary, environment, memory: number("MemorySize")?, timeout: number("Timeout")?, routes, schedules })
    }

    fn api(&self, id: &str, properties: &Value) -> Result<Api, Error> {
        let globals = self.root.get("Globals").and_then(|globals| globals.get("Api"));
        let property = |name: &str| properties.get(name).or_else(|| globals?.get(name));
        let mut api = Api { id: id.into(), ..Api::default() };
        api.stage = self.text(property("StageName").ok_or_else(|| problem(id, "StageName is missing"))?, id)?;
        for (name, value) in entries(property("Cors")) {
            let header = match name {
                "AllowOrigin" => "Access-Control-Allow-Origin",
                "AllowMethods" => "Access-Control-Allow-Methods",
                "AllowHeaders" => "Access-Control-Allow-Headers",
                "AllowCredentials" => "Access-Control-Allow-Credentials",
                "MaxAge" => "Access-Control-Max-Age",
                other => return Err(problem(&format!("{id}.Cors"), &format!("{other} is not known here"))),
            };
            api.cors.push((header.into(), unquoted(&self.text(value, id)?)));
        }
        for (kind, response) in entries(property("GatewayResponses")) {
            let status = response.get("StatusCode").map(|status| self.text(status, id)).transpose()?;
            let headers = response.get("ResponseParameters").and_then(|parameters| parameters.get("Headers"));
            let headers = entries(headers).map(|(name, value)| Ok((name.to_owned(), unquoted(&self.text(value, id)?))));
            let body = response.get("ResponseTemplates").and_then(|templates| templates.get("application/json"));
            api.responses.insert(
                kind.into(),
                GatewayResponse {
                    status: status.and_then(|status| status.parse().ok()),
                    headers: headers.collect::<Result<_, Error>>()?,
                    body: body.map(|body| self.text(body, id)).transpose()?,
                },
            );
        }
        Ok(api)
    }

    fn variables(&self, variables: &Value, place: &str) -> Result<BTreeMap<String, String>, Error> {
        let mut environment = BTreeMap::new();
        for (name, value) in entries(Some(variables)) {
            let value = self.resolve(value, &format!("{place}.Environment.{name}"))?;
            if !value.is_null() {
                environment.insert(name.to_owned(), scalar(&value).ok_or_else(|| problem(place, &format!("{name} is no text")))?);
            }
        }
        Ok(environment)
    }

    /// The resources of a type, in the template's order, less those whose condition is false.
    fn resources(&self, kind: &str) -> Result<Vec<(&str, &Value)>, Error> {
        let mut found = Vec::new();
        for (id, resource) in entries(self.root.get("Resources")) {
            if resource.get("Type").and_then(Value::as_str) != Some(kind) {
                continue;
            }
            if let Some(condition) = resource.get("Condition").and_then(Value::as_str)
                && !self.condition(condition)?
            {
                continue;
            }
            found.push((id, resource.get("Properties").unwrap_or(&Value::Null)));
        }
        Ok(found)
    }

    fn condition(&self, name: &str) -> Result<bool, Error> {
        let place = format!("Conditions.{name}");
        let condition =
            self.root.get("Conditions").and_then(|conditions| conditions.get(name)).ok_or_else(|| problem(&place, "is missing"))?;
        self.truth(condition, &place)
    }

    fn truth(&self, value: &Value, place: &str) -> Result<bool, Error> {
        let Value::Tagged(tagged) = value else { return Err(problem(place, "is no condition")) };
        let parts = tagged.value.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match (tagged.tag.to_string().as_str(), parts) {
            ("!Condition", _) => self.condition(tagged.value.as_str().unwrap_or_default()),
            ("!Equals", [a, b]) => Ok(self.resolve(a, place)? == self.resolve(b, place)?),
            ("!Not", [one]) => Ok(!self.truth(one, place)?),
            ("!And", all) => all.iter().try_fold(true, |so_far, one| Ok(so_far & self.truth(one, place)?)),
            ("!Or", any) => any.iter().try_fold(false, |so_far, one| Ok(so_far | self.truth(one, place)?)),
            (other, _) => Err(problem(place, &format!("{other} is not known here"))),
        }
    }

    fn text(&self, value: &Value, place: &str) -> Result<String, Error> {
        scalar(&self.resolve(value, place)?).ok_or_else(|| problem(place, "is no text"))
    }

    fn resolve(&self, value: &Value, place: &str) -> Result<Value, Error> {
        Ok(match value {
            Value::Tagged(tagged) => return self.function_value(&tagged.tag.to_string(), &tagged.value, place),
            Value::Sequence(items) => {
                let items: Result<Vec<_>, _> = items.iter().map(|item| self.resolve(item, place)).collect();
                items?.into_iter().filter(|item| !item.is_null()).collect()
            }
            Value::Mapping(entries) => {
                let entries: Result<serde_norway::Mapping, _> =
                    entries.iter().map(|(name, value)| Ok::<_, Error>((name.clone(), self.resolve(value, place)?))).collect();
                Value::Mapping(entries?)
            }
            plain => plain.clone(),
        })
    }

    fn function_value(&self, tag: &str, value: &Value, place: &str) -> Result<Value, Error> {
        let parts = value.as_sequence().map(Vec::as_slice).unwrap_or_default();
        match (tag, value.as_str(), parts) {
            ("!Ref", Some(name), _) => self.reference(name, place),
            ("!Sub", Some(text), _) => self.substitute(text, place).map(Value::String),
            ("!GetAtt", Some(path), _) => {
                let (id, attribute) = path.split_once('.').ok_or_else(|| problem(place, "!GetAtt names no attribute"))?;
                self.attribute(id, attribute, place)
            }
            ("!If", _, [condition, yes, no]) => {
                let condition = self.condition(condition.as_str().unwrap_or_default())?;
                self.resolve(if condition { yes } else { no }, place)
            }
            (other, _, _) => Err(problem(place, &format!("{other} is not known here"))),
        }
    }

    fn reference(&self, name: &str, place: &str) -> Result<Value, Error> {
        if let Some(pseudo) = name.strip_prefix("AWS::") {
            return Ok(match pseudo {
                "NoValue" => Value::Null,
                "Region" => REGION.into(),
                "AccountId" => ACCOUNT.into(),
                "Partition" => "aws".into(),
                "URLSuffix" => "amazonaws.com".into(),
                "StackName" => "rampway".into(),
                other => return Err(problem(place, &format!("AWS::{other} is not known here"))),
            });
        }
        if let Some(parameter) = self.root.get("Parameters").and_then(|parameters| parameters.get(name)) {
            let own = self.desk.parameters.get(name).map(|value| Value::String(value.clone()));
            return Ok(own.or_else(|| parameter.get("Default").cloned()).unwrap_or(Value::Null));
        }
        if self.resource(name).is_some() {
            return Ok(name.into());
        }
        Err(problem(place, &format!("refers to {name}, which there is not")))
    }

    fn attribute(&self, id: &str, attribute: &str, place: &str) -> Result<Value, Error> {
        let resource = self.resource(id).ok_or_else(|| problem(place, &format!("refers to {id}, which there is not")))?;
        match (resource.get("Type").and_then(Value::as_str), attribute) {
            (Some("AWS::KMS::Key"), "Arn") => Ok(self.desk.master_key.as_str().into()),
            _ => Ok(id.into()),
        }
    }

    fn substitute(&self, text: &str, place: &str) -> Result<String, Error> {
        let mut text = text.to_owned();
        for (id, _) in entries(self.root.get("Resources")) {
            let address = format!("https://${{{id}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/Prod");
            text = text.replace(&address, &self.desk.base_url);
        }
        let mut out = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, after) = after.split_once('}').ok_or_else(|| problem(place, "!Sub has an open ${"))?;
            out.push_str(before);
            let value = match name.split_once('.') {
                Some((id, attribute)) => self.attribute(id, attribute, place)?,
                None => self.reference(name, place)?,
            };
            out.push_str(&scalar(&value).unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }

    fn resource(&self, id: &str) -> Option<&Value> {
        self.root.get("Resources")?.get(id)
    }
}

/// The region of a suite on this desk.
pub const REGION: &str = "eu-west-1";
/// The account of a suite on this desk.
pub const ACCOUNT: &str = "123456789012";

fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    value.and_then(Value::as_mapping).into_iter().flatten().filter_map(|(name, value)| Some((name.as_str()?, value)))
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

/// API Gateway's mapping expressions quote their constants.
fn unquoted(text: &str) -> String {
    text.trim_matches('\'').to_owned()
}

fn json(value: &Value) -> serde_json::Value {
    serde_json::to_value(value).unwrap_or_default()
}

fn problem(place: &str, problem: &str) -> Error {
    Error::Construct { place: place.into(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEMPLATE: &str = r#"
Parameters:
  Sides: { Default: both }
  Elsewhere: { Default: "https://elsewhere" }
Conditions:
  Customer: !Not [!Equals [!Ref Sides, authority]]
Globals:
  Function: { Timeout: 28, MemorySize: 512, Environment: { Variables: { MASTER_KEY: !GetAtt Key.Arn } } }
Resources:
  Key: { Type: "AWS::KMS::Key" }
  Door: { Type: "AWS::Serverless::Api", Properties: { StageName: Prod, Cors: { AllowOrigin: "'*'" } } }
  Shelf:
    Type: AWS::DynamoDB::Table
    Properties:
      KeySchema: [{ AttributeName: name, KeyType: HASH }]
      TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }
  Worker:
    Type: AWS::Serverless::Function
    Condition: Customer
    Properties:
      CodeUri: functions/worker/
      Environment:
        Variables:
          SHELF: !Ref Shelf
          HOME_URL: !If [Customer, !Sub "https://${Door}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod", !Ref Elsewhere]
          NOTHING: !If [Customer, !Ref AWS::NoValue, x]
      Events:
        Ask: { Type: Api, Properties: { RestApiId: !Ref Door, Path: "/ask/{name}", Method: post } }
        Daily: { Type: Schedule, Properties: { Schedule: rate(1 minute), Input: '{"a":1}' } }
"#;

    fn desk(sides: &str) -> Desk {
        Desk {
            base_url: "http://here/Prod".into(),
            master_key: "file:/key".into(),
            parameters: [("Sides".to_owned(), sides.to_owned())].into(),
        }
    }

    #[test]
    fn a_function_is_read_as_it_is_here() {
        let functions = Template::parse(TEMPLATE, desk("both")).unwrap().functions().unwrap();
        let [worker] = &functions[..] else { panic!("one function, not {functions:?}") };
        assert_eq!((worker.binary.as_str(), worker.timeout, worker.memory), ("worker", 28, 512));
        let environment: Vec<_> = worker.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(environment, ["HOME_URL=http://here/Prod", "MASTER_KEY=file:/key", "SHELF=Shelf"]);
        assert_eq!(worker.routes, [Route { api: "Door".into(), path: "/ask/{name}".into(), method: "POST".into() }]);
        assert_eq!(worker.schedules, [Schedule { expression: "rate(1 minute)".into(), input: Some(r#"{"a":1}"#.into()) }]);
    }

    #[test]
    fn a_false_condition_leaves_its_resource_out() {
        assert_eq!(Template::parse(TEMPLATE, desk("authority")).unwrap().functions().unwrap(), []);
    }

    #[test]
    fn a_table_keeps_its_schema_and_its_time_to_live() {
        let tables = Template::parse(TEMPLATE, desk("both")).unwrap().tables().unwrap();
        assert_eq!(tables[0].ttl.as_deref(), Some("expires_at"));
        assert_eq!(tables[0].create["KeySchema"][0]["AttributeName"], "name");
    }

    #[test]
    fn what_is_not_known_is_named() {
        let text = TEMPLATE.replace("!Ref Shelf", "!ImportValue Shelf");
        let error = Template::parse(&text, desk("both")).unwrap().functions().unwrap_err();
        assert_eq!(error.to_string(), "the template's Worker.Environment.SHELF: !ImportValue is not known here");
        let text = TEMPLATE.replace("!Ref Shelf", "!Ref Shelv");
        let error = Template::parse(&text, desk("both")).unwrap().functions().unwrap_err();
        assert_eq!(error.to_string(), "the template's Worker.Environment.SHELF: refers to Shelv, which there is not");
    }
}
