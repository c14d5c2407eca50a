//! EventBridge's schedules: `rate(…)`, and `cron(…)` with fixed minutes and hours.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Error, lambda::Lambda, log::Log};
use crate::template::{ACCOUNT, Function, REGION};

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// When a schedule fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timing {
    /// Every so many seconds, from the start on.
    Every(u64),
    /// Once a day, at a second of the day (UTC).
    Daily(u64),
    /// Once an hour, at a second of the hour.
    Hourly(u64),
}

/// Fires the functions' schedules until the task is aborted.
pub fn start(functions: &[Function], lambda: &Arc<Lambda>, log: &Log) -> Result<Vec<tokio::task::JoinHandle<()>>, Error> {
    let mut tasks = Vec::new();
    for function in functions {
        for schedule in &function.schedules {
            let timing = read(&schedule.expression).ok_or_else(|| Error::Schedule(schedule.expression.clone()))?;
            let (lambda, log) = (lambda.clone(), log.clone());
            let (id, event) = (function.id.clone(), event(function, schedule.input.as_deref()));
            tasks.push(tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_secs(timing.wait(cloud::setting::now()))).await;
                    if let Some(outcome) = lambda.invoke(&id, event.clone().into()).await {
                        log.line("schedule", &format!("{id}: {outcome:?}"));
                    }
                }
            }));
        }
    }
    Ok(tasks)
}

/// The event of a schedule: its input, or EventBridge's own.
pub fn event(function: &Function, input: Option<&str>) -> String {
    input.map_or_else(
        || {
            json!({
                "version": "0", "id": super::lambda::request_id(), "detail-type": "Scheduled Event", "source": "aws.events",
                "account": ACCOUNT, "region": REGION, "time": "1970-01-01T00:00:00Z", "detail": {},
                "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/{}", function.id)],
            })
            .to_string()
        },
        str::to_owned,
    )
}

fn read(expression: &str) -> Option<Timing> {
    let (kind, rest) = expression.split_once('(')?;
    let fields: Vec<_> = rest.strip_suffix(')')?.split_whitespace().collect();
    match (kind, &fields[..]) {
        ("rate", [number, unit]) => {
            let unit = match unit.trim_end_matches('s') {
                "minute" => MINUTE,
                "hour" => 60 * MINUTE,
                "day" => DAY,
                _ => return None,
            };
            Some(Timing::Every(number.parse::<u64>().ok()?.checked_mul(unit)?))
        }
        ("cron", [minute, hour, "*", "*", "?", "*"]) => {
            let minute: u64 = minute.parse().ok().filter(|minute| *minute < 60)?;
            match *hour {
                "*" => Some(Timing::Hourly(minute * MINUTE)),
                hour => Some(Timing::Daily((hour.parse::<u64>().ok().filter(|hour| *hour < 24)? * 60 + minute) * MINUTE)),
            }
        }
        _ => None,
    }
}

impl Timing {
    /// Seconds from `now`, in seconds since 1970, to the next time.
    const fn wait(self, now: u64) -> u64 {
        let (period, at) = match self {
            Self::Every(period) => return period,
            Self::Daily(at) => (DAY, at),
            Self::Hourly(at) => (60 * MINUTE, at),
        };
        let passed = (now % period + period - at) % period;
        period - passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_of_the_template_are_read() {
        assert_eq!(read("rate(1 minute)"), Some(Timing::Every(60)));
        assert_eq!(read("cron(5 12 * * ? *)"), Some(Timing::Daily((12 * 60 + 5) * 60)));
        assert_eq!(read("cron(15 * * * ? *)"), Some(Timing::Hourly(15 * 60)));
        assert_eq!(read("cron(0/5 12 ? * MON *)"), None);
        assert_eq!(read("at(2026-01-01T00:00:00)"), None);
    }

    #[test]
    fn the_next_time_is_never_now() {
        let noon = Timing::Daily(12 * 3600);
        assert_eq!(noon.wait(DAY * 5 + 11 * 3600), 3600);
        assert_eq!(noon.wait(DAY * 5 + 12 * 3600), DAY);
        assert_eq!(noon.wait(DAY * 5 + 13 * 3600), DAY - 3600);
    }
}
