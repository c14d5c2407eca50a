//! The reaper: deletes videos whose upload was not completed, and videos whose creation was not
//! confirmed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::json;
use shared::upload::{Code, State};

use super::{
    brightcove::{Brightcove, Deletion},
    error::Error,
    intent::{INTENT, Reference},
    record::{Record, UPLOAD},
    route::{REQUEST_TIMEOUT, not_found},
    store::Change,
    uploads::Uploads,
};
use crate::{
    clock::{SECONDS_PER_DAY, now},
    gateway::{ApiError, Event, Response},
    setting::Environment,
    vault::{self, n},
};

/// The maximum number of videos in one run.
const MAX_VIDEOS_PER_RUN: usize = 50;
/// The maximum number of index entries that one run reads to find them: some were postponed.
const MAX_SCANNED: usize = 1000;
/// How long a video is postponed after an error of its own, in seconds.
const POSTPONED_SECONDS: u64 = SECONDS_PER_DAY;
/// The time between two requests: others need the account's rate limit, too.
const REQUEST_INTERVAL: Duration = Duration::from_millis(500);

/// The reaper.
pub struct Reaper {
    uploads: Arc<Uploads>,
    brightcove: Brightcove,
    request_interval: Duration,
}

/// What a run did, or would have done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The videos that were deleted.
    pub reaped: Vec<String>,
    /// The uploads that were only closed: their videos are deleted already, or have files.
    pub closed: Vec<String>,
    /// The videos that Brightcove refused to delete. They are tried again in a day.
    pub kept: Vec<String>,
    /// Whether Brightcove was busy, and the rest was left to the next run.
    pub interrupted: bool,
}

/// What may need an action.
enum Candidate {
    Upload(Box<Record>),
    Intent(Reference),
}

/// The action for one upload.
enum Action {
    Close(State),
    Delete,
}

impl Reaper {
    /// Connects to the resources that the environment names.
    pub async fn from_env(environment: &Environment) -> Result<Self, Error> {
        let uploads = Arc::new(Uploads::from_env(environment).await?);
        let brightcove = Brightcove::new(environment, uploads.clone()).without_retries();
        Ok(Self { brightcove, uploads, request_interval: REQUEST_INTERVAL })
    }

    /// Replaces the time between two requests.
    #[must_use]
    pub const fn with_request_interval(mut self, interval: Duration) -> Self {
        self.request_interval = interval;
        self
    }

    /// Handles its schedule; `{"dry_run": true}` only reports.
    pub async fn event(&self, event: Event) -> Result<Response, ApiError> {
        match event {
            Event::Schedule(input) => Ok(json!(self.run(input["dry_run"] == true).await?).into()),
            Event::Http(_) => Err(not_found()),
        }
    }

    /// One run.
    pub async fn run(&self, dry_run: bool) -> Result<Report, Error> {
        self.run_at(dry_run, now()).await
    }

    /// One run at `now`, in seconds since 1970. One upload's error does not stop the others.
    pub async fn run_at(&self, dry_run: bool, now: u64) -> Result<Report, Error> {
        let mut report = Report { dry_run, ..Report::default() };
        let (mut processed, mut last_error) = (0, None);
        for name in self.uploads.store().unfinished(now, MAX_SCANNED).await? {
            if processed == MAX_VIDEOS_PER_RUN {
                break;
            }
            let candidate = match self.candidate(&name, now).await {
                Err(error @ Error::Vault(vault::Error::Attribute(_))) => {
                    tracing::error!(item = name, "an upload was not read: {error}");
                    last_error = Some(error);
                    continue;
                }
                candidate => candidate?,
            };
            let Some(candidate) = candidate else { continue };
            processed += 1;
            let outcome = match &candidate {
                Candidate::Upload(record) => self.reap_upload(record, &mut report, now).await,
                Candidate::Intent(reference) => self.reap_intent(reference, &mut report, now).await,
            };
            match outcome {
                Ok(()) => {}
                Err(Error::NoResponse(_) | Error::RateLimited | Error::Upstream { code: Code::UpstreamBusy, .. }) => {
                    report.interrupted = true;
                    break;
                }
                // Postponed, so that a few failing uploads do not fill every run.
                Err(error) if error.is_video_specific() => {
                    tracing::error!(item = name, "an upload was not reaped: {error}");
                    match &candidate {
                        _ if dry_run => {}
                        Candidate::Upload(record) => self.postpone(record, now).await?,
                        Candidate::Intent(reference) => self.uploads.postpone_intent(reference, now).await?,
                    }
                    last_error = Some(error);
                }
                // An error that the other uploads would have, too.
                Err(error) => {
                    last_error = Some(error);
                    break;
                }
            }
        }
        tracing::info!(report = json!(report).to_string(), "reaped");
        last_error.map_or(Ok(report), Err)
    }

    /// The candidate that an index entry names, if it is still due. The index is eventually
    /// consistent, so the item itself decides.
    async fn candidate(&self, name: &str, now: u64) -> Result<Option<Candidate>, Error> {
        if let Some(Ok(video)) = name.strip_prefix(UPLOAD).map(str::parse) {
            let record = self.uploads.find(&video).await?.filter(|record| is_due(record, now));
            return Ok(record.map(|record| Candidate::Upload(record.into())));
        }
        let Some(reference) = name.strip_prefix(INTENT).and_then(Reference::parse) else { return Ok(None) };
        let is_due = self.uploads.is_intent_due(&reference, now, now.saturating_sub(POSTPONED_SECONDS)).await?;
        Ok(is_due.then_some(Candidate::Intent(reference)))
    }

    /// Finds the video of an open intent, and deletes it if it has neither an upload nor a file.
    async fn reap_intent(&self, reference: &Reference, report: &mut Report, now: u64) -> Result<(), Error> {
        let found = self.brightcove.find_by_reference(reference, self.pace().await).await?;
        if let Some((video, false)) = found
            && !self.uploads.exists(&video).await?
        {
            if !report.dry_run && self.brightcove.delete(&video, self.pace().await).await? == Deletion::Refused {
                self.uploads.postpone_intent(reference, now).await?;
                report.kept.push(video.to_string());
                return Ok(());
            }
            report.reaped.push(video.to_string());
        }
        if report.dry_run { Ok(()) } else { self.uploads.close_intent(reference).await }
    }

    async fn reap_upload(&self, record: &Record, report: &mut Report, now: u64) -> Result<(), Error> {
        let video = record.video.to_string();
        match self.action(record).await? {
            Action::Close(state) => {
                if !report.dry_run {
                    self.uploads.close(record, state).await?;
                }
                report.closed.push(video);
            }
            Action::Delete if report.dry_run => report.reaped.push(video),
            Action::Delete => match self.brightcove.delete(&record.video, self.pace().await).await? {
                Deletion::Deleted => {
                    self.uploads.close(record, State::Reaped).await?;
                    report.reaped.push(video);
                }
                Deletion::Refused => {
                    self.postpone(record, now).await?;
                    report.kept.push(video);
                }
            },
        }
        Ok(())
    }

    async fn action(&self, record: &Record) -> Result<Action, Error> {
        match self.brightcove.is_complete(&record.video, self.pace().await).await? {
            None => return Ok(Action::Close(State::Reaped)),
            Some(true) => return Ok(Action::Close(State::Done)),
            Some(false) => {}
        }
        let jobs = self.brightcove.jobs(&record.video, self.pace().await).await?;
        Ok(if jobs.is_empty() { Action::Delete } else { Action::Close(State::Ingested) })
    }

    /// Postpones an upload whose video could not be deleted.
    async fn postpone(&self, record: &Record, now: u64) -> Result<(), Error> {
        // Its credentials have expired, so they need not be stored any longer.
        self.uploads.write(record, Change::default().set("noted_at", n(now)).remove("sealed")).await?;
        Ok(())
    }

    /// Waits for the request interval, and returns the deadline of the next request.
    async fn pace(&self) -> Instant {
        tokio::time::sleep(self.request_interval).await;
        Instant::now() + REQUEST_TIMEOUT
    }
}

/// Whether an upload has expired, is not leased, and was not postponed within a day.
fn is_due(record: &Record, now: u64) -> bool {
    let is_free = record.lease_until.is_none_or(|end| end <= now);
    let is_postponed = record.noted_at.is_some_and(|at| now < at + POSTPONED_SECONDS);
    record.unfinished && record.expires_at < now && is_free && !is_postponed
}
