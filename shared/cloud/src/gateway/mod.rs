//! The door: an API Gateway request (REST, version 1) or a schedule comes in, a [`Reply`] or a [`Failure`] goes out.

mod answer;
mod authorizer;
mod door;
mod request;

use std::error::Error as StdError;

pub use answer::{Failure, Reply};
pub use authorizer::{Entrance, Permission, authorize};
pub use door::{Answer, Door, Form, Origins, Told};
use lambda_http::lambda_runtime::{self, Diagnostic, LambdaEvent};
pub use request::{Caller, Event, Request};
use shared::fault::Fault;

use crate::setting::Environment;

/// Whatever ends a function before it serves.
pub type Error = Box<dyn StdError + Send + Sync>;

/// Serves requests through API Gateway, at identity's door.
pub async fn serve<H>(environment: &Environment, handler: H) -> Result<(), Error>
where
    H: AsyncFn(Request) -> Result<Reply, Failure>,
{
    Door::one_origin(environment.allowed_origin()).serve(environment, handler).await
}

/// Serves requests through API Gateway and schedules, at identity's door.
pub async fn run<H>(environment: &Environment, handler: H) -> Result<(), Error>
where
    H: AsyncFn(Event) -> Result<Reply, Failure>,
{
    Door::one_origin(environment.allowed_origin()).run(environment, handler).await
}

impl Door {
    /// Serves requests through API Gateway.
    pub async fn serve<H>(self, environment: &Environment, handler: H) -> Result<(), Error>
    where
        H: AsyncFn(Request) -> Result<Reply, Failure>,
    {
        self.run(environment, async |event| match event {
            Event::Http(request) => handler(*request).await,
            Event::Schedule(_) => Err(Failure::new(Fault::Request, "schedule", "this function has no schedule")),
        })
        .await
    }

    /// Serves requests through API Gateway and schedules.
    pub async fn run<H>(self, environment: &Environment, handler: H) -> Result<(), Error>
    where
        H: AsyncFn(Event) -> Result<Reply, Failure>,
    {
        log(environment);
        let service = lambda_runtime::service_fn(async |event: LambdaEvent<Event>| {
            let origin = match &event.payload {
                Event::Http(request) => Some(self.origin(request.origin())),
                Event::Schedule(_) => None,
            };
            // Boxed: the futures of SDK calls nest deeper than the compiler looks.
            let outcome = Box::pin(handler(event.payload)).await;
            match &outcome {
                Err(failure) if failure.is_ours() => tracing::error!("{failure}"),
                Err(failure) => tracing::info!("{failure}"),
                Ok(_) => {}
            }
            match (outcome, origin) {
                (outcome, Some(origin)) => Ok(self.answer(outcome, origin)),
                (Ok(reply), None) => Ok(Answer::Plain(serde_json::from_str(&reply.body).unwrap_or_default())),
                // Nobody reads the answer to a schedule: a failure must be a failure of the function, or no alarm goes off.
                (Err(failure), None) => Err(Diagnostic { error_type: "Failure".into(), error_message: failure.body(self.form()) }),
            }
        });
        lambda_runtime::run(service).await
    }
}

fn log(environment: &Environment) {
    use tracing_subscriber::{
        filter::{LevelFilter, Targets},
        layer::SubscriberExt,
        util::SubscriberInitExt,
    };
    let level = environment.log_level().parse().unwrap_or(LevelFilter::INFO);
    // What others trace are whole events, headers and bodies, and so secrets.
    let told = Targets::new().with_target("cloud", level).with_default(level.min(LevelFilter::INFO));
    let format = tracing_subscriber::fmt().json().without_time().with_max_level(level).with_ansi(false).with_writer(std::io::stderr);
    // A second call, in a test, changes nothing.
    let _ = format.finish().with(told).try_init();
}
