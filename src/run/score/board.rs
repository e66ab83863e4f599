//! All rows together: what they say on average, as a table and as JSON.

use std::fmt::Write;

use serde::Serialize;

use super::case::Headline;
use super::marks::{Marks, ParameterMarks, Spread};
use super::row::Row;

/// Rivals in the order of the table's columns; others follow by name.
const RIVALS: [(&str, &str); 5] = [
    ("vdps", "VDPS"),
    ("dps", "DPS"),
    ("vdps_wo_ta", "VDPS w/o TA"),
    ("restormer", "Restormer"),
    ("vrt", "VRT"),
];

/// A case that could not be solved or read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Failure {
    pub clip: String,
    pub error: String,
}

/// How much closer ours is than a rival, over the clips that have both.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MeanGain {
    pub rival: String,
    pub clips: usize,
    pub mean_db: f64,
}

/// The mean over a task's clips.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskMean {
    pub task: String,
    pub clips: usize,
    /// Of the number that counts; clips without a finite one are left out.
    pub headline_db: Option<f64>,
    pub ssim: Option<f64>,
    pub seconds: f64,
    /// Medians over the clips' medians, and the worst frame of all.
    pub dist_mm: Option<Spread>,
    pub sigma_px: Option<Spread>,
    /// The median over the clips.
    pub psf_correlation: Option<f64>,
    /// Clips in which the solver doubts something.
    pub doubted: usize,
    /// Sums of what [`ParameterMarks`] counts.
    pub frames: usize,
    pub missed: usize,
    pub unflagged: usize,
    pub intervals: usize,
    pub covered: usize,
}

/// The scoreboard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Board {
    pub rows: Vec<Row>,
    pub failures: Vec<Failure>,
    pub gains: Vec<MeanGain>,
    pub tasks: Vec<TaskMean>,
}

impl Board {
    pub fn new(rows: Vec<Row>, failures: Vec<Failure>) -> Self {
        let gains = rivals(&rows).into_iter();
        let gains = gains.filter_map(|rival| {
            let gains: Vec<f64> = rows.iter().filter_map(|r| r.gain_over(&rival)).collect();
            Some(MeanGain {
                mean_db: mean(&gains)?,
                clips: gains.len(),
                rival,
            })
        });
        Self {
            gains: gains.collect(),
            tasks: task_means(&rows),
            rows,
            failures,
        }
    }

    /// The table for people: a row a clip, the rivals beside, then the means.
    pub fn table(&self) -> String {
        let mut text = layout(&self.clips());
        text += "f: after the best gain and offset; a: after the best shift as well\n";
        if self.tasks.len() < self.rows.len() {
            text += "\n";
            text += &layout(&self.task_table());
        }
        for gain in &self.gains {
            let MeanGain {
                rival,
                clips,
                mean_db,
            } = gain;
            let clips = counted(*clips, "clip");
            let _ = writeln!(
                text,
                "mean gain over {}: {mean_db:+.2} dB ({clips})",
                shown(rival)
            );
        }
        for Row { clip, doubts, .. } in &self.rows {
            if let Some(first) = doubts.first() {
                let more = match doubts.len() - 1 {
                    0 => String::new(),
                    more => format!(" (and {more} more)"),
                };
                let _ = writeln!(text, "doubt: {clip}: {first}{more}");
            }
        }
        for Failure { clip, error } in &self.failures {
            let _ = writeln!(text, "failed: {clip}: {error}");
        }
        text
    }

    fn clips(&self) -> Vec<Vec<String>> {
        let rivals = rivals(&self.rows);
        let mut head = vec!["clip", "PSNR", "SSIM", "s", "evals"];
        head.extend(["d mm", "sigma px", "PSF", "doubts", "measured"]);
        let mut head: Vec<String> = head.into_iter().map(str::to_owned).collect();
        head.extend(rivals.iter().map(|rival| shown(rival).to_owned()));
        let rows = self.rows.iter().map(|row| {
            let parameters = row.parameters.as_ref();
            let mut line = vec![
                row.clip.clone(),
                decibels(&row.ours, row.headline),
                share(row.ours.ssim, 3),
                format!("{:.1}", row.seconds),
                row.evaluations.to_string(),
                spread(parameters.and_then(|p| p.dist_mm)),
                spread(parameters.and_then(|p| p.sigma_px)),
                share(row.ours.psf_correlation, 3),
                match row.doubts.len() {
                    0 => String::new(),
                    doubts => doubts.to_string(),
                },
                both(&row.measurement, row.headline),
            ];
            line.extend(rivals.iter().map(|name| {
                let rival = row.rivals.iter().find(|r| r.name == *name);
                rival.map_or(String::new(), |r| both(&r.marks, row.headline))
            }));
            line
        });
        [head].into_iter().chain(rows).collect()
    }

    fn task_table(&self) -> Vec<Vec<String>> {
        let head = [
            "mean of", "clips", "PSNR", "SSIM", "s", "d mm", "sigma px", "PSF", "missed",
            "covered", "doubted",
        ];
        let head = head.map(str::to_owned).to_vec();
        let rows = self.tasks.iter().map(|task| {
            vec![
                task.task.clone(),
                task.clips.to_string(),
                share(task.headline_db, 2),
                share(task.ssim, 3),
                format!("{:.1}", task.seconds),
                spread(task.dist_mm),
                spread(task.sigma_px),
                share(task.psf_correlation, 3),
                match task.frames {
                    0 => String::new(),
                    frames => format!("{} of {frames}, {} unflagged", task.missed, task.unflagged),
                },
                match task.intervals {
                    0 => String::new(),
                    intervals => format!("{} of {intervals}", task.covered),
                },
                task.doubted.to_string(),
            ]
        });
        [head].into_iter().chain(rows).collect()
    }
}

/// The rivals of any row, in the order of the columns.
fn rivals(rows: &[Row]) -> Vec<String> {
    let names = rows.iter().flat_map(|row| &row.rivals);
    let mut names: Vec<String> = names.map(|rival| rival.name.clone()).collect();
    let place = |name: &String| {
        let known = RIVALS.iter().position(|(file, _)| file == name);
        (known.unwrap_or(RIVALS.len()), name.clone())
    };
    names.sort_by_key(place);
    names.dedup();
    names
}

fn shown(rival: &str) -> &str {
    let known = RIVALS.iter().find(|(file, _)| *file == rival);
    known.map_or(rival, |(_, shown)| shown)
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn decibels(marks: &Marks, headline: Headline) -> String {
    let suffix = match headline {
        Headline::Psnr => "",
        Headline::Fitted => "f",
        Headline::Aligned => "a",
    };
    let value = marks.headline_db(headline);
    value.map_or("equal".into(), |db| format!("{db:.2}{suffix}"))
}

fn both(marks: &Marks, headline: Headline) -> String {
    let (psnr, ssim) = (decibels(marks, headline), share(marks.ssim, 3));
    match marks.psf_correlation {
        Some(psf) => format!("{psnr} / {ssim} / PSF {psf:.3}"),
        None => format!("{psnr} / {ssim}"),
    }
}

fn share(value: Option<f64>, digits: usize) -> String {
    value.map_or(String::new(), |v| format!("{v:.digits$}"))
}

/// Median and worst.
fn spread(value: Option<Spread>) -> String {
    let text = |Spread { median, worst }: Spread| format!("{median:.3} / {worst:.3}");
    value.map_or(String::new(), text)
}

/// Columns of one width, the first aligned left and the others right; those that say nothing
/// are left out.
pub(super) fn layout(lines: &[Vec<String>]) -> String {
    let says = |column: &usize| lines[1..].iter().any(|line| !line[*column].is_empty());
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let columns = (0..lines[0].len()).filter(says);
    let columns: Vec<(usize, usize)> = columns.map(|c| (c, width(c).unwrap_or(0))).collect();
    let mut text = String::new();
    for line in lines {
        let cells = columns.iter().map(|&(column, width)| match column {
            0 => format!("{:<width$}", line[column]),
            _ => format!("{:>width$}", line[column]),
        });
        let cells: Vec<String> = cells.collect();
        text += cells.join("  ").trim_end();
        text += "\n";
    }
    text
}

fn mean(values: &[f64]) -> Option<f64> {
    let n = values.len();
    (n > 0).then(|| values.iter().sum::<f64>() / n as f64)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (n > 0).then(|| (values[(n - 1) / 2] + values[n / 2]) / 2.0)
}

/// One for each task, in the order in which they first appear.
fn task_means(rows: &[Row]) -> Vec<TaskMean> {
    let mut tasks: Vec<&str> = Vec::new();
    for row in rows {
        if !tasks.contains(&row.task.as_str()) {
            tasks.push(&row.task);
        }
    }
    let of = |task: &str| {
        let rows: Vec<&Row> = rows.iter().filter(|row| row.task == task).collect();
        let values = |pick: &dyn Fn(&Row) -> Option<f64>| -> Vec<f64> {
            rows.iter().filter_map(|row| pick(row)).collect()
        };
        let errors = |pick: &dyn Fn(&Row) -> Option<Spread>| {
            let spreads: Vec<Spread> = rows.iter().filter_map(|row| pick(row)).collect();
            Some(Spread {
                median: median(spreads.iter().map(|s| s.median).collect())?,
                worst: spreads.iter().map(|s| s.worst).fold(0.0, f64::max),
            })
        };
        let sum = |pick: &dyn Fn(&ParameterMarks) -> usize| {
            let marks = rows.iter().filter_map(|row| row.parameters.as_ref());
            marks.map(pick).sum()
        };
        TaskMean {
            task: task.to_owned(),
            clips: rows.len(),
            headline_db: mean(&values(&|row| row.ours.headline_db(row.headline))),
            ssim: mean(&values(&|row| row.ours.ssim)),
            seconds: mean(&values(&|row| Some(row.seconds))).unwrap_or(0.0),
            dist_mm: errors(&|row| row.parameters.as_ref()?.dist_mm),
            sigma_px: errors(&|row| row.parameters.as_ref()?.sigma_px),
            psf_correlation: median(values(&|row| row.ours.psf_correlation)),
            doubted: rows.iter().filter(|row| !row.doubts.is_empty()).count(),
            frames: sum(&|marks| marks.frames),
            missed: sum(&|marks| marks.missed),
            unflagged: sum(&|marks| marks.unflagged),
            intervals: sum(&|marks| marks.intervals),
            covered: sum(&|marks| marks.covered),
        }
    };
    tasks.into_iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::score::RivalMarks;

    fn marks(psnr: f64) -> Marks {
        Marks {
            psnr_db: Some(psnr),
            fitted_psnr_db: Some(psnr + 1.0),
            aligned_psnr_db: None,
            ssim: Some(0.9),
            psf_correlation: None,
        }
    }

    fn row(clip: &str, task: &str, psnr: f64, rivals: &[(&str, f64)]) -> Row {
        Row {
            clip: clip.into(),
            task: task.into(),
            method: "instant".into(),
            prior: "tv".into(),
            headline: Headline::Psnr,
            ours: marks(psnr),
            seconds: 2.0,
            evaluations: 0,
            parameters: None,
            doubts: Vec::new(),
            notes: Vec::new(),
            measurement: marks(12.0),
            rivals: rivals
                .iter()
                .map(|(name, psnr)| RivalMarks {
                    name: (*name).into(),
                    marks: marks(*psnr),
                })
                .collect(),
        }
    }

    fn board() -> Board {
        let mut blind = row(
            "second",
            "scatter, blind",
            40.0,
            &[("dps", 22.0), ("vdps", 30.0)],
        );
        blind.headline = Headline::Fitted;
        blind.parameters = Some(ParameterMarks {
            dist_mm: Some(Spread {
                median: 0.01,
                worst: 0.5,
            }),
            frames: 10,
            missed: 1,
            ..ParameterMarks::default()
        });
        blind.doubts = vec!["distance of frame 3: two values fit".into()];
        let rows = vec![
            row("first", "scatter", 45.0, &[("other", 20.0), ("vdps", 34.0)]),
            blind,
            row("third", "scatter", 41.0, &[]),
        ];
        let failure = Failure {
            clip: "fourth".into(),
            error: "no such file".into(),
        };
        Board::new(rows, vec![failure])
    }

    #[test]
    fn gains_are_means_over_the_clips_that_have_the_rival() {
        let board = board();
        let vdps = &board.gains[0];
        assert_eq!((vdps.rival.as_str(), vdps.clips), ("vdps", 2));
        assert!((vdps.mean_db - 10.5).abs() < 1e-9);
        let names: Vec<&str> = board.gains.iter().map(|g| g.rival.as_str()).collect();
        assert_eq!(names, ["vdps", "dps", "other"]);
        assert_eq!(board.tasks[0].clips, 2);
        assert_eq!(board.tasks[0].headline_db, Some(43.0));
        assert_eq!(board.tasks[1].doubted, 1);
    }

    #[test]
    fn the_table_is_aligned_and_leaves_empty_columns_out() {
        let text = board().table();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("clip"), "{text}");
        assert!(
            !lines[0].contains("sigma px") && lines[0].contains("d mm"),
            "{text}"
        );
        let end = |line: &str, what: &str| line.find(what).map(|at| at + what.len());
        assert_eq!(end(lines[0], "PSNR"), end(lines[1], "45.00"));
        assert_eq!(end(lines[0], "PSNR"), end(lines[2], "41.00f"));
        assert!(
            text.contains("mean gain over VDPS: +10.50 dB (2 clips)"),
            "{text}"
        );
        assert!(
            text.contains("doubt: second: distance of frame 3"),
            "{text}"
        );
        assert!(text.contains("1 of 10, 0 unflagged"), "{text}");
        assert!(text.contains("failed: fourth: no such file"), "{text}");
    }

    #[test]
    fn json_holds_the_numbers() {
        let json = serde_json::to_value(board()).unwrap();
        assert_eq!(json["rows"][0]["ours"]["psnr_db"], 45.0);
        assert_eq!(json["rows"][0]["rivals"][1]["name"], "vdps");
        assert_eq!(json["rows"][1]["parameters"]["dist_mm"]["worst"], 0.5);
        assert_eq!(json["rows"][1]["headline"], "fitted");
        assert_eq!(json["gains"][0]["clips"], 2);
    }
}
