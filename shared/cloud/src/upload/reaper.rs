//! The reaper: removes what was never completed, and videos whose creation nobody heard of.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::json;
use shared::upload::{Code, State};

use super::{
    Error, Record, Uploads,
    brightcove::{Brightcove, Deleted},
    intent::{INTENT, Reference},
    record::UPLOAD,
    store::Change,
};
use crate::{
    gateway::{Event, Failure, Reply},
    setting::{Environment, now},
    vault::{self, n},
};

/// How many videos are looked at in one run.
const MOST: usize = 50;
/// How many uploads are read to find them: some were looked at today.
const READ: usize = 1000;
/// How long after a refusal it is tried again, in seconds.
const DAY: u64 = 24 * 60 * 60;
/// How long between two requests: others need the account's, too.
const PACE: Duration = Duration::from_millis(500);

/// Who removes what was never completed.
pub struct Reaper {
    uploads: Arc<Uploads>,
    brightcove: Brightcove,
    pace: Duration,
}

/// What a run did, or would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The videos that were deleted.
    pub reaped: Vec<String>,
    /// The uploads that needed no more than to be closed: their videos are gone, or have files.
    pub closed: Vec<String>,
    /// The videos that Brightcove keeps. They are tried again in a day.
    pub kept: Vec<String>,
    /// Whether Brightcove was busy: the rest is the next run's.
    pub interrupted: bool,
}

/// What needs to be looked at.
enum Due {
    Upload(Box<Record>),
    Intent(Reference),
}

/// What to do with one upload.
enum Fate {
    Close(State),
    Reap,
}

impl Reaper {
    /// Connects to what the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let uploads = Arc::new(Uploads::from_env(environment).await?);
        Ok(Self { brightcove: Brightcove::new(environment, uploads.clone()).unhurried(), uploads, pace: PACE })
    }

    /// The same with another time between two requests.
    #[must_use]
    pub const fn with_pace(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// Its schedule; `{"dry_run": true}` only tells.
    pub async fn event(&self, event: Event) -> Result<Reply, Failure> {
        match event {
            Event::Schedule(input) => Ok(json!(self.run(input["dry_run"] == true).await?).into()),
            Event::Http(_) => Err(super::absent()),
        }
    }

    /// One run.
    pub async fn run(&self, dry_run: bool) -> Result<Report, Error> {
        self.run_at(dry_run, now()).await
    }

    /// One run at `now`, in seconds since 1970. One upload's failure does not hold up the others.
    pub async fn run_at(&self, dry_run: bool, now: u64) -> Result<Report, Error> {
        let mut report = Report { dry_run, ..Report::default() };
        let (mut looked_at, mut failure) = (0, None);
        for name in self.uploads.store().unfinished(now, READ).await? {
            if looked_at == MOST {
                break;
            }
            let due = match self.due(&name, now).await {
                Err(error @ Error::Vault(vault::Error::Attribute(_))) => {
                    tracing::error!(item = name, "an upload was not read: {error}");
                    failure = Some(error);
                    continue;
                }
                due => due?,
            };
            let Some(due) = due else { continue };
            looked_at += 1;
            let outcome = match &due {
                Due::Upload(record) => self.look_at(record, &mut report, now).await,
                Due::Intent(reference) => self.look_for(reference, &mut report, now).await,
            };
            match outcome {
                Ok(()) => {}
                Err(Error::Silent(_) | Error::Limited | Error::Upstream { code: Code::UpstreamBusy, .. }) => {
                    report.interrupted = true;
                    break;
                }
                // What is wrong with one upload is tried again in a day, lest a few take every run.
                Err(error) if error.is_of_one() => {
                    tracing::error!(item = name, "an upload was not reaped: {error}");
                    match &due {
                        _ if dry_run => {}
                        Due::Upload(record) => self.note(record, now).await?,
                        Due::Intent(reference) => self.uploads.note_unsettled(reference, now).await?,
                    }
                    failure = Some(error);
                }
                // It is everybody's: the rest would fare alike.
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        tracing::info!(report = json!(report).to_string(), "reaped");
        failure.map_or(Ok(report), Err)
    }

    /// What an item of the index needs. The index is a little late: what counts is the item.
    async fn due(&self, name: &str, now: u64) -> Result<Option<Due>, Error> {
        if let Some(Ok(video)) = name.strip_prefix(UPLOAD).map(str::parse) {
            let record = self.uploads.find(&video).await?.filter(|record| is_due(record, now));
            return Ok(record.map(|record| Due::Upload(record.into())));
        }
        let Some(reference) = name.strip_prefix(INTENT).and_then(Reference::parse) else { return Ok(None) };
        let due = self.uploads.is_unsettled(&reference, now, now.saturating_sub(DAY)).await?;
        Ok(due.then_some(Due::Intent(reference)))
    }

    /// Looks for a video that was to be created, and that no upload may know.
    async fn look_for(&self, reference: &Reference, report: &mut Report, now: u64) -> Result<(), Error> {
        let found = self.brightcove.referred(reference, self.turn().await).await?;
        if let Some((video, false)) = found
            && !self.uploads.knows(&video).await?
        {
            if !report.dry_run && self.brightcove.delete(&video, self.turn().await).await? == Deleted::Kept {
                self.uploads.note_unsettled(reference, now).await?;
                report.kept.push(video.to_string());
                return Ok(());
            }
            report.reaped.push(video.to_string());
        }
        if report.dry_run { Ok(()) } else { self.uploads.settle(reference).await }
    }

    async fn look_at(&self, record: &Record, report: &mut Report, now: u64) -> Result<(), Error> {
        let video = record.video.to_string();
        match self.fate(record).await? {
            Fate::Close(state) => {
                if !report.dry_run {
                    self.uploads.end(record, state).await?;
                }
                report.closed.push(video);
            }
            Fate::Reap if report.dry_run => report.reaped.push(video),
            Fate::Reap => match self.brightcove.delete(&record.video, self.turn().await).await? {
                Deleted::Gone => {
                    self.uploads.end(record, State::Reaped).await?;
                    report.reaped.push(video);
                }
                Deleted::Kept => {
                    self.note(record, now).await?;
                    report.kept.push(video);
                }
            },
        }
        Ok(())
    }

    async fn fate(&self, record: &Record) -> Result<Fate, Error> {
        match self.brightcove.complete(&record.video, self.turn().await).await? {
            None => return Ok(Fate::Close(State::Reaped)),
            Some(true) => return Ok(Fate::Close(State::Done)),
            Some(false) => {}
        }
        let jobs = self.brightcove.jobs(&record.video, self.turn().await).await?;
        Ok(if jobs.is_empty() { Fate::Reap } else { Fate::Close(State::Ingested) })
    }

    /// Notes that an upload was looked at in vain.
    async fn note(&self, record: &Record, now: u64) -> Result<(), Error> {
        // Nothing can be signed any more, so nothing secret need stay.
        self.uploads.write(record, Change::default().set("noted_at", n(now)).remove("sealed")).await?;
        Ok(())
    }

    /// Waits for the next request's turn, and says until when it may take.
    async fn turn(&self) -> Instant {
        tokio::time::sleep(self.pace).await;
        Instant::now() + super::PATIENCE
    }
}

/// Whether an upload is over, in nobody's hands, and was not looked at in vain today.
fn is_due(record: &Record, now: u64) -> bool {
    let free = record.lease_until.is_none_or(|end| end <= now);
    record.unfinished && record.expires_at < now && free && record.noted_at.is_none_or(|noted| now >= noted + DAY)
}
