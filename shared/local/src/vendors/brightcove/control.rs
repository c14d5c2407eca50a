//! What tests order to go wrong, and what they look at afterwards.

use std::time::{Duration, Instant};

use axum::http::StatusCode;

use super::{Brightcove, Call, Desk, Job, Video};

/// What goes wrong with a call.
#[derive(Clone, Debug)]
pub(super) enum Wrong {
    /// It is refused, and nothing is done.
    Refuse {
        /// The status.
        status: StatusCode,
        /// The body.
        body: String,
    },
    /// It is done, and the answer is lost on its way.
    Lose,
}

/// What becomes of a call.
pub(super) struct Fate {
    pub(super) delay: Duration,
    pub(super) wrong: Option<Wrong>,
}

impl Desk {
    /// Counts a call, and takes the order for it.
    pub(super) fn fate(&mut self, call: Call) -> Fate {
        *self.asked.entry(call).or_default() += 1;
        let order = self.wrong.iter().position(|(ordered, _)| *ordered == call);
        let delay = self.slow.get(&call).copied().unwrap_or_default();
        Fate { delay, wrong: order.map(|order| self.wrong.remove(order).1) }
    }
}

impl Brightcove {
    /// Refuses the next calls of a kind, with a status and a body.
    ///
    /// # Panics
    /// When the status is none.
    pub fn refuse(&self, call: Call, times: usize, status: u16, body: &str) {
        let status = StatusCode::from_u16(status).expect("a status has three digits");
        let wrong = Wrong::Refuse { status, body: body.into() };
        self.desk().wrong.extend(std::iter::repeat_n((call, wrong), times));
    }

    /// Does the next calls of a kind, and answers 504 instead of what came of them.
    pub fn lose(&self, call: Call, times: usize) {
        self.desk().wrong.extend(std::iter::repeat_n((call, Wrong::Lose), times));
    }

    /// Forgets the orders to refuse and to lose.
    pub fn relent(&self) {
        self.desk().wrong.clear();
    }

    /// Takes its time with every call of a kind; none at all is the end of that.
    pub fn slow(&self, call: Call, delay: Duration) {
        self.desk().slow.insert(call, delay);
    }

    /// Ends all access tokens.
    pub fn revoke_tokens(&self) {
        let now = Instant::now();
        self.desk().tokens.values_mut().for_each(|end| *end = now);
    }

    /// Takes a permission from the client, such as `video-cloud/video/create`.
    pub fn withhold(&self, scope: &str) {
        self.desk().withheld.insert(scope.into());
    }

    /// Gives a permission back.
    pub fn grant(&self, scope: &str) {
        self.desk().withheld.remove(scope);
    }

    /// Ends the credentials of a video's uploads.
    pub fn expire_credentials(&self, video: &str) {
        self.0.bucket.grants().expire(&format!("{}/{video}/", self.account()));
    }

    /// Holds jobs back before they begin, or lets them go on.
    pub fn hold_jobs(&self, held: bool) {
        self.desk().held = held;
    }

    /// Removes a video, as somebody in the vendor's studio would.
    pub fn remove(&self, video: &str) {
        self.desk().videos.remove(video);
    }

    /// Every video there is.
    #[must_use]
    pub fn videos(&self) -> Vec<Video> {
        self.desk().videos.values().cloned().collect()
    }

    /// Every job there was, the oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<Job> {
        self.desk().jobs.clone()
    }

    /// How many calls of a kind came, whatever became of them.
    #[must_use]
    pub fn requests(&self, call: Call) -> usize {
        self.desk().asked.get(&call).copied().unwrap_or_default()
    }
}
