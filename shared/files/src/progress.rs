//! The progress bar.

use std::{fs, time::Duration};

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

use crate::options::Options;

/// A progress bar on standard error, which draws nothing if that is not a terminal.
#[derive(Clone, Debug)]
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// The bar of a run: over the input's `rows` if it states them, else over a local file's bytes.
    pub(crate) fn of(options: &Options, rows: Option<u64>) -> Self {
        let file_bytes = || Some(fs::metadata(options.input.local()?).ok()?.len());
        Self::new(rows.or_else(file_bytes), options.progress)
    }

    /// A bar over `length`, or a spinner if the length is unknown.
    fn new(length: Option<u64>, shown: bool) -> Self {
        if !shown {
            return Self(ProgressBar::hidden());
        }
        let template = if length.is_some() { "{wide_bar} {percent:>3}%  {msg}" } else { "{spinner} {msg}" };
        let style = ProgressStyle::with_template(template).expect("the template is a constant, and a test draws it");
        let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Updates the position in the input and the number of written rows.
    pub(crate) fn advance(&self, position: u64, rows: u64) {
        self.0.set_position(position);
        let seconds = self.0.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an approximate rate")]
        let rate = (rows as f64 / seconds) as u64;
        let remaining = if self.0.length().is_some() { format!(", {:#} left", HumanDuration(self.0.eta())) } else { String::new() };
        self.0.set_message(format!("{} rows, {}/s{remaining}", HumanCount(rows), HumanCount(rate)));
    }

    /// Clears the bar, so that it does not interleave with other output.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_can_be_drawn() {
        for length in [Some(100), None] {
            let progress = Progress::new(length, true);
            progress.advance(50, 10);
            assert_eq!(progress.0.position(), 50);
            progress.finish();
        }
    }
}
