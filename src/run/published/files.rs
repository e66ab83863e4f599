//! What the published programs write, under the names they give it.

use std::path::PathBuf;

use super::Experiment;
use crate::clip::{Clip, Shape};
use crate::media::{Rounding, WriteOptions};
use crate::physics::Parameter;
use crate::physics::zernike::{MODES, PSF_SIZE, Pupil};
use crate::run::{Outcome, ResultsError, ResultsFolder};

/// The folder of an experiment's files, below the results folder.
pub fn folder(experiment: &Experiment) -> PathBuf {
    match experiment {
        Experiment::Scatter { dist_mm, sigma_px } => PathBuf::from("results/physical_forward")
            .join(python_float(*dist_mm))
            .join(python_float(*sigma_px)),
        Experiment::Dehaze => "results/dehaze".into(),
        Experiment::Inpaint => "results/inpaint".into(),
        Experiment::Blur => "results/blur".into(),
        Experiment::ScatterBlind { dist_mm, sigma_px } => {
            let pair = |min, max| format!("{},{}", python_float(min), python_float(max));
            PathBuf::from("results/physical_forward_blind")
                .join(pair(dist_mm.min, dist_mm.max))
                .join(pair(sigma_px.min, sigma_px.max))
        }
        Experiment::ScatterReal => "physical_forward_real".into(),
        Experiment::Zernike => "zernike_results".into(),
        Experiment::ZernikeVarying => "zernike_varying_results".into(),
    }
}

/// A number as Python prints it: `5.0`, `0.5`, `1e-05`.
fn python_float(value: f64) -> String {
    let text = format!("{value:?}");
    match text.split_once('e') {
        Some((digits, exponent)) => {
            let exponent: i32 = exponent.parse().unwrap_or_default();
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
        None => text,
    }
}

/// What is written of one clip.
#[derive(Clone, Copy, Debug)]
pub struct ClipFiles<'a> {
    pub experiment: &'a Experiment,
    /// Of a cancelled clip only the output is written, under a name of its own.
    pub outcome: Outcome,
    /// What the files' names start with.
    pub name: &'a str,
    /// None for captures.
    pub target: Option<&'a Clip>,
    pub measurement: &'a Clip,
    pub output: &'a Clip,
    /// The parameters that made the measurement; none for captures.
    pub truth: Option<&'a [Parameter]>,
    pub estimate: &'a [Parameter],
}

impl ClipFiles<'_> {
    /// Writes the pictures and gives their names.
    ///
    /// Levels are truncated to 8 bits, like the published ones. Measurements through a
    /// pupil, and its point spread functions, are stretched to the full range of levels
    /// over the clip; the other measurements are cut to [0, 1], signed ones too.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, folder: &ResultsFolder) -> Result<Vec<String>, ResultsError> {
        let mut written = Vec::new();
        let mut save = |kind: &str, clip: &Clip| {
            let name = format!("{}_{kind}", self.name);
            let options = WriteOptions {
                rounding: Rounding::Truncate,
                ..WriteOptions::default()
            };
            folder.clip(&name, clip, &options)?;
            written.push(name);
            Ok(())
        };
        if self.outcome == Outcome::Cancelled {
            save("partial_output.gif", self.output)?;
            return Ok(written);
        }
        if let Some(target) = self.target {
            save("target.gif", target)?;
        }
        let psf_ending = match self.experiment {
            Experiment::Zernike => Some("png"),
            Experiment::ZernikeVarying => Some("gif"),
            _ => None,
        };
        match psf_ending {
            Some(_) => save("measurement.gif", &stretched(self.measurement))?,
            None => save("measurement.gif", self.measurement)?,
        }
        save("output.gif", self.output)?;
        if let (Some(ending), Some(truth)) = (psf_ending, self.truth) {
            save(&format!("psf_gt.{ending}"), &stretched(&psfs(truth)))?;
            let estimate = stretched(&psfs(self.estimate));
            save(&format!("psf_estimate.{ending}"), &estimate)?;
        }
        Ok(written)
    }
}

/// The point spread functions of a table of coefficients, one for each ten.
fn psfs(coefficients: &[Parameter]) -> Clip {
    let pupil = Pupil::new();
    let values_rad: Vec<f64> = coefficients.iter().map(|c| c.value).collect();
    let sets = values_rad.chunks_exact(MODES.len());
    let shape = Shape::new(sets.len(), PSF_SIZE, PSF_SIZE);
    Clip::new(shape, sets.flat_map(|set| pupil.psf(set).values).collect())
}

/// The least value becomes 0 and the largest 1.
fn stretched(clip: &Clip) -> Clip {
    let values = || clip.data().iter().copied();
    let low = values().fold(f32::INFINITY, f32::min);
    let span = values().fold(f32::NEG_INFINITY, f32::max) - low;
    clip.map(|v| if span > 0.0 { (v - low) / span } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    #[test]
    fn folders_have_their_published_names() {
        let name = |experiment| folder(&experiment).to_str().unwrap().to_owned();
        let known = Experiment::Scatter {
            dist_mm: 5.0,
            sigma_px: 0.5,
        };
        assert_eq!(name(known), "results/physical_forward/5.0/0.5");
        let blind = Experiment::ScatterBlind {
            dist_mm: Limits {
                min: 2.5,
                max: 10.0,
            },
            sigma_px: Limits { min: 0.5, max: 2.0 },
        };
        let expected = "results/physical_forward_blind/2.5,10.0/0.5,2.0";
        assert_eq!(name(blind), expected);
        assert_eq!(name(Experiment::Dehaze), "results/dehaze");
        assert_eq!(name(Experiment::Inpaint), "results/inpaint");
        assert_eq!(name(Experiment::Blur), "results/blur");
        assert_eq!(name(Experiment::ScatterReal), "physical_forward_real");
        assert_eq!(name(Experiment::Zernike), "zernike_results");
        assert_eq!(name(Experiment::ZernikeVarying), "zernike_varying_results");
    }

    #[test]
    fn numbers_look_as_in_python() {
        let printed = [5.0, 0.5, 12.25, 0.0, 0.0001, 1e-5, 2.5e-12].map(python_float);
        let expected = ["5.0", "0.5", "12.25", "0.0", "0.0001", "1e-05", "2.5e-12"];
        assert_eq!(printed, expected);
    }

    #[test]
    fn stretching_uses_all_levels() {
        let clip = Clip::new(Shape::new(1, 1, 3), vec![-1.0, 0.0, 3.0]);
        assert_eq!(stretched(&clip).data(), [0.0, 0.25, 1.0]);
        let flat = Clip::filled(Shape::new(1, 1, 2), 0.7);
        assert_eq!(stretched(&flat).data(), [0.0, 0.0]);
    }
}
