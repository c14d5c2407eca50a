//! The part of the state that outlives the stand-in: videos, jobs, and the credentials of open
//! uploads.

use serde::{Deserialize, Serialize};

use super::{job::Job, jobs, stand_in::Brightcove, video::Video};
use crate::aws::s3::StoredGrant;

#[derive(Default, Deserialize, Serialize)]
struct StoredState {
    videos: Vec<Video>,
    jobs: Vec<Job>,
    grants: Vec<StoredGrant>,
}

impl Brightcove {
    /// Serializes the state for the next start. It contains secrets.
    pub(crate) fn stored(&self) -> Vec<u8> {
        let stored = StoredState { videos: self.videos(), jobs: self.jobs(), grants: self.bucket().stored_grants() };
        serde_json::to_vec(&stored).expect("strings and numbers serialize")
    }

    /// Restores the state of an earlier start, and continues its running jobs.
    pub(crate) fn restore(&self, stored: &[u8]) -> Result<(), serde_json::Error> {
        let StoredState { videos, jobs, grants } = serde_json::from_slice(stored)?;
        self.bucket().restore_grants(grants);
        let running: Vec<Job> = jobs.iter().filter(|job| job.is_running()).cloned().collect();
        {
            let mut state = self.state();
            state.videos.extend(videos.into_iter().map(|video| (video.id.clone(), video)));
            state.jobs.extend(jobs);
        }
        for job in running {
            jobs::start(self, job);
        }
        Ok(())
    }
}
