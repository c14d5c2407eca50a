use std::{collections::BTreeMap, path::Path, time::Duration};

use crate::*;

const TEMPLATE: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Sides: { Type: String, Default: both, AllowedValues: [authority, customer, both] }
  Issuer: { Type: String, Default: rampway }
  Origin: { Type: String, Default: "https://origin.invalid" }
  Rate: { Type: Number, Default: 100 }
  Pem: { Type: String, Default: "" }
  AuthorityUrl: { Type: String, Default: "" }
Mappings:
  Tier: { Small: { Seconds: 5 } }
Conditions:
  AuthoritySide: !Not [!Equals [!Ref Sides, customer]]
  CustomerSide: !Or [!Equals [!Ref Sides, customer], !Equals [!Ref Sides, both]]
  BothSides: !And [!Condition AuthoritySide, Condition: CustomerSide]
  HasPem: !Not [!Equals [!Ref Pem, ""]]
Globals:
  Function:
    Timeout: !FindInMap [Tier, Small, Seconds]
    Environment: { Variables: { LOG_LEVEL: info, MASTER_KEY: !GetAtt VaultKey.Arn } }
  Api:
    Cors: { AllowOrigin: !Sub "'${Origin}'", AllowMethods: "'GET,POST'", MaxAge: "'600'" }
    MethodSettings: [{ HttpMethod: "*", ResourcePath: /*, ThrottlingRateLimit: !Ref Rate, ThrottlingBurstLimit: 200 }]
    GatewayResponses:
      MISSING_AUTHENTICATION_TOKEN:
        StatusCode: 404
        ResponseParameters: { Headers: { Access-Control-Allow-Origin: !Sub "'${Origin}'", Vary: method.request.header.Origin } }
        ResponseTemplates: { application/json: '{"message":"nothing"}' }
Resources:
  AuthorityApi:
    Type: AWS::Serverless::Api
    Condition: AuthoritySide
    Properties:
      StageName: Prod
      Auth:
        Authorizers:
          TokenAuthorizer: { FunctionArn: !GetAtt ProxyFunction.Arn, FunctionPayloadType: REQUEST, Identity: { ReauthorizeEvery: 0 } }
  ProxyFunction:
    Type: AWS::Serverless::Function
    Condition: CustomerSide
    Properties:
      CodeUri: functions/sm_proxy/
      MemorySize: 1024
      Role: !GetAtt Role.Arn
      Environment:
        Variables:
          LOG_LEVEL: debug
          USAGE_TABLE: { Ref: UsageTable }
          ENDPOINT_NAME: !GetAtt Endpoint.EndpointName
          BOTH: !If [BothSides, "yes", !Ref AWS::NoValue]
          AUTHORITY_URL: !If
            - AuthoritySide
            - !Sub https://${AuthorityApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/Prod
            - !Ref AuthorityUrl
      Events:
        Init: { Type: Api, Properties: { RestApiId: !Ref AuthorityApi, Path: /auth/init, Method: any, Auth: { Authorizer: TokenAuthorizer } } }
        Preflight: { Type: Api, Properties: { RestApiId: !Ref AuthorityApi, Path: /auth/init, Method: options, Auth: { Authorizer: NONE } } }
        Daily: { Type: Schedule, Properties: { Schedule: cron(5 12 * * ? *), Input: '{"rpc":"reinit"}' } }
  Role: { Type: AWS::IAM::Role }
  VaultKey: { Type: AWS::KMS::Key }
  UsageTable:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{ AttributeName: bucket, AttributeType: S }, { AttributeName: pending, AttributeType: S }]
      KeySchema: [{ AttributeName: bucket, KeyType: HASH }]
      GlobalSecondaryIndexes:
        - IndexName: pending
          KeySchema: [{ AttributeName: pending, KeyType: HASH }]
          Projection: { ProjectionType: ALL }
      TimeToLiveSpecification: { AttributeName: expires_at, Enabled: true }
  Model:
    Type: AWS::SageMaker::Model
    Properties: { PrimaryContainer: { Environment: { ISSUER: !Ref Issuer, PEM: !If [HasPem, !Ref Pem, !Ref AWS::NoValue] } } }
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties: { ProductionVariants: [{ VariantName: AllTraffic, ModelName: !GetAtt Model.ModelName, InstanceType: !Unknown x }] }
  Endpoint:
    Type: AWS::SageMaker::Endpoint
    Properties: { EndpointName: !Sub "${AWS::StackName}-transcoder", EndpointConfigName: !GetAtt Config.EndpointConfigName }
"#;

fn stack(text: &str, parameters: &[(&str, &str)]) -> Result<Stack, Error> {
    let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    let deployment = Deployment::local("http://127.0.0.1:3000", Path::new("/state/master.key"));
    Template::parse(text)?.stack(&parameters, &deployment)
}

#[test]
fn a_function_has_its_environment_routes_and_schedules() {
    let stack = stack(TEMPLATE, &[]).unwrap();
    let [function] = stack.functions.as_slice() else { panic!("one function") };
    let environment: Vec<_> = function.environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(
        environment,
        [
            ("AUTHORITY_URL", "http://127.0.0.1:3000/Prod"),
            ("BOTH", "yes"),
            ("ENDPOINT_NAME", "rampway-transcoder"),
            ("LOG_LEVEL", "debug"),
            ("MASTER_KEY", "file:/state/master.key"),
            ("USAGE_TABLE", "UsageTable"),
        ]
    );
    assert_eq!((function.binary(), function.memory_mb, function.timeout), ("sm_proxy", 1024, Duration::from_secs(5)));
    let route = &function.routes[0];
    assert_eq!((route.api.as_str(), route.path.as_str(), route.method.as_str()), ("AuthorityApi", "/auth/init", "ANY"));
    let methods: Vec<_> = function.routes.iter().map(|route| (route.method.as_str(), route.authorizer.as_deref())).collect();
    assert_eq!(methods, [("ANY", Some("TokenAuthorizer")), ("OPTIONS", None)]);
    assert_eq!(function.schedules[0].input.as_deref(), Some(r#"{"rpc":"reinit"}"#));
}

#[test]
fn a_condition_decides_which_resources_exist() {
    let stack = stack(TEMPLATE, &[("Sides", "authority")]).unwrap();
    assert!(stack.functions.is_empty());
    assert_eq!(stack.apis.len(), 1);
    let customer = self::stack(TEMPLATE, &[("Sides", "customer"), ("AuthorityUrl", "https://a.example/Prod")]).unwrap();
    assert!(customer.apis.is_empty());
    assert_eq!(customer.functions[0].environment["AUTHORITY_URL"], "https://a.example/Prod");
    assert!(!customer.functions[0].environment.contains_key("BOTH"));
}

#[test]
fn tables_apis_and_endpoints_are_resolved() {
    let stack = stack(TEMPLATE, &[("Rate", "7"), ("Pem", "key")]).unwrap();
    let table = &stack.tables[0];
    assert_eq!((table.ttl_attribute.as_deref(), table.indexes[0].index_name.as_str()), (Some("expires_at"), "pending"));
    let api = &stack.apis[0];
    let response = &api.responses["MISSING_AUTHENTICATION_TOKEN"];
    assert_eq!(response.status, Some(404));
    assert_eq!(response.headers["Access-Control-Allow-Origin"], HeaderMapping::Static("https://origin.invalid".into()));
    assert_eq!(response.headers["Vary"], HeaderMapping::RequestHeader("Origin".into()));
    assert_eq!(api.authorizers["TokenAuthorizer"], Authorizer { function: "ProxyFunction".into() });
    assert_eq!(api.cors.as_ref().and_then(|cors| cors.methods.as_deref()), Some("GET,POST"));
    assert_eq!(api.throttle, Some(Throttle { rate: 7.0, burst: 200.0 }));
    let [variant] = stack.endpoints[0].variants.as_slice() else { panic!("one variant") };
    assert_eq!(variant.name, "AllTraffic");
    let environment = [("ISSUER", "rampway"), ("PEM", "key")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    assert_eq!(variant.environment, BTreeMap::from(environment));
}

#[test]
fn an_unsupported_construct_is_named() {
    let wrong = TEMPLATE.replace("!GetAtt Endpoint.EndpointName", "!GetAtt Endpoint.Moon");
    assert_eq!(
        stack(&wrong, &[]).unwrap_err().to_string(),
        "ProxyFunction, Properties.Environment.Variables.ENDPOINT_NAME: GetAtt of Moon of Endpoint (AWS::SageMaker::Endpoint) \
         has no value on this machine"
    );
    let wrong = TEMPLATE.replace("!Ref UsageTable", "!Ref UsagTable").replace("{ Ref: UsageTable }", "!ImportValue x");
    assert_eq!(
        stack(&wrong, &[]).unwrap_err().to_string(),
        "ProxyFunction, Properties.Environment.Variables.USAGE_TABLE: ImportValue is not supported, or not with this argument"
    );
    let wrong = TEMPLATE.replace("ReauthorizeEvery: 0", "ReauthorizeEvery: 300");
    assert_eq!(
        stack(&wrong, &[]).unwrap_err().to_string(),
        "AuthorityApi, Properties.Auth.Authorizers.TokenAuthorizer.Identity: a cache of decisions is not supported; use `ReauthorizeEvery: 0` alone"
    );
    let wrong = TEMPLATE.replace("method.request.header.Origin", "context.path");
    assert_eq!(
        stack(&wrong, &[]).unwrap_err().to_string(),
        "AuthorityApi, Properties.GatewayResponses.MISSING_AUTHENTICATION_TOKEN.Vary: \
         `context.path` is neither a quoted string nor a request header; use '…' or method.request.header.NAME"
    );
    assert_eq!(
        stack(TEMPLATE, &[("Sides", "none")]).unwrap_err().to_string(),
        "the template's parameter Sides does not allow `none`; use one of: authority, customer, both"
    );
    assert_eq!(stack(TEMPLATE, &[("Side", "x")]).unwrap_err().to_string(), "the template has no parameter Side");
    assert_eq!(stack("Resources: 3", &[]).unwrap_err().to_string(), "the template has no Resources");
}

#[test]
fn the_deployed_template_is_resolved() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
    let deployment = Deployment::local("http://127.0.0.1:3000", Path::new("/state/master.key"));
    let template = Template::read(&path).unwrap();
    let stack = template.stack(&BTreeMap::new(), &deployment).unwrap();
    assert!(!stack.functions.is_empty() && !stack.tables.is_empty() && !stack.apis.is_empty() && !stack.endpoints.is_empty());
}

#[test]
fn a_node_is_the_template_as_it_is_written() {
    let template = Template::parse(TEMPLATE).unwrap();
    let function = template.resource("ProxyFunction").unwrap();
    assert_eq!((function.kind, function.condition), ("AWS::Serverless::Function", Some("CustomerSide")));
    let properties = function.node.get(&["Properties"]).unwrap();
    assert_eq!((properties.number(&["MemorySize"]), properties.text(&["MemorySize"])), (Some(1024), "1024".into()));
    assert_eq!((properties.text(&["Role"]), properties.text(&["None"])), ("!GetAtt Role.Arn".into(), String::new()));
    assert_eq!(properties.texts(&["Role"]), ["!GetAtt Role.Arn"]);
    assert_eq!(template.node().texts(&["Parameters", "Sides", "AllowedValues"]), ["authority", "customer", "both"]);
    let events: Vec<_> = properties.entries(&["Events"]).map(|(name, event)| format!("{name} {}", event.text(&["Type"]))).collect();
    assert_eq!(events, ["Init Api", "Preflight Api", "Daily Schedule"]);
    let keys = template.resource("UsageTable").unwrap().node;
    assert_eq!(keys.items(&["Properties", "KeySchema"]).map(|key| key.text(&["KeyType"])).collect::<Vec<_>>(), ["HASH"]);
    assert_eq!(template.node().get(&["Conditions", "HasPem"]).unwrap().to_string(), "!Not\n- !Equals\n  - !Ref Pem\n  - ''\n");
}
