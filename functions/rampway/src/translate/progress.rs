//! A bar for whoever waits at a terminal.

use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// How far the translation is.
#[derive(Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar over a file's `bytes`. Indicatif draws on standard error, and nothing where that is not a terminal.
    pub(super) fn new(bytes: u64, shown: bool) -> Self {
        if !shown {
            return Self(ProgressBar::hidden());
        }
        let style =
            ProgressStyle::with_template("{wide_bar} {percent:>3}%  {msg}").expect("the template is a constant, and a test draws it");
        let bar = ProgressBar::new(bytes).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Tells of `bytes` more, which makes `rows` in all.
    pub(super) fn advance(&self, bytes: u64, rows: u64) {
        self.0.inc(bytes);
        let seconds = self.0.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
        let rate = (rows as f64 / seconds) as u64;
        let left = HumanDuration(self.0.eta());
        self.0.set_message(format!("{} rows, {}/s, {left:#} left", HumanCount(rows), HumanCount(rate)));
    }

    pub(super) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    /// An error is not written into the middle of a bar.
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        let progress = Progress::new(100, true);
        progress.advance(50, 10);
        assert_eq!(progress.0.position(), 50);
    }
}
