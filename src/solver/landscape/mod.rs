//! How well a measurement is explained at other values of two parameters.

mod contour;
mod profile;
mod survey;

use rayon::prelude::*;

use super::{Measurement, SolverError};
use crate::clip::Clip;
use crate::physics::Optics;

pub use profile::Profile;
pub use survey::{Exposed, Plane, Survey};

/// Mean squared residuals over a grid of two parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct Landscape {
    /// The values of the first parameter, in its unit, ascending.
    pub x: Vec<f64>,
    /// The values of the second one; one value where there is only one parameter.
    pub y: Vec<f64>,
    /// In squares of the measurement's unit: all y of the first x, then those of the next.
    pub mean_square: Vec<f64>,
}

impl Landscape {
    /// The mean squared residual at the `x`-th and the `y`-th value.
    pub fn at(&self, x: usize, y: usize) -> f64 {
        self.mean_square[x * self.y.len() + y]
    }

    /// The place where the residual is least.
    pub fn lowest(&self) -> (f64, f64) {
        let places = self.mean_square.iter().enumerate();
        let lowest = places
            .min_by(|a, b| a.1.total_cmp(b.1))
            .map_or(0, |(i, _)| i);
        let rows = self.y.len();
        (self.x[lowest / rows], self.y[lowest % rows])
    }

    /// The least mean squared residual of each x, and that of each y.
    pub fn profiles(&self) -> [Profile<'_>; 2] {
        let (columns, rows) = (self.x.len(), self.y.len());
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        let by_x = |x| least(&mut (0..rows).map(|y| self.at(x, y)));
        let by_y = |y| least(&mut (0..columns).map(|x| self.at(x, y)));
        [
            Profile {
                values: &self.x,
                mean_square: (0..columns).map(by_x).collect(),
            },
            Profile {
                values: &self.y,
                mean_square: (0..rows).map(by_y).collect(),
            },
        ]
    }

    /// Where the mean squared residual is `level`: pieces of lines, interpolated between the
    /// grid's places.
    pub fn contour(&self, level: f64) -> Vec<[[f64; 2]; 2]> {
        contour::pieces(self, level)
    }
}

/// The mean squared residual of `estimate`, held fixed, at every pair of a distance and a blur
/// width of a scattering layer, over one frame or over the clip. Saturated pixels count only
/// where they are predicted too dark.
///
/// # Errors
/// Shapes that differ, a frame that the clip lacks, an empty grid, values out of the range of
/// [`crate::physics::Scatter`].
pub fn landscape(
    estimate: &Clip,
    measurement: &Measurement,
    optics: Optics,
    dist_mm: &[f64],
    sigma_px: &[f64],
    frame: Option<usize>,
) -> Result<Landscape, SolverError> {
    if dist_mm.is_empty() || sigma_px.is_empty() {
        return Err(SolverError::Setting {
            what: "the grid",
            value: format!("{} x {}", dist_mm.len(), sigma_px.len()),
            expected: "give at least one distance and one blur width",
        });
    }
    let plane = Plane::Scatter(optics);
    let survey = Survey::new(plane, measurement, Some(estimate), frame, Exposed::AsGiven)?;
    let column = |&dist: &f64| survey.column(dist, sigma_px, &|| true);
    let columns: Result<Vec<_>, _> = dist_mm.par_iter().map(column).collect();
    Ok(Landscape {
        x: dist_mm.to_vec(),
        y: sigma_px.to_vec(),
        mean_square: columns?.concat(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;
    use crate::physics::{ForwardModel, Scatter};

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
