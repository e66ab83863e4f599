//! How a training went.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::run::ChartError;
use crate::run::curves::{Curves, Series, Style, csv, save_png};

/// Noise, of 255, at which a network is validated.
pub const NOISE_LEVELS: [u32; 4] = [10, 25, 50, 100];

/// Losses and validations so far.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// The loss of each step.
    pub losses: Vec<f64>,
    pub points: Vec<Point>,
}

/// A validation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps done.
    pub step: usize,
    /// Processor or wall time does not repeat, so it is not part of what is compared.
    pub seconds: f64,
    /// PSNR at each of [`NOISE_LEVELS`], the mean over the clips, in dB.
    pub psnr_db: Vec<f64>,
}

/// Steps over which losses are averaged in a plot.
const TOGETHER: usize = 100;

impl Curve {
    /// The median loss of the last steps.
    pub fn recent_loss(&self) -> Option<f64> {
        let mut recent = self.losses[self.losses.len().saturating_sub(TOGETHER)..].to_vec();
        recent.sort_unstable_by(f64::total_cmp);
        recent.get(recent.len() / 2).copied()
    }

    /// Writes `curve.csv` and `curve.png` into `folder`.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn save(&self, folder: &Path) -> Result<(), ChartError> {
        let plots = self.plots();
        let path = folder.join("curve.csv");
        std::fs::write(&path, csv(&plots)).map_err(|e| ChartError::Drawing(e.to_string()))?;
        if self.losses.is_empty() {
            return Ok(());
        }
        save_png(&plots, &folder.join("curve.png"))
    }

    fn plots(&self) -> Vec<Curves> {
        let losses = self.losses.chunks(TOGETHER).enumerate().map(|(i, losses)| {
            let mean = losses.iter().sum::<f64>() / losses.len() as f64;
            [(i * TOGETHER + losses.len()) as f64, mean]
        });
        let loss = Curves {
            title: "Loss".into(),
            x: "steps".into(),
            y: "scaled squared error".into(),
            series: vec![Series::new("training", Style::Line, losses.collect())],
        };
        let series = NOISE_LEVELS.iter().enumerate().map(|(i, level)| {
            let points = self.points.iter();
            let points = points.map(|p| [p.step as f64, p.psnr_db[i]]).collect();
            Series::new(format!("noise {level}"), Style::Line, points)
        });
        let validation = Curves {
            title: "Validation".into(),
            x: "steps".into(),
            y: "PSNR (dB)".into(),
            series: series.collect(),
        };
        vec![loss, validation]
    }
}
