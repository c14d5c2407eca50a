//! The sealed room: opens key packets and translates, in a container without a network. `transcoder serve` is all it takes.

mod door;
mod room;
mod setting;

use std::{process::ExitCode, sync::Arc, time::Duration};

use tokio::{net::TcpListener, signal::unix, sync::oneshot};

use crate::{room::Room, setting::Setting};

/// SageMaker kills a container 30 s after asking it to stop.
const LAST_REQUESTS: Duration = Duration::from_secs(25);

#[tokio::main]
async fn main() -> ExitCode {
    if let Some("serve") = std::env::args().nth(1).as_deref() {
        match serve().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                room::note(&error.to_string());
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

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let setting = Setting::read()?;
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let listener = TcpListener::bind(setting.address).await?;
    let room = Arc::new(Room::new(setting, door::now()));
    let (stopping, stopped) = oneshot::channel();
    let asked = async move {
        terminate.recv().await;
        let _ = stopping.send(());
    };
    tokio::select! {
        served = axum::serve(listener, door::routes(room)).with_graceful_shutdown(asked) => Ok(served?),
        () = async { let _ = stopped.await; tokio::time::sleep(LAST_REQUESTS).await } => Ok(()),
    }
}
