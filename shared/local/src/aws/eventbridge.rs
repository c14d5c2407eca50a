//! EventBridge: invokes functions on their schedules.

use std::{sync::Arc, time::Duration};

use sam::{Deployment, Function, Schedule};
use serde_json::json;
use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::{aws::lambda::Lambda, logs::Logs};

/// The format of an event's time.
const EVENT_TIME: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Starts all schedules; they stop when the set is dropped.
pub(crate) fn start(functions: &[Function], deployment: &Deployment, lambda: &Arc<Lambda>, logs: &Logs) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for function in functions {
        for schedule in &function.schedules {
            let (lambda, deployment) = (Arc::clone(lambda), deployment.clone());
            tasks.spawn(run(function.id.clone(), schedule.clone(), deployment, lambda, logs.clone()));
        }
    }
    tasks
}

async fn run(function: String, schedule: Schedule, deployment: Deployment, lambda: Arc<Lambda>, logs: Logs) {
    let mut last = OffsetDateTime::now_utc();
    while let Some(next) = schedule.expression.next(last) {
        // A sleep takes longer when the machine is suspended: the wall clock decides.
        while let Ok(remaining) = Duration::try_from(next - OffsetDateTime::now_utc()) {
            tokio::time::sleep(remaining.min(Duration::from_mins(1))).await;
            if remaining.is_zero() {
                break;
            }
        }
        let payload = event(&function, &schedule, &deployment, next);
        let request_id = Uuid::new_v4().to_string();
        if let Some(output) = lambda.invoke(&function, &request_id, payload.into()).await
            && output.is_error
        {
            let error = String::from_utf8_lossy(&output.payload);
            logs.line(&function, &format!("the schedule {} failed: {error}", schedule.event));
        }
        // Missed times are not made up for.
        last = next.max(OffsetDateTime::now_utc());
    }
}

/// The event of a schedule: its input, or the one that EventBridge generates.
pub(crate) fn event(function: &str, schedule: &Schedule, deployment: &Deployment, at: OffsetDateTime) -> String {
    if let Some(input) = &schedule.input {
        return input.clone();
    }
    let Deployment { region, account, .. } = deployment;
    json!({
        "version": "0",
        "id": Uuid::new_v4().to_string(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": account,
        "time": at.format(EVENT_TIME).unwrap_or_default(),
        "region": region,
        "resources": [format!("arn:aws:events:{region}:{account}:rule/rampway-{function}{}", schedule.event)],
        "detail": {},
    })
    .to_string()
}
