//! Faults and delays that tests inject.

use std::{collections::BTreeMap, time::Duration};

use axum::http::StatusCode;

use super::call::Call;

/// A fault of one call.
#[derive(Clone, Debug)]
pub(super) enum InjectedFault {
    /// The call has no effect, and returns this response.
    Refuse {
        /// The status.
        status: StatusCode,
        /// The body.
        body: String,
    },
    /// The call has its effect, and returns this response instead of its own.
    ReplaceResponse {
        /// The status.
        status: StatusCode,
        /// The body.
        body: String,
    },
    /// The call has its effect, and returns 504 as if its response had been lost.
    DropResponse,
}

/// What is injected into a call.
pub(super) struct CallPlan {
    pub(super) delay: Duration,
    pub(super) fault: Option<InjectedFault>,
}

/// The faults and delays of the calls to come, and the number of those that came.
#[derive(Default)]
pub(super) struct Faults {
    pending: Vec<(Call, InjectedFault)>,
    delays: BTreeMap<Call, Duration>,
    requests: BTreeMap<Call, usize>,
}

impl Faults {
    /// Counts a call, and takes its first pending fault.
    pub(super) fn plan(&mut self, call: Call) -> CallPlan {
        *self.requests.entry(call).or_default() += 1;
        let index = self.pending.iter().position(|(of, _)| *of == call);
        let delay = self.delays.get(&call).copied().unwrap_or_default();
        CallPlan { delay, fault: index.map(|index| self.pending.remove(index).1) }
    }

    pub(super) fn inject(&mut self, call: Call, times: usize, fault: InjectedFault) {
        self.pending.extend(std::iter::repeat_n((call, fault), times));
    }

    pub(super) fn clear(&mut self) {
        self.pending.clear();
    }

    pub(super) fn delay(&mut self, call: Call, delay: Duration) {
        self.delays.insert(call, delay);
    }

    pub(super) fn requests(&self, call: Call) -> usize {
        self.requests.get(&call).copied().unwrap_or_default()
    }
}
