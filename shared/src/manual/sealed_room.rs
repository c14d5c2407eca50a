//! # Why the transcoder is a crate without a network
//!
//! Domain keys exist in the clear in the authority's account and in the transcoder's memory, nowhere else. SageMaker isolates the container's
//! network; that the program has no way to call out is a matter of its dependency tree, which a house test holds: it depends on `shared` and a
//! server, on no AWS SDK and no HTTP client. Boundaries that must hold are crates, because features unite across a workspace.
//!
//! What the container says about usage goes out in the answer's attributes; it cannot report by itself. Requests without a smart token are
//! served only under an init token from the model directory, which is how batch transform gets its keys: there the job's own life is the
//! token's life.
