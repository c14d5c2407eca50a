//! What a template deploys.

use std::collections::BTreeMap;

use crate::{
    api::Api, deployment::Deployment, endpoint::Endpoint, error::Error, function::Function, properties::Properties, resolver::Resolver,
    table::Table, template::Template,
};

/// What a template deploys under chosen parameters.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The Lambda functions.
    pub functions: Vec<Function>,
    /// The DynamoDB tables.
    pub tables: Vec<Table>,
    /// The REST APIs.
    pub apis: Vec<Api>,
    /// The SageMaker endpoints.
    pub endpoints: Vec<Endpoint>,
}

impl Template {
    /// Resolves the template with these parameters; the others take their defaults.
    pub fn stack(&self, parameters: &BTreeMap<String, String>, deployment: &Deployment) -> Result<Stack, Error> {
        let resolver = Resolver::new(self, parameters, deployment)?;
        let mut stack = Stack { functions: Vec::new(), tables: Vec::new(), apis: Vec::new(), endpoints: Vec::new() };
        for resource in self.resources() {
            if let Some(condition) = resource.condition
                && !resolver.condition(condition)?
            {
                continue;
            }
            let properties = |globals| Properties::new(&resolver, &resource, globals);
            match resource.kind {
                "AWS::Serverless::Function" => stack.functions.push(Function::read(&properties("Function"))?),
                "AWS::Serverless::Api" => stack.apis.push(Api::read(&properties("Api"))?),
                "AWS::DynamoDB::Table" => stack.tables.push(Table::read(&properties(""))?),
                "AWS::SageMaker::Endpoint" => stack.endpoints.push(Endpoint::read(&resolver, &resource)?),
                _ => {}
            }
        }
        Ok(stack)
    }
}
