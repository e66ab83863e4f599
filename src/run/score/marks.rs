//! Numbers that a result gets.

use serde::Serialize;

use super::case::{Headline, Truth};
use crate::clip::{Clip, Shape};
use crate::metrics::{Quality, ShapesDiffer, aligned, psf_correlation};
use crate::physics::zernike::{MODES, PSF_SIZE};
use crate::physics::{Parameter, ZernikeBlur};
use crate::solver::Finding;

/// Shifts of a point spread function that are no error of its shape, in pixels: a tilt, which
/// moves the video the other way.
const PSF_REACH_PX: usize = 4;

/// How close a clip is to its target; none where they are equal.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Marks {
    pub psnr_db: Option<f64>,
    /// After the best gain and offset.
    pub fitted_psnr_db: Option<f64>,
    /// Of captures: after the best shift of up to 2 pixels as well, of the result or its square.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aligned_psnr_db: Option<f64>,
    /// Mean over the frames; none for frames smaller than its window.
    pub ssim: Option<f64>,
    /// Of the point spread function with the true one, over small shifts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psf_correlation: Option<f64>,
}

impl Marks {
    /// # Errors
    /// Clips of different shapes.
    pub fn of(clip: &Clip, target: &Clip, headline: Headline) -> Result<Self, ShapesDiffer> {
        let quality = Quality::of(clip, target)?;
        let aligned_psnr_db = match headline {
            Headline::Aligned => Some(aligned(clip, target)?.psnr_db).filter(|db| db.is_finite()),
            _ => None,
        };
        Ok(Self {
            psnr_db: quality.psnr_db,
            fitted_psnr_db: quality.fitted_psnr_db,
            aligned_psnr_db,
            ssim: quality.ssim,
            psf_correlation: None,
        })
    }

    /// The number that counts.
    pub fn headline_db(&self, headline: Headline) -> Option<f64> {
        match headline {
            Headline::Psnr => self.psnr_db,
            Headline::Fitted => self.fitted_psnr_db,
            Headline::Aligned => self.aligned_psnr_db,
        }
    }
}

/// Errors of one parameter over the frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    pub median: f64,
    /// The largest error.
    pub worst: f64,
}

impl Spread {
    /// Of absolute values; none of nothing.
    fn of(errors: Vec<f64>) -> Option<Self> {
        let mut errors: Vec<f64> = errors.into_iter().map(f64::abs).collect();
        errors.sort_by(f64::total_cmp);
        let n = errors.len();
        (n > 0).then(|| Self {
            median: (errors[(n - 1) / 2] + errors[n / 2]) / 2.0,
            worst: errors[n - 1],
        })
    }
}

/// A distance is grossly wrong from this error on, in millimetres.
const GROSS_MM: f64 = 0.5;
/// A point spread function is grossly wrong below this correlation with the true one.
const GROSS_CORRELATION: f64 = 0.97;

/// How far the parameters that were unknown are from the truth.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ParameterMarks {
    pub dist_mm: Option<Spread>,
    pub sigma_px: Option<Spread>,
    /// Of the point spread functions with the true ones, the least of the frames.
    pub psf_correlation: Option<f64>,
    /// Frames whose distance or point spread function could be compared; one for a point
    /// spread function that serves the clip.
    pub frames: usize,
    /// Those whose distance is wrong by 0.5 mm or more, or whose point spread function has a
    /// correlation below 0.97.
    pub missed: usize,
    /// Those of the missed ones that no doubt speaks of.
    pub unflagged: usize,
    /// Distances and widths that came with an interval.
    pub intervals: usize,
    /// Intervals that hold the truth.
    pub covered: usize,
}

impl ParameterMarks {
    /// Compares all parameters of a solver's forward model, and what it found out about them;
    /// none where nothing can be compared, because the truth is not known.
    pub fn of(
        parameters: &[Parameter],
        findings: &[Finding],
        truth: &Truth,
        shape: Shape,
    ) -> Option<Self> {
        let errors = |name, truth: &[f64]| -> Vec<f64> {
            let found = per_frame(parameters, name, shape.frames);
            let pairs = found.iter().zip(truth);
            pairs.map(|(found, truth)| found - truth).collect()
        };
        let dist_mm = errors("distance", &truth.dist_mm);
        let sigma_px = errors("sigma", &truth.sigma_px);
        let likenesses = likenesses(&psfs(parameters, shape), &truth.psfs);
        if dist_mm.is_empty() && sigma_px.is_empty() && likenesses.is_empty() {
            return None;
        }
        let frames = dist_mm.len().max(likenesses.len());
        let gross = |frame: &usize| {
            let off = |error: &f64| error.abs() >= GROSS_MM;
            let unlike = |likeness: &f64| *likeness < GROSS_CORRELATION;
            dist_mm.get(*frame).is_some_and(off) || likenesses.get(*frame).is_some_and(unlike)
        };
        let doubted = |frame: &usize| {
            let mut doubted = findings.iter().filter(|f| !f.doubts.is_empty());
            doubted.any(|f| f.parameter.frame.is_none_or(|of| of == *frame))
        };
        let missed: Vec<usize> = (0..frames).filter(gross).collect();
        let covers: Vec<bool> = findings.iter().filter_map(|f| covers(f, truth)).collect();
        Some(Self {
            dist_mm: Spread::of(dist_mm),
            sigma_px: Spread::of(sigma_px),
            psf_correlation: likenesses.into_iter().min_by(f64::total_cmp),
            frames,
            unflagged: missed.iter().filter(|frame| !doubted(frame)).count(),
            missed: missed.len(),
            intervals: covers.len(),
            covered: covers.into_iter().filter(|covers| *covers).count(),
        })
    }
}

/// Whether a finding's interval holds the truth; none without an interval or a truth.
fn covers(finding: &Finding, truth: &Truth) -> Option<bool> {
    let values = match finding.parameter.name.as_str() {
        "distance" => &truth.dist_mm,
        "sigma" => &truth.sigma_px,
        _ => return None,
    };
    let truth = values.get(finding.parameter.frame.unwrap_or(0))?;
    let (low, high) = finding.interval?;
    Some((low..=high).contains(truth))
}

/// The correlation of two point spread functions over small shifts.
pub fn psf_likeness(found: &[f32], truth: &[f32]) -> f64 {
    psf_correlation(found, truth, PSF_SIZE, PSF_REACH_PX).correlation
}

/// The likeness of point spread functions to the true ones; one of either serves every frame.
fn likenesses(found: &[Vec<f32>], truth: &[Vec<f32>]) -> Vec<f64> {
    if found.is_empty() || truth.is_empty() {
        return Vec::new();
    }
    let pick = |all: &[Vec<f32>], i: usize| i.min(all.len() - 1);
    let frames = 0..found.len().max(truth.len());
    frames
        .map(|i| psf_likeness(&found[pick(found, i)], &truth[pick(truth, i)]))
        .collect()
}

/// The values of a parameter, one a frame; empty where the model has none of this name.
pub fn per_frame(parameters: &[Parameter], name: &str, frames: usize) -> Vec<f64> {
    let named = parameters.iter().filter(|p| p.name == name);
    let values: Vec<f64> = named.map(|p| p.value).collect();
    match values[..] {
        [one] => vec![one; frames],
        _ => values,
    }
}

/// The point spread functions of Zernike coefficients; empty where the model has none.
pub fn psfs(parameters: &[Parameter], shape: Shape) -> Vec<Vec<f32>> {
    let coefficients = parameters.iter().filter(|p| p.zernike.is_some());
    let coefficients: Vec<f64> = coefficients.map(|p| p.value).collect();
    if coefficients.len() < MODES.len() {
        return Vec::new();
    }
    ZernikeBlur::new(shape, coefficients)
        .map(|model| model.psfs().map(<[f32]>::to_vec).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physics::{ForwardModel, Optics, Scatter};

    /// Every parameter of a model as found, its interval `wide` to both sides; the first
    /// frame's are doubted.
    fn findings(model: &dyn ForwardModel, wide: f64) -> Vec<Finding> {
        let parameters = model.parameters().into_iter();
        let finding = |parameter: Parameter| Finding {
            interval: Some((parameter.value - wide, parameter.value + wide)),
            doubts: match parameter.frame {
                Some(0) => vec!["two values fit".into()],
                _ => Vec::new(),
            },
            parameter,
        };
        parameters.map(finding).collect()
    }

    #[test]
    fn errors_are_taken_frame_by_frame() {
        let shape = Shape::new(3, 8, 8);
        let scatter = |dist_mm: Vec<f64>, sigma_px: f64| {
            Scatter::new(shape, Optics::SYNTHETIC, dist_mm, sigma_px).unwrap()
        };
        let truth = Truth::of(&scatter(vec![3.0, 5.0, 7.0], 1.0));
        let found = scatter(vec![4.0, 5.1, 6.2], 1.2);
        let findings = findings(&found, 0.15);
        let marks = ParameterMarks::of(&found.parameters(), &findings, &truth, shape).unwrap();
        let (dist, sigma) = (marks.dist_mm.unwrap(), marks.sigma_px.unwrap());
        assert!((dist.median - 0.8).abs() < 1e-9 && (dist.worst - 1.0).abs() < 1e-9);
        assert!((sigma.median - 0.2).abs() < 1e-9 && (sigma.worst - 0.2).abs() < 1e-9);
        assert_eq!(marks.psf_correlation, None);
        // The first frame's miss is flagged, the last one's is not.
        assert_eq!((marks.frames, marks.missed, marks.unflagged), (3, 2, 1));
        assert_eq!((marks.intervals, marks.covered), (4, 1));
    }

    #[test]
    fn aberrations_are_compared_by_what_they_do() {
        let shape = Shape::new(2, 8, 8);
        let coefficients = |scale: f64| (0..10).map(move |i| scale * f64::from(i - 4)).collect();
        let truth = ZernikeBlur::new(shape, coefficients(0.4)).unwrap();
        let found = ZernikeBlur::new(shape, coefficients(-0.3)).unwrap();
        let marks = |model: &ZernikeBlur| {
            let parameters = model.parameters();
            ParameterMarks::of(&parameters, &[], &Truth::of(&truth), shape).unwrap()
        };
        let (right, wrong) = (marks(&truth), marks(&found));
        assert!(right.psf_correlation.unwrap() > 0.999_999);
        assert!(wrong.psf_correlation.unwrap() < 0.9);
        assert_eq!((right.missed, wrong.missed, wrong.unflagged), (0, 1, 1));
        let nothing = ParameterMarks::of(&found.parameters(), &[], &Truth::default(), shape);
        assert_eq!(nothing, None);
    }

    #[test]
    fn only_captures_are_aligned() {
        let shape = Shape::new(1, 16, 16);
        let data = (0..256).map(|i| (i * 7 % 31) as f32 / 31.0).collect();
        let target = Clip::new(shape, data);
        let clip = target.map(|v| 0.5 * v + 0.1);
        let marks = |headline| Marks::of(&clip, &target, headline).unwrap();
        assert_eq!(marks(Headline::Psnr).aligned_psnr_db, None);
        let real = marks(Headline::Aligned);
        assert!(real.headline_db(Headline::Aligned) > real.headline_db(Headline::Psnr));
    }
}
