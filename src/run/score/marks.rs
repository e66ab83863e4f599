//! Numbers that a result gets.

use serde::Serialize;

use super::case::{Headline, Truth};
use crate::clip::{Clip, Shape};
use crate::metrics::{Quality, ShapesDiffer, aligned, psf_correlation};
use crate::physics::zernike::{MODES, PSF_SIZE};
use crate::physics::{Parameter, ZernikeBlur};

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
    fn of(errors: impl Iterator<Item = f64>) -> Option<Self> {
        let mut errors: Vec<f64> = errors.map(f64::abs).collect();
        errors.sort_by(f64::total_cmp);
        let n = errors.len();
        (n > 0).then(|| Self {
            median: (errors[(n - 1) / 2] + errors[n / 2]) / 2.0,
            worst: errors[n - 1],
        })
    }
}

/// How far the parameters that were unknown are from the truth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ParameterMarks {
    pub dist_mm: Option<Spread>,
    pub sigma_px: Option<Spread>,
    /// Of the point spread functions with the true ones, the least of the frames.
    pub psf_correlation: Option<f64>,
}

impl ParameterMarks {
    /// Whether anything could be compared.
    pub fn is_known(&self) -> bool {
        self.dist_mm.is_some() || self.sigma_px.is_some() || self.psf_correlation.is_some()
    }

    /// Compares the parameters of a solver's forward model; those that `truth` does not know
    /// are left out.
    pub fn of(parameters: &[Parameter], truth: &Truth, shape: Shape) -> Self {
        let errors = |name, truth: &[f64]| {
            let found = per_frame(parameters, name, shape.frames);
            let pairs = found.into_iter().zip(truth.to_vec());
            Spread::of(pairs.map(|(found, true_one)| found - true_one))
        };
        Self {
            dist_mm: errors("distance", &truth.dist_mm),
            sigma_px: errors("sigma", &truth.sigma_px),
            psf_correlation: least_correlation(&psfs(parameters, shape), &truth.psfs),
        }
    }
}

/// The least correlation of point spread functions with the true ones; one of either serves
/// every frame.
pub fn least_correlation(found: &[Vec<f32>], truth: &[Vec<f32>]) -> Option<f64> {
    if found.is_empty() || truth.is_empty() {
        return None;
    }
    let pick = |all: &[Vec<f32>], i: usize| all[i.min(all.len() - 1)].clone();
    let pairs = (0..found.len().max(truth.len())).map(|i| (pick(found, i), pick(truth, i)));
    let correlations =
        pairs.map(|(a, b)| psf_correlation(&a, &b, PSF_SIZE, PSF_REACH_PX).correlation);
    correlations.min_by(f64::total_cmp)
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

    #[test]
    fn errors_are_taken_frame_by_frame() {
        let shape = Shape::new(3, 8, 8);
        let truth = Scatter::new(shape, Optics::SYNTHETIC, vec![3.0, 5.0, 7.0], 1.0).unwrap();
        let truth = Truth::of(&truth);
        let found = Scatter::new(shape, Optics::SYNTHETIC, vec![3.1, 5.0, 6.5], 1.2).unwrap();
        let marks = ParameterMarks::of(&found.parameters(), &truth, shape);
        let (dist, sigma) = (marks.dist_mm.unwrap(), marks.sigma_px.unwrap());
        assert!((dist.median - 0.1).abs() < 1e-9 && (dist.worst - 0.5).abs() < 1e-9);
        assert!((sigma.median - 0.2).abs() < 1e-9 && (sigma.worst - 0.2).abs() < 1e-9);
        assert_eq!(marks.psf_correlation, None);
    }

    #[test]
    fn aberrations_are_compared_by_what_they_do() {
        let shape = Shape::new(2, 8, 8);
        let coefficients = |scale: f64| (0..10).map(move |i| scale * f64::from(i - 4)).collect();
        let truth = ZernikeBlur::new(shape, coefficients(0.4)).unwrap();
        let found = ZernikeBlur::new(shape, coefficients(-0.3)).unwrap();
        let marks = |model: &ZernikeBlur| {
            ParameterMarks::of(&model.parameters(), &Truth::of(&truth), shape).psf_correlation
        };
        assert!(marks(&truth).unwrap() > 0.999_999);
        assert!(marks(&found).unwrap() < 0.9);
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
