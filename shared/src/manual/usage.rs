//! # Why usage is exact
//!
//! The proxy counts an answer before it gives it out, in a DynamoDB transaction with a request token: an SDK's repetition counts once. An
//! instance that dies with a request has answered nothing, so nothing was counted; the repetition's answer is counted. What the caller gets
//! was counted once. (An answer that is lost between the proxy and the caller was counted, as it was translated.)
//!
//! Processes count in items of their own and never contend. The report of a minute is its sum over all processes; the authority keeps the
//! larger of two reports, so a repeated report, and one with a latecomer's count, are right. An item is marked as reported on the condition that
//! its count is the one that was sent, and takes no counts after that.
