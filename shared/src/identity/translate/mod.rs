//! Translation of a batch: many ids at a time, in order. A bad id does not affect the others.
//!
//! Ids are pushed, then drained. Pending ids are partitioned by direction and kind and stored in
//! columns, so the kernels ([`Kernel`]) process mixed batches as fast as uniform ones. Outcomes
//! come in the order of the pushes.

mod batch;
mod batched;
mod columns;
mod dispatch;
mod error;
#[cfg(target_arch = "x86_64")]
mod fused;
mod kernel;
mod outcomes;
mod partition;

pub use self::{
    batch::{Batch, CHUNK_IDS, Usage},
    error::{Error, IdError, MAX_DOMAIN_PAIRS, MAX_IDS},
    kernel::Kernel,
    outcomes::Outcomes,
};
