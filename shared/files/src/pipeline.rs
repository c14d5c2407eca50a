//! The pipeline: one thread reads and parses, several requests are in flight and their rows are
//! rendered on all cores, and one thread writes.
//!
//! Every stage applies backpressure: at most [`MAX_BUFFERED_KIB`] of rows are buffered. Rows are
//! written in the input's order.

use std::{collections::VecDeque, io, panic::resume_unwind, sync::Arc, thread};

use client::Client;
use tokio::{
    runtime::Handle,
    sync::{
        Semaphore,
        mpsc::{self, Sender},
        oneshot,
    },
    task::{JoinHandle, spawn_blocking},
};

use crate::{
    checkpoint::{Finished, WriteError, WriteOutcome},
    chunk::Chunk,
    error::{Error, ResumeHint},
    input::InputDigest,
    input_error::InputError,
    options::Options,
    progress::Progress,
    reader::Reader,
    render::Renderer,
    rendered::{Message, Rendered},
};

/// Maximum size of the rows in the pipeline as they are read, in KiB. With their requests,
/// responses and rendered form they take about four times as much.
const MAX_BUFFERED_KIB: u32 = 32 << 10;
/// What the smallest chunk counts for, in KiB.
const MIN_CHUNK_KIB: u32 = 64;
/// Maximum number of rendered chunks that wait for the writer. Requests continue while it copies
/// the columns of a row group.
const MAX_QUEUED_CHUNKS: usize = 8;

/// Reads, translates, renders and writes rows.
pub(crate) struct Pipeline {
    client: Arc<Client>,
    renderer: Arc<Renderer>,
    in_flight: usize,
    progress: Progress,
    /// Counts the bytes that have been read, if they measure the progress. Otherwise rows do.
    bytes_read: Option<InputDigest>,
}

/// A run ended early.
pub(crate) struct Stopped {
    cause: StopCause,
    /// The number of rows that a later run can resume after.
    kept_rows: Option<u64>,
}

enum StopCause {
    Input(InputError),
    Server(client::Error),
    Output(io::Error),
    /// The caller's `stop` future is ready.
    Caller,
}

/// A chunk whose ids are being translated. Dropping it aborts the request.
struct InFlight(JoinHandle<Result<Rendered, StopCause>>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Stopped {
    pub(crate) fn into_error(self, options: &Options) -> Error {
        let (output, resume) = (options.output.to_string(), ResumeHint(self.kept_rows));
        match self.cause {
            StopCause::Input(cause) => Error::input(&options.input, cause),
            StopCause::Server(cause) => Error::Server { output, cause, resume },
            StopCause::Output(cause) => Error::Output { file: output, cause, resume },
            StopCause::Caller => Error::Stopped { output, resume },
        }
    }
}

impl Pipeline {
    /// A pipeline whose progress bar counts the input's `rows` if it states them, else its bytes.
    pub(crate) fn new(client: Arc<Client>, renderer: Renderer, options: &Options, rows: Option<u64>, digest: &InputDigest) -> Self {
        Self {
            client,
            renderer: Arc::new(renderer),
            in_flight: options.in_flight.get(),
            progress: Progress::of(options, rows),
            bytes_read: rows.is_none().then(|| digest.clone()),
        }
    }

    /// Runs until all rows are written, or until an error or `stop` ends the run.
    pub(crate) async fn run(
        self,
        reader: Reader,
        write: impl FnOnce(mpsc::Receiver<Message>) -> Result<WriteOutcome, WriteError> + Send + 'static,
        stop: impl Future<Output = ()>,
    ) -> Result<Finished, Stopped> {
        let (messages, received) = mpsc::channel(MAX_QUEUED_CHUNKS);
        let writer = spawn_blocking(move || write(received));
        let ended = self.drive(reader, &messages, stop).await;
        let last = match &ended {
            Ok(()) => Some(Message::End),
            Err(StopCause::Input(cause)) if !cause.is_transient() => Some(Message::Discard),
            Err(_) => None,
        };
        if let Some(last) = last {
            // If the writer has failed, it returns the error below.
            let _ = messages.send(last).await;
        }
        drop(messages);
        let written = writer.await.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        self.progress.finish();
        match (ended, written) {
            (Ok(()), Ok(WriteOutcome::Finished(finished))) => Ok(finished),
            (Ok(()), Ok(WriteOutcome::Suspended(kept_rows))) => Err(Stopped { cause: StopCause::Caller, kept_rows }),
            (_, Err(WriteError { cause, kept_rows })) => Err(Stopped { cause: StopCause::Output(cause), kept_rows }),
            (Err(cause), Ok(WriteOutcome::Suspended(kept_rows))) => Err(Stopped { cause, kept_rows }),
            (Err(cause), Ok(WriteOutcome::Finished(_))) => Err(Stopped { cause, kept_rows: None }),
        }
    }

    async fn drive(&self, reader: Reader, messages: &Sender<Message>, stop: impl Future<Output = ()>) -> Result<(), StopCause> {
        let (mut chunks, mut read_result) = spawn_reader(reader);
        let mut in_flight: VecDeque<InFlight> = VecDeque::with_capacity(self.in_flight);
        let mut all_read = false;
        let mut stop = std::pin::pin!(stop);
        while !all_read || !in_flight.is_empty() {
            tokio::select! {
                biased;
                () = &mut stop => return Err(StopCause::Caller),
                chunk = chunks.recv(), if !all_read && in_flight.len() < self.in_flight => if let Some(chunk) = chunk {
                    in_flight.push_back(self.translate(chunk));
                } else {
                    all_read = true;
                    // A thread that panics drops the sender.
                    let result = (&mut read_result).await.unwrap_or_else(|_| Err(io::Error::other("the reader panicked").into()));
                    result.map_err(StopCause::Input)?;
                },
                rendered = first_rendered(&mut in_flight), if !in_flight.is_empty() => {
                    let rendered = rendered?;
                    let rows = rendered.after.rows;
                    self.progress.advance(self.bytes_read.as_ref().map_or(rows, InputDigest::bytes), rows);
                    if messages.send(Message::Rows(Box::new(rendered))).await.is_err() {
                        // The writer has failed, and its error replaces this cause.
                        return Err(StopCause::Caller);
                    }
                }
            }
        }
        Ok(())
    }

    fn translate(&self, chunk: Chunk) -> InFlight {
        let (client, renderer) = (self.client.clone(), self.renderer.clone());
        InFlight(tokio::spawn(async move {
            let outcomes = client.translate(&chunk.ids).await.map_err(StopCause::Server)?;
            let rows = spawn_blocking(move || renderer.render(chunk, &outcomes)).await;
            rows.unwrap_or_else(|error| resume_unwind(error.into_panic())).map_err(StopCause::Input)
        }))
    }
}

/// Waits for the request that was sent first.
async fn first_rendered(in_flight: &mut VecDeque<InFlight>) -> Result<Rendered, StopCause> {
    let Some(InFlight(first)) = in_flight.front_mut() else { return std::future::pending().await };
    let rendered = first.await.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    in_flight.pop_front();
    rendered
}

/// Reads on a detached thread: a read from standard input may never return, and must not delay the
/// end of a run.
fn spawn_reader(mut reader: Reader) -> (mpsc::Receiver<Chunk>, oneshot::Receiver<Result<(), InputError>>) {
    let (chunks, received) = mpsc::channel(1);
    let (result_sender, result) = oneshot::channel();
    let (buffered, runtime) = (Arc::new(Semaphore::new(MAX_BUFFERED_KIB as usize)), Handle::current());
    thread::spawn(move || {
        let mut read = || -> Result<(), InputError> {
            while let Some(mut chunk) = reader.next()? {
                let kib = u32::try_from(chunk.text.len() >> 10).unwrap_or(MAX_BUFFERED_KIB).clamp(MIN_CHUNK_KIB, MAX_BUFFERED_KIB);
                // The semaphore is never closed.
                chunk.permit = runtime.block_on(buffered.clone().acquire_many_owned(kib)).ok();
                if chunks.blocking_send(chunk).is_err() {
                    break;
                }
            }
            Ok(())
        };
        let read = read();
        drop(chunks);
        // A run that was stopped has dropped the receiver.
        let _ = result_sender.send(read);
    });
    (received, result)
}
