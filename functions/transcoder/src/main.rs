//! The sealed room: opens key packets and translates, in a container without a network. `transcoder serve` is all it takes.

mod answer;
mod door;
mod held;
mod patient;
mod room;
mod serve;
mod setting;
mod verified;

use std::{error::Error, process::ExitCode};

use crate::{door::Door, setting::Setting};

fn main() -> ExitCode {
    if let Some("serve") = std::env::args().nth(1).as_deref() {
        match serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                answer::note(&error.to_string());
                ExitCode::FAILURE
            }
        }
    } else {
        eprintln!(
            "usage: transcoder serve\n\nServes SageMaker's container contract: GET /ping, POST /invocations, GET /execution-parameters."
        );
        ExitCode::from(2)
    }
}

fn serve() -> Result<(), Box<dyn Error>> {
    Ok(serve::serve(&Door::new(Setting::read()?))?)
}
