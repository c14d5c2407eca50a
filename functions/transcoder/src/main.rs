//! The transcoder container: opens key packets and translates ids, without network access of its
//! own. `transcoder serve` starts it.

mod api_error;
mod http;
mod log;
mod memory_budget;
mod packet_store;
mod setting;
mod token_cache;
mod transcoder;
mod workers;
mod write_timeout;

use std::{error::Error, process::ExitCode};

use crate::{http::Server, setting::Setting};

const USAGE: &str = "Usage: transcoder serve

Serves SageMaker's container contract: GET /ping, POST /invocations, GET /execution-parameters.";

fn main() -> ExitCode {
    if let Some("serve") = std::env::args().nth(1).as_deref() {
        match serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                log::log(&error.to_string());
                ExitCode::FAILURE
            }
        }
    } else {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    Ok(workers::serve(&Server::new(Setting::read()?))?)
}
