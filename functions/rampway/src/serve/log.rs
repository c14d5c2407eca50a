//! What the processes say, each line with the name of who says it.

use tokio::{
    io::{AsyncBufReadExt, AsyncRead, BufReader},
    process::Child,
};

/// Where the processes' lines go: to standard error, or nowhere.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    shown: bool,
}

impl Log {
    /// A log that is shown or not.
    pub const fn new(shown: bool) -> Self {
        Self { shown }
    }

    /// Writes a line.
    pub fn line(self, who: &str, line: &str) {
        if self.shown {
            eprintln!("{who:>20} | {line}");
        }
    }

    /// Follows what a process writes.
    pub fn follow(self, who: &str, child: &mut Child) {
        if let Some(out) = child.stdout.take() {
            self.read(who, out);
        }
        if let Some(err) = child.stderr.take() {
            self.read(who, err);
        }
    }

    fn read(self, who: &str, from: impl AsyncRead + Send + Unpin + 'static) {
        let who = who.to_owned();
        tokio::spawn(async move {
            let mut lines = BufReader::new(from).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                self.line(&who, &line);
            }
        });
    }
}
