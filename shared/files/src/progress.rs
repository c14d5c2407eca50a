//! A bar for whoever waits at a terminal.

use std::time::Duration;

use indicatif::{HumanCount, HumanDuration, ProgressBar, ProgressStyle};

/// How far the translation is.
#[derive(Clone, Debug)]
pub(super) struct Progress(ProgressBar);

impl Progress {
    /// A bar over the input's length, where that is known. Indicatif draws on standard error, and nothing where that is not a terminal.
    pub(super) fn new(length: Option<u64>, shown: bool) -> Self {
        if !shown {
            return Self(ProgressBar::hidden());
        }
        let template = if length.is_some() { "{wide_bar} {percent:>3}%  {msg}" } else { "{spinner} {msg}" };
        let style = ProgressStyle::with_template(template).expect("the template is a constant, and a test draws it");
        let bar = length.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(bar)
    }

    /// Tells of the position in the input, and of `rows` in all.
    pub(super) fn advance(&self, position: u64, rows: u64) {
        self.0.set_position(position);
        let seconds = self.0.elapsed().as_secs_f64().max(0.001);
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
        let rate = (rows as f64 / seconds) as u64;
        let left = if self.0.length().is_some() { format!(", {:#} left", HumanDuration(self.0.eta())) } else { String::new() };
        self.0.set_message(format!("{} rows, {}/s{left}", HumanCount(rows), HumanCount(rate)));
    }

    /// Takes the bar away: nothing is written into the middle of it.
    pub(super) fn finish(&self) {
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
