//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::solver::Progress;

const LINE_EVERY: Duration = Duration::from_secs(3);

/// Shows how far a solver is.
pub struct ProgressReport {
    label: String,
    total: usize,
    /// Full scale of the residual: the largest level of the measurement, where it has levels.
    levels: Option<u32>,
    bar: ProgressBar,
    started: Instant,
    last_line: Instant,
}

impl ProgressReport {
    /// `levels`: the largest integer level of the measurement, for a residual in levels;
    /// none where the solver's measurement is signed video, as in inpainting with the
    /// published method.
    pub fn new(label: impl Into<String>, total: usize, levels: Option<u32>) -> Self {
        let bar = ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
        let style = "{prefix} {wide_bar} {pos}/{len}  {msg}  {eta} left";
        let label = label.into();
        bar.set_style(ProgressStyle::with_template(style).expect("the template is fixed"));
        bar.set_prefix(label.clone());
        let now = Instant::now();
        Self {
            label,
            total,
            levels,
            bar,
            started: now,
            last_line: now,
        }
    }

    pub fn update(&mut self, progress: &Progress) {
        if self.total != progress.total {
            self.total = progress.total;
            self.bar.set_length(progress.total as u64);
        }
        self.advance(progress.done, &residual(progress.residual_rms, self.levels));
    }

    /// For work that has no residual: `said` is what it is at.
    pub fn advance(&mut self, done: usize, said: &str) {
        self.bar.set_position(done as u64);
        self.bar.set_message(said.to_owned());
        if self.bar.is_hidden() && self.last_line.elapsed() >= LINE_EVERY {
            self.last_line = Instant::now();
            eprintln!("{}", self.line(done, said, self.started.elapsed()));
        }
    }

    fn line(&self, done: usize, said: &str, elapsed: Duration) -> String {
        let left = self.total.saturating_sub(done) as f64;
        let seconds = elapsed.as_secs_f64() / done.max(1) as f64 * left;
        format!(
            "{}: {done} of {}, {said}, about {} left",
            self.label,
            self.total,
            duration(seconds)
        )
    }

    /// Takes the bar away, so that what follows starts on a clean line.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}

/// `residual 0.31 levels`, or in units of the measurement where it has no levels.
pub fn residual(rms: f64, levels: Option<u32>) -> String {
    match levels {
        // A search may have no estimate yet.
        _ if !rms.is_finite() => "no residual yet".into(),
        Some(levels) => format!("residual {:.2} levels", rms * f64::from(levels)),
        None => format!("residual {rms:.2e}"),
    }
}

fn duration(seconds: f64) -> String {
    match seconds.round() as u64 {
        s @ 0..60 => format!("{s} s"),
        s @ 60..3600 => format!("{} min {:02} s", s / 60, s % 60),
        s => format!("{} h {:02} min", s / 3600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_and_how_long() {
        let report = ProgressReport::new("plane", 100, Some(255));
        let said = residual(1.0 / 255.0, report.levels);
        let line = report.line(25, &said, Duration::from_secs(30));
        assert_eq!(
            line,
            "plane: 25 of 100, residual 1.00 levels, about 1 min 30 s left"
        );
        assert_eq!(duration(7322.0), "2 h 02 min");
        assert_eq!(residual(0.001234, None), "residual 1.23e-3");
    }

    #[test]
    fn a_total_that_changes_is_taken_over() {
        let mut report = ProgressReport::new("plane", 100, None);
        report.update(&Progress {
            done: 40,
            total: 80,
            residual_rms: 0.01,
        });
        let line = report.line(40, "busy", Duration::from_secs(40));
        assert_eq!(line, "plane: 40 of 80, busy, about 40 s left");
    }
}
