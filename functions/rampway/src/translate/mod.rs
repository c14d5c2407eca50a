//! The file translator: a file of separated values in, the same file with two more columns out.
//!
//! The bytes of a row are never rewritten, only added to: quotes, encodings and line endings come out as they went in.
//! Memory is bounded whatever the size of the file, several requests are in flight, and rows keep their order.

mod batch;
mod column;
mod error;
mod output;
mod progress;
mod rows;
mod summary;
mod weight;

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufReader},
    num::NonZero,
    panic::resume_unwind,
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

use shared::identity::Domain;
use tokio::task::JoinHandle;

use crate::client::{self, Client, Outcomes};
use batch::{Batch, Planner};
pub use column::Column;
pub use error::{Error, Fault};
use output::Output;
use progress::Progress;
use rows::Rows;
pub use summary::Summary;

/// What a request may weigh at most, by default: as the event that a Lambda function gets, which may have 6 MB.
pub const REQUEST_BYTES: usize = 5_000_000;

/// What to translate, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The file to read.
    pub input: PathBuf,
    /// The file to write.
    pub output: PathBuf,
    /// The column that holds the ids; a named one says that the file has a header.
    pub column: Column,
    /// The domain to translate into.
    pub target: Domain,
    /// What separates the columns.
    pub delimiter: u8,
    /// How many requests may be under way at once.
    pub in_flight: NonZero<usize>,
    /// What a request may weigh at most, as a Lambda event.
    pub request_bytes: usize,
    /// Whether to show a progress bar, if there is a terminal to show it on.
    pub progress: bool,
}

/// Translates a file. Until everything has succeeded there is nothing under the output's name.
pub async fn translate(client: Client, options: &Options) -> Result<Summary, Error> {
    let start = Instant::now();
    let input = |fault| Error::Input { file: options.input.clone(), fault };
    let (file, bytes) = open(options).map_err(|cause| input(cause.into()))?;
    let mut output = Output::create(&options.input, &options.output)?;
    let progress = Progress::new(bytes, options.progress);

    let rows = Rows::new(BufReader::with_capacity(1 << 18, file), options.delimiter).map_err(input)?;
    let (mut planner, head) = Planner::new(rows, options).map_err(input)?;
    output.write(&head)?;

    let client = Arc::new(client);
    let mut summary = Summary::default();
    let mut under_way = VecDeque::with_capacity(options.in_flight.get());
    loop {
        while under_way.len() < options.in_flight.get()
            && let Some(batch) = planner.next_batch().map_err(input)?
        {
            under_way.push_back(Request::send(&client, batch));
        }
        let Some(request) = under_way.pop_front() else { break };
        let answer = request.answer().await;
        let (batch, outcomes) = answer.map_err(|cause| Error::Server { output: options.output.clone(), cause })?;
        output.write(&batch.render(&outcomes, options.delimiter, &mut summary))?;
        progress.advance(batch.bytes(), summary.rows());
        // Where the server is faster than we are nothing here ever waits, and whoever wants to stop us would not be heard.
        tokio::task::yield_now().await;
    }
    output.finish()?;
    progress.finish();
    summary.finish(options, start.elapsed());
    Ok(summary)
}

/// Opens the input; a folder can be opened too, and is refused here rather than at the first read.
fn open(options: &Options) -> io::Result<(File, u64)> {
    let file = File::open(&options.input)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok((file, metadata.len()))
}

/// A batch whose ids are being translated; dropping it calls the request off.
struct Request(JoinHandle<Result<(Batch, Outcomes), client::Error>>);

impl Request {
    fn send(client: &Arc<Client>, batch: Batch) -> Self {
        let client = client.clone();
        Self(tokio::spawn(async move {
            let outcomes = client.translate(batch.ids()).await?;
            Ok((batch, outcomes))
        }))
    }

    async fn answer(mut self) -> Result<(Batch, Outcomes), client::Error> {
        (&mut self.0).await.unwrap_or_else(|error| resume_unwind(error.into_panic()))
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests;
