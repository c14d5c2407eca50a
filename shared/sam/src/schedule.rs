//! Schedule expressions of EventBridge: `rate(…)` and `cron(…)`.

use std::{str::FromStr, time::Duration};

use time::{Date, OffsetDateTime, Time, UtcOffset};

/// The times at which a schedule invokes its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleExpression {
    /// At a fixed interval from the start on.
    Rate(Duration),
    /// At calendar times in UTC.
    Cron(Cron),
}

/// A cron expression of six fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    minutes: Vec<u16>,
    hours: Vec<u16>,
    days_of_month: Vec<u16>,
    months: Vec<u16>,
    /// Sunday is 1.
    days_of_week: Vec<u16>,
    years: Vec<u16>,
}

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl ScheduleExpression {
    /// The first time after `now`; `None` when all its years have passed.
    #[must_use]
    pub fn next(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        match self {
            Self::Rate(interval) => now.checked_add((*interval).try_into().ok()?),
            Self::Cron(cron) => cron.next(now.to_offset(UtcOffset::UTC)),
        }
    }
}

impl FromStr for ScheduleExpression {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let inner = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
        let unknown = || format!("`{text}` is neither rate(…) nor cron(…)");
        if let Some(rate) = inner("rate") {
            let (count, unit) = rate.split_once(' ').ok_or_else(unknown)?;
            let count: u64 = count.parse().map_err(|_| unknown())?;
            let unit = match unit.trim_end_matches('s') {
                "minute" => 60,
                "hour" => 60 * 60,
                "day" => 24 * 60 * 60,
                _ => return Err(unknown()),
            };
            match count.checked_mul(unit) {
                Some(seconds) if seconds > 0 => Ok(Self::Rate(Duration::from_secs(seconds))),
                _ => Err(unknown()),
            }
        } else {
            inner("cron").ok_or_else(unknown)?.parse().map(Self::Cron)
        }
    }
}

impl FromStr for Cron {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let &[minutes, hours, days_of_month, months, days_of_week, years] = fields.as_slice() else {
            return Err(format!("cron({text}) must have six fields"));
        };
        let invalid = |field: &str| format!("`{field}` in cron({text}) is invalid");
        let read = |text: &str, range: (u16, u16), names: &[&str]| field(text, range, names).ok_or_else(|| invalid(text));
        Ok(Self {
            minutes: read(minutes, (0, 59), &[])?,
            hours: read(hours, (0, 23), &[])?,
            days_of_month: read(days_of_month, (1, 31), &[])?,
            months: read(months, (1, 12), &MONTHS)?,
            days_of_week: read(days_of_week, (1, 7), &DAYS)?,
            years: read(years, (1970, 2199), &[])?,
        })
    }
}

impl Cron {
    fn next(&self, now: OffsetDateTime) -> Option<OffsetDateTime> {
        let mut day = now.date();
        // The longest gap is from 29 February 2096 to 29 February 2104: 2100 is not a leap year.
        for _ in 0..=8 * 366 {
            if self.has_day(day) {
                let times = self.hours.iter().flat_map(|hour| self.minutes.iter().map(move |minute| (hour, minute)));
                for (hour, minute) in times {
                    let time = Time::from_hms(u8::try_from(*hour).ok()?, u8::try_from(*minute).ok()?, 0).ok()?;
                    let moment = day.with_time(time).assume_utc();
                    if moment > now {
                        return Some(moment);
                    }
                }
            }
            day = day.next_day()?;
        }
        None
    }

    fn has_day(&self, day: Date) -> bool {
        let has = |values: &[u16], value: u16| values.contains(&value);
        u16::try_from(day.year()).is_ok_and(|year| has(&self.years, year))
            && has(&self.months, u8::from(day.month()).into())
            && has(&self.days_of_month, day.day().into())
            && has(&self.days_of_week, u16::from(day.weekday().number_days_from_sunday()) + 1)
    }
}

/// The values of a field in ascending order. It is a comma-separated list of `*`, `?`, a number or
/// a name, `a-b` and `a/step`.
fn field(text: &str, (low, high): (u16, u16), names: &[&str]) -> Option<Vec<u16>> {
    let number = |text: &str| {
        let position = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match position {
            Some(position) => u16::try_from(position).ok()? + low,
            None => text.parse().ok()?,
        };
        (low..=high).contains(&value).then_some(value)
    };
    let mut values = Vec::new();
    for item in text.split(',') {
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(step.parse().ok().filter(|step| *step > 0)?)),
            None => (item, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" || range == "?" => (low, high),
            Some((first, last)) => (number(first)?, number(last)?),
            None if step.is_some() => (number(range)?, high),
            None => (number(range)?, number(range)?),
        };
        values.extend((first..=last).step_by(step.unwrap_or(1)));
    }
    values.sort_unstable();
    values.dedup();
    (!values.is_empty()).then_some(values)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn the_next_time_follows_the_expression() {
        let next = |text: &str, now| text.parse::<ScheduleExpression>().unwrap().next(now).unwrap();
        let now = datetime!(2024-02-28 12:05 UTC);
        assert_eq!(next("rate(1 minute)", now), datetime!(2024-02-28 12:06 UTC));
        assert_eq!(next("rate(2 hours)", now), datetime!(2024-02-28 14:05 UTC));
        assert_eq!(next("cron(5 12 * * ? *)", now), datetime!(2024-02-29 12:05 UTC));
        assert_eq!(next("cron(0/15 * * * ? *)", now), datetime!(2024-02-28 12:15 UTC));
        assert_eq!(next("cron(0 6 ? * MON-FRI *)", datetime!(2024-03-01 7:00 UTC)), datetime!(2024-03-04 6:00 UTC));
        assert_eq!(next("cron(0 0 29 FEB ? *)", datetime!(2024-02-29 0:00 UTC)), datetime!(2028-02-29 0:00 UTC));
    }

    #[test]
    fn an_invalid_schedule_expression_is_rejected() {
        for (text, reason) in [
            ("rate(0 minutes)", "`rate(0 minutes)` is neither"),
            ("rate(1 fortnight)", "`rate(1 fortnight)` is neither"),
            ("cron(5 12 * *)", "must have six fields"),
            ("cron(61 * * * ? *)", "`61` in cron(61 * * * ? *) is invalid"),
            ("cron(1/0 * * * ? *)", "`1/0` in cron(1/0 * * * ? *) is invalid"),
            ("daily", "`daily` is neither"),
        ] {
            let error = text.parse::<ScheduleExpression>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert_eq!("cron(0 0 1 1 ? 1999)".parse::<ScheduleExpression>().unwrap().next(datetime!(2024-01-01 0:00 UTC)), None);
    }
}
