//! The state of an account.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use super::{fault_injection::Faults, job::Job, video::Video};
use crate::aws::s3::Grant;

/// The vendor's rate limit of an account.
const MAX_REQUESTS_PER_SECOND: usize = 20;

/// The vendor's rate limit of ingest requests for a video.
const MAX_INGESTS_PER_MINUTE: usize = 10;

/// The state of an account.
#[derive(Default)]
pub(super) struct State {
    pub(super) videos: BTreeMap<String, Video>,
    pub(super) jobs: Vec<Job>,
    pub(super) last_video_id: i128,
    /// The id of the next video, when a test sets it.
    pub(super) next_video_id: Option<i128>,
    /// Access tokens and when they expire.
    pub(super) tokens: BTreeMap<String, Instant>,
    /// The OAuth scopes that the client lacks.
    pub(super) revoked_scopes: BTreeSet<String>,
    /// The credentials that were issued last for each video's upload.
    pub(super) grants: BTreeMap<String, Grant>,
    /// The times of the requests of the last second.
    recent_requests: VecDeque<Instant>,
    /// The times of the ingest requests of the last minute, by video.
    recent_ingests: BTreeMap<String, VecDeque<Instant>>,
    pub(super) has_no_rate_limits: bool,
    pub(super) jobs_are_held: bool,
    pub(super) faults: Faults,
}

impl State {
    /// The video of a `reference_id`.
    pub(super) fn video_by_reference(&self, reference: &str) -> Option<&Video> {
        self.videos.values().find(|video| video.created["reference_id"] == reference)
    }

    /// Whether the rate limit of requests allows one more, which is then counted.
    pub(super) fn admit_request(&mut self, now: Instant) -> bool {
        self.has_no_rate_limits || admit(&mut self.recent_requests, now, Duration::from_secs(1), MAX_REQUESTS_PER_SECOND)
    }

    /// Whether the rate limit of a video's ingest requests allows one more, which is then counted.
    pub(super) fn admit_ingest(&mut self, video: &str, now: Instant) -> bool {
        let recent = self.recent_ingests.entry(video.to_owned()).or_default();
        self.has_no_rate_limits || admit(recent, now, Duration::from_mins(1), MAX_INGESTS_PER_MINUTE)
    }

    /// The id for a new video.
    pub(super) fn allocate_video_id(&mut self, now_milliseconds: i128) -> String {
        // Ids are as long as the vendor's. Uploads outlive the stand-in, so the ids of an earlier
        // start are skipped.
        let next = self.next_video_id.take();
        self.last_video_id = next.unwrap_or_else(|| (self.last_video_id + 1).max(now_milliseconds));
        self.last_video_id.to_string()
    }
}

fn admit(recent: &mut VecDeque<Instant>, now: Instant, period: Duration, limit: usize) -> bool {
    while recent.front().is_some_and(|earlier| now.duration_since(*earlier) >= period) {
        recent.pop_front();
    }
    let is_admitted = recent.len() < limit;
    if is_admitted {
        recent.push_back(now);
    }
    is_admitted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_requests_per_second_are_admitted() {
        let (mut state, now) = (State::default(), Instant::now());
        assert_eq!((0..25).filter(|_| state.admit_request(now)).count(), 20);
        assert!(state.admit_request(now + Duration::from_secs(1)));
    }
}
