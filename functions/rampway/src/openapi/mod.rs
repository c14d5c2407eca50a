//! `rampway openapi`: the OpenAPI 3.1 description of the HTTP API.

mod document;
mod errors;
mod noun;
mod operation;

use std::path::{Path, PathBuf};

use clap::Args;
use sam::Deployment;

pub use self::document::document;
use crate::{args::parameter, error::Error, output::print, template};

/// The path at which the local cloud serves the document, outside the API's stage.
pub const OPENAPI_PATH: &str = "/openapi.json";

const AFTER_HELP: &str = "\
Examples:
  rampway openapi > openapi.json
  rampway openapi --url https://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/Prod --parameter Sides=none

`rampway serve` serves the same document at http://127.0.0.1:PORT/openapi.json.";

/// Print the OpenAPI 3.1 description of the HTTP API
///
/// Describes the requests, the responses and the error codes of every route in the template. All
/// APIs are described unless parameters select some. On AWS, each API has its own URL.
#[derive(Clone, Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct OpenApi {
    /// SAM template to describe [default: template.yaml, or the one inside this program]
    #[arg(long, value_name = "FILE")]
    pub template: Option<PathBuf>,
    /// Parameter of the template, as for `sam deploy`; can be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,
    /// URL of the API with its stage [default: that of a local cloud on port 3000]
    #[arg(long)]
    pub url: Option<String>,
}

/// Prints the document.
pub fn run(arguments: OpenApi) -> Result<(), Error> {
    let OpenApi { template, parameters, url } = arguments;
    let template = template::source(template).read()?;
    let deployment = Deployment::local("http://127.0.0.1:3000", Path::new("master.key"));
    let stack = template.stack(&local::parameters(&template, &parameters.into_iter().collect()), &deployment)?;
    let stage = stack.apis.first().map_or("Prod", |api| &api.stage);
    let url = url.unwrap_or_else(|| format!("{}/{stage}", deployment.address));
    Ok(print(&format!("{:#}\n", document(&stack, &url)))?)
}

#[cfg(test)]
mod tests;
