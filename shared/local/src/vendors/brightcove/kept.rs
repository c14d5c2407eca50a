//! What is kept from one start to the next: videos, jobs, and the credentials of uploads that are under way.

use serde::{Deserialize, Serialize};

use super::{Brightcove, Job, Video};
use crate::aws::s3::Kept as Grant;

/// The videos, jobs and credentials of a start.
#[derive(Default, Deserialize, Serialize)]
struct Kept {
    videos: Vec<Video>,
    jobs: Vec<Job>,
    grants: Vec<Grant>,
}

impl Brightcove {
    /// What the next start is to know. It holds secrets.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let kept = Kept { videos: self.videos(), jobs: self.jobs(), grants: self.0.bucket.grants().kept() };
        serde_json::to_vec(&kept).expect("text and numbers are JSON")
    }

    /// Goes on where an earlier start was stopped.
    pub(super) fn restore(&self, kept: &[u8]) -> Result<(), serde_json::Error> {
        let Kept { videos, jobs, grants } = serde_json::from_slice(kept)?;
        self.0.bucket.grants().restore(grants);
        let running: Vec<Job> = jobs.iter().filter(|job| job.is_running()).cloned().collect();
        {
            let mut desk = self.desk();
            desk.videos.extend(videos.into_iter().map(|video| (video.id.clone(), video)));
            desk.jobs.extend(jobs);
        }
        for job in running {
            self.begin(job);
        }
        Ok(())
    }
}
