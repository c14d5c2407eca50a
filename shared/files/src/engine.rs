//! The pipeline: one thread reads and parses, requests are under way and their rows rendered on all cores, one thread writes.
//!
//! Each step waits for the next: no more rows are in memory than `ROOM` allows, and rows leave in the order in which they came.

use std::{collections::VecDeque, panic::resume_unwind, sync::Arc, thread};

use tokio::{
    runtime::Handle,
    sync::{
        Semaphore,
        mpsc::{self, Sender},
        oneshot,
    },
    task::{JoinHandle, spawn_blocking},
};

use super::{
    Fault,
    part::Part,
    progress::Progress,
    reader::Reader,
    render::{Rendered, Renderer},
    writing::{Failed, Next, Written},
};
use client::Client;

/// How many kilobytes of rows may be on their way. As they are read, asked for, answered and rendered they take about four times that.
const ROOM: u32 = 32 << 10;

/// Parts that wait to be written: while the writer copies the columns of a row group, the others work on.
const QUEUE: usize = 8;

/// Why a run did not come to its end.
pub(super) enum Stop {
    Fault(Fault),
    Server(client::Error),
    Writing(Failed),
    User,
}

/// What drives a run.
pub(super) struct Engine {
    pub(super) client: Arc<Client>,
    pub(super) renderer: Arc<Renderer>,
    pub(super) in_flight: usize,
    pub(super) progress: Progress,
    /// Where the reader is in the input.
    pub(super) position: Box<dyn Fn() -> Option<u64> + Send + Sync>,
}

/// A part whose ids are being translated; dropping it calls the request off.
struct Request(JoinHandle<Result<Rendered, Stop>>);

impl Engine {
    /// Runs until all is written, or something or somebody stops it. What is written then is told with the reason.
    pub(super) async fn run(
        self,
        reader: Reader,
        write: impl FnOnce(mpsc::Receiver<Next>) -> Result<Written, Failed> + Send + 'static,
        stop: impl Future<Output = ()>,
    ) -> Result<Written, (Stop, Option<u64>)> {
        let (rows, to_write) = mpsc::channel(QUEUE);
        let writing = spawn_blocking(move || write(to_write));
        let stopped = self.drive(reader, &rows, stop).await;
        let last = match &stopped {
            Ok(()) => Some(Next::End),
            Err(Stop::Fault(fault)) if !fault.may_pass() => Some(Next::Discard),
            Err(_) => None,
        };
        if let Some(last) = last {
            // A writer that has failed says so itself.
            let _ = rows.send(last).await;
        }
        drop(rows);
        let written = writing.await.unwrap_or_else(|error| resume_unwind(error.into_panic()));
        self.progress.finish();
        match (stopped, written) {
            (Ok(()), Ok(written)) => Ok(written),
            (_, Err(failed)) => {
                let left = failed.left;
                Err((Stop::Writing(failed), left))
            }
            (Err(stop), Ok(Written::Left(left))) => Err((stop, left)),
            (Err(stop), Ok(Written::Finished { .. })) => Err((stop, None)),
        }
    }

    async fn drive(&self, reader: Reader, rows: &Sender<Next>, stop: impl Future<Output = ()>) -> Result<(), Stop> {
        let (mut parts, mut read) = spawn_reader(reader);
        let mut under_way: VecDeque<Request> = VecDeque::with_capacity(self.in_flight);
        let mut all_read = false;
        let mut stop = std::pin::pin!(stop);
        while !all_read || !under_way.is_empty() {
            tokio::select! {
                biased;
                () = &mut stop => return Err(Stop::User),
                part = parts.recv(), if !all_read && under_way.len() < self.in_flight => if let Some(part) = part {
                    under_way.push_back(self.request(part));
                } else {
                    all_read = true;
                    // A thread that panics says nothing.
                    let fault = (&mut read).await.unwrap_or_else(|_| Err(Fault::Read(std::io::Error::other("the reader failed"))));
                    fault.map_err(Stop::Fault)?;
                },
                rendered = answer(&mut under_way), if !under_way.is_empty() => {
                    let rendered = rendered?;
                    self.progress.advance((self.position)().unwrap_or(rendered.after.rows), rendered.after.rows);
                    if rows.send(Next::Rows(Box::new(rendered))).await.is_err() {
                        // The writer has failed, and says why.
                        return Err(Stop::User);
                    }
                }
            }
        }
        Ok(())
    }

    fn request(&self, part: Part) -> Request {
        let (client, renderer) = (self.client.clone(), self.renderer.clone());
        Request(tokio::spawn(async move {
            let outcomes = client.translate(&part.ids).await.map_err(Stop::Server)?;
            let rows = spawn_blocking(move || renderer.render(part, &outcomes)).await;
            rows.unwrap_or_else(|error| resume_unwind(error.into_panic())).map_err(Stop::Fault)
        }))
    }
}

/// What became of the request that was sent first.
async fn answer(under_way: &mut VecDeque<Request>) -> Result<Rendered, Stop> {
    let Some(Request(first)) = under_way.front_mut() else { return std::future::pending().await };
    let answer = first.await.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    under_way.pop_front();
    answer
}

impl Drop for Request {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads on a thread of its own: a read from standard input may never return, and nobody has to wait for it.
fn spawn_reader(mut reader: Reader) -> (mpsc::Receiver<Part>, oneshot::Receiver<Result<(), Fault>>) {
    let (parts, received) = mpsc::channel(1);
    let (say, said) = oneshot::channel();
    let (room, handle) = (Arc::new(Semaphore::new(ROOM as usize)), Handle::current());
    thread::spawn(move || {
        let mut read = || -> Result<(), Fault> {
            while let Some(mut part) = reader.next()? {
                let kilobytes = u32::try_from(part.text.len() >> 10).unwrap_or(ROOM).clamp(64, ROOM);
                // The semaphore is never closed.
                part.room = handle.block_on(room.clone().acquire_many_owned(kilobytes)).ok();
                if parts.blocking_send(part).is_err() {
                    break;
                }
            }
            Ok(())
        };
        let result = read();
        drop(parts);
        // Whoever stopped the run does not listen.
        let _ = say.send(result);
    });
    (received, said)
}
