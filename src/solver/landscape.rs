//! How well an estimate explains a measurement at other distances and blur widths.

use rayon::prelude::*;

use super::{Measurement, SolverError};
use crate::clip::{Clip, Shape};
use crate::physics::{ForwardModel, Optics, PhysicsError, Scatter};

/// Mean squared residuals over a grid of distances and blur widths.
#[derive(Clone, Debug, PartialEq)]
pub struct Landscape {
    pub dist_mm: Vec<f64>,
    pub sigma_px: Vec<f64>,
    /// In squares of the measurement's unit: a row for each distance, in it a value for each
    /// sigma.
    pub mean_square: Vec<f64>,
}

impl Landscape {
    /// The mean squared residual at the `dist`-th distance and the `sigma`-th blur width.
    pub fn at(&self, dist: usize, sigma: usize) -> f64 {
        self.mean_square[dist * self.sigma_px.len() + sigma]
    }

    /// The distance and the blur width where the residual is least.
    pub fn lowest(&self) -> (f64, f64) {
        let places = self.mean_square.iter().enumerate();
        let lowest = places
            .min_by(|a, b| a.1.total_cmp(b.1))
            .map_or(0, |(i, _)| i);
        let columns = self.sigma_px.len();
        (
            self.dist_mm[lowest / columns],
            self.sigma_px[lowest % columns],
        )
    }
}

/// The mean squared residual of `estimate`, held fixed, at every pair of a distance and a blur
/// width, over one frame or over the clip. Saturated pixels count only where they are
/// predicted too dark.
///
/// # Errors
/// Shapes that differ, a frame that the clip lacks, an empty grid, values out of the range of
/// [`Scatter`].
pub fn landscape(
    estimate: &Clip,
    measurement: &Measurement,
    optics: Optics,
    dist_mm: &[f64],
    sigma_px: &[f64],
    frame: Option<usize>,
) -> Result<Landscape, SolverError> {
    let shape = estimate.shape();
    if measurement.shape() != shape {
        return Err(SolverError::Shape {
            given: measurement.shape(),
            needed: shape,
        });
    }
    let setting = |what, value: String, expected| SolverError::Setting {
        what,
        value,
        expected,
    };
    if dist_mm.is_empty() || sigma_px.is_empty() {
        let value = format!("{} x {}", dist_mm.len(), sigma_px.len());
        let expected = "give at least one distance and one blur width";
        return Err(setting("the grid", value, expected));
    }
    let frames = match frame {
        None => 0..shape.frames,
        Some(frame) if frame < shape.frames => frame..frame + 1,
        Some(frame) => {
            let expected = "frames are counted from 0, and the clip has fewer";
            return Err(setting("the frame", frame.to_string(), expected));
        }
    };
    // Each frame once for every sigma, as the frames of a clip: the model then measures all
    // widths of a distance together.
    let long = Shape::new(sigma_px.len(), shape.height, shape.width);
    let row = |&dist: &f64| -> Result<Vec<f64>, PhysicsError> {
        let model = Scatter::new(long, optics, dist, sigma_px.to_vec())?;
        let mut squares = vec![0.0; sigma_px.len()];
        for f in frames.clone() {
            let copies = Clip::new(long, estimate.frame(f).repeat(sigma_px.len()));
            let predicted = model.apply(&copies);
            let measured = measurement.frame(f);
            for (square, predicted) in squares.iter_mut().zip(predicted.frames()) {
                let one = Shape::new(1, shape.height, shape.width);
                let residual = measured.residual(&Clip::new(one, predicted.to_vec()));
                *square += crate::physics::dot(residual.data(), residual.data());
            }
        }
        let count = (frames.len() * shape.frame_len()) as f64;
        Ok(squares.into_iter().map(|s| s / count).collect())
    };
    let rows: Result<Vec<_>, _> = dist_mm.par_iter().map(row).collect();
    Ok(Landscape {
        dist_mm: dist_mm.to_vec(),
        sigma_px: sigma_px.to_vec(),
        mean_square: rows?.concat(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    fn scene() -> (Clip, Measurement) {
        let shape = Shape::new(2, 16, 20);
        let clip = Noise::seeded(1).normal_clip(shape);
        let clip = clip.map(|v| (0.5 + 0.2 * v).clamp(0.0, 1.0));
        let model = Scatter::new(shape, Optics::SYNTHETIC, vec![4.0, 6.0], vec![0.7, 1.2]);
        let measured = model.unwrap().apply(&clip);
        (clip, Measurement::exact(measured))
    }

    #[test]
    fn the_truth_is_the_lowest_point_of_each_frame() {
        let (clip, measurement) = scene();
        let (dists, sigmas) = ([3.0, 4.0, 5.0, 6.0], [0.5, 0.7, 1.2]);
        let of = |frame| {
            landscape(
                &clip,
                &measurement,
                Optics::SYNTHETIC,
                &dists,
                &sigmas,
                frame,
            )
            .unwrap()
        };
        assert_eq!(of(Some(0)).lowest(), (4.0, 0.7));
        assert_eq!(of(Some(1)).lowest(), (6.0, 1.2));
        assert!(of(Some(0)).at(1, 1) < 1e-12);
        let mean = 0.5 * (of(Some(0)).at(2, 0) + of(Some(1)).at(2, 0));
        assert!((of(None).at(2, 0) - mean).abs() < 1e-6 * mean);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let (clip, measurement) = scene();
        let at = |dists: &[f64], frame| {
            landscape(&clip, &measurement, Optics::SYNTHETIC, dists, &[1.0], frame)
        };
        assert!(
            at(&[], None)
                .unwrap_err()
                .to_string()
                .contains("at least one")
        );
        assert!(
            at(&[4.0], Some(2))
                .unwrap_err()
                .to_string()
                .contains("frame")
        );
        assert!(
            at(&[-1.0], None)
                .unwrap_err()
                .to_string()
                .contains("distance")
        );
    }
}
