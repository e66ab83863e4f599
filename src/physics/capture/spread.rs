//! A Gaussian spread along one axis, with the place and size of the scene on the camera.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// Where the scene's frame lies along one axis of the camera, in camera pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Placement {
    /// From the centre of the camera's frame to that of the scene's.
    pub shift_px: f64,
    /// By how much the scene's frame is longer than the camera's.
    pub stretch_px: f64,
}

/// How one camera pixel's taps change with the parameters of a [`Spread`].
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slopes {
    pub shift: f64,
    pub stretch: f64,
    pub sigma: f64,
}

/// What each camera pixel gets of each scene pixel along one axis.
///
/// Scene pixels are boxes, blurred by a Gaussian and sampled at the centres of the camera's
/// pixels: tap (i, j) = Phi((e_{j+1} - c_i) / sigma) - Phi((e_j - c_i) / sigma), c being the
/// centres and e the edges of the scene's pixels. The first and the last scene pixel
/// reach to infinity. Taps beyond `REACH` widths are dropped, and the rest sum to 1.
#[derive(Clone)]
pub(super) struct Spread {
    taps: Vec<f32>,
    slopes: Vec<Slopes>,
    /// The first scene pixel of each camera pixel.
    first: Vec<usize>,
    /// Taps a camera pixel.
    band: usize,
    scene: usize,
}

impl Spread {
    /// Taps reach this many widths and a pixel to each side.
    const REACH: f64 = 4.0;

    /// For `camera` pixels that see `scene` pixels, of which `margin` on each side lie beyond
    /// the scene's frame. `sigma_px` is above 0.
    pub fn new(camera: usize, margin: usize, placement: Placement, sigma_px: f64) -> Self {
        let scene = camera + 2 * margin;
        let n = camera as f64;
        let scale = 1.0 + placement.stretch_px / n;
        let from_centre = |j: usize| j as f64 - margin as f64 - n / 2.0;
        let edge = |j: usize| n / 2.0 + placement.shift_px + from_centre(j) * scale;
        let reach = Self::REACH * sigma_px + 1.0;
        let band = ((2.0 * reach / scale).ceil() as usize + 2).min(scene);
        let mut spread = Self {
            taps: Vec::with_capacity(camera * band),
            slopes: Vec::with_capacity(camera * band),
            first: Vec::with_capacity(camera),
            band,
            scene,
        };
        for i in 0..camera {
            let centre = i as f64 + 0.5;
            let middle = (centre - edge(0)) / scale;
            let first = (middle - band as f64 / 2.0).round().max(0.0) as usize;
            let first = first.min(scene - band);
            spread.first.push(first);
            // The band's ends reach to infinity: what lies beyond them is a far tail.
            let at = |j: usize| {
                if j == first {
                    (0.0, Slopes::default())
                } else if j == first + band {
                    (1.0, Slopes::default())
                } else {
                    let t = (edge(j) - centre) / sigma_px;
                    let density = (-0.5 * t * t).exp() / (TAU.sqrt() * sigma_px);
                    let slopes = Slopes {
                        shift: density,
                        stretch: density * from_centre(j) / n,
                        sigma: -density * t,
                    };
                    (normal_cdf(t), slopes)
                }
            };
            for j in first..first + band {
                let ((low, below), (high, above)) = (at(j), at(j + 1));
                spread.taps.push((high - low) as f32);
                spread.slopes.push(Slopes {
                    shift: above.shift - below.shift,
                    stretch: above.stretch - below.stretch,
                    sigma: above.sigma - below.sigma,
                });
            }
        }
        spread
    }

    pub fn camera(&self) -> usize {
        self.first.len()
    }

    fn row(&self, i: usize) -> (usize, &[f32]) {
        let taps = &self.taps[i * self.band..(i + 1) * self.band];
        (self.first[i], taps)
    }

    /// Applies it down the columns of a picture of `width` columns and as many rows as there
    /// are scene pixels.
    pub fn down(&self, picture: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.camera() * width];
        for (i, row) in out.chunks_exact_mut(width).enumerate() {
            let (first, taps) = self.row(i);
            let sources = picture[first * width..].chunks_exact(width);
            for (&tap, source) in taps.iter().zip(sources) {
                row.iter_mut().zip(source).for_each(|(o, s)| *o += tap * s);
            }
        }
        out
    }

    /// The adjoint of [`down`](Self::down).
    pub fn pull_down(&self, picture: &[f32], width: usize) -> Vec<f32> {
        let mut out = vec![0.0; self.scene * width];
        for (i, row) in picture.chunks_exact(width).enumerate() {
            let (first, taps) = self.row(i);
            let targets = out[first * width..].chunks_exact_mut(width);
            for (&tap, target) in taps.iter().zip(targets) {
                target.iter_mut().zip(row).for_each(|(o, s)| *o += tap * s);
            }
        }
        out
    }

    /// Applies it along the rows of a picture.
    pub fn across(&self, picture: &[f32]) -> Vec<f32> {
        let rows = picture.chunks_exact(self.scene);
        rows.flat_map(|from| {
            (0..self.camera()).map(move |i| {
                let (first, taps) = self.row(i);
                let pairs = taps.iter().zip(&from[first..]);
                pairs.map(|(t, s)| t * s).sum()
            })
        })
        .collect()
    }

    /// The adjoint of [`across`](Self::across).
    pub fn pull_across(&self, picture: &[f32]) -> Vec<f32> {
        let rows = picture.len() / self.camera();
        let mut out = vec![0.0; rows * self.scene];
        let pairs = out.chunks_exact_mut(self.scene);
        for (to, from) in pairs.zip(picture.chunks_exact(self.camera())) {
            for (i, &value) in from.iter().enumerate() {
                let (first, taps) = self.row(i);
                let targets = to[first..].iter_mut().zip(taps);
                targets.for_each(|(o, t)| *o += t * value);
            }
        }
        out
    }

    /// d <pull, down(picture)> for a change of each parameter.
    pub fn slopes_down(&self, picture: &[f32], pull: &[f32], width: usize) -> Slopes {
        self.contract(|i, j| {
            let (from, to) = (&picture[j * width..], &pull[i * width..]);
            let pairs = from[..width].iter().zip(&to[..width]);
            pairs.map(|(a, b)| a * b).sum()
        })
    }

    /// d <pull, across(picture)> for a change of each parameter.
    pub fn slopes_across(&self, picture: &[f32], pull: &[f32]) -> Slopes {
        let (from, to) = (
            transposed(picture, self.scene),
            transposed(pull, self.camera()),
        );
        self.slopes_down(&from, &to, picture.len() / self.scene)
    }

    fn contract(&self, product: impl Fn(usize, usize) -> f32) -> Slopes {
        let mut total = Slopes::default();
        for (i, &first) in self.first.iter().enumerate() {
            for (j, slopes) in self.slopes[i * self.band..(i + 1) * self.band]
                .iter()
                .enumerate()
            {
                let product = f64::from(product(i, first + j));
                total.shift += slopes.shift * product;
                total.stretch += slopes.stretch * product;
                total.sigma += slopes.sigma * product;
            }
        }
        total
    }
}

fn transposed(picture: &[f32], width: usize) -> Vec<f32> {
    let height = picture.len() / width;
    let at = |i: usize| picture[i % height * width + i / height];
    (0..picture.len()).map(at).collect()
}

/// The standard normal distribution function, to 1.2e-7 of the nearer tail (the complementary
/// error function of Press et al., Numerical Recipes, section 6.2).
fn normal_cdf(t: f64) -> f64 {
    let z = t.abs() * FRAC_1_SQRT_2;
    let u = 1.0 / (1.0 + 0.5 * z);
    const SERIES: [f64; 10] = [
        -1.26551223,
        1.00002368,
        0.37409196,
        0.09678418,
        -0.18628806,
        0.27886807,
        -1.13520398,
        1.48851587,
        -0.82215223,
        0.17087277,
    ];
    let exponent = SERIES.iter().rev().fold(0.0, |sum, c| sum * u + c);
    let tail = 0.5 * u * (exponent - z * z).exp();
    if t > 0.0 { 1.0 - tail } else { tail }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACEMENT: Placement = Placement {
        shift_px: 0.3,
        stretch_px: -0.8,
    };

    #[test]
    fn taps_sum_to_one_and_centre_on_the_placed_pixel() {
        let spread = Spread::new(20, 6, PLACEMENT, 1.2);
        for i in 0..20 {
            let (first, taps) = spread.row(i);
            let total: f32 = taps.iter().sum();
            assert!((total - 1.0).abs() < 1e-6);
            let mean: f64 = (taps.iter().enumerate())
                .map(|(j, &t)| f64::from(t) * (first + j) as f64)
                .sum();
            let expected = 6.0 + 10.0 + (i as f64 + 0.5 - 10.0 - 0.3) / (1.0 - 0.04) - 0.5;
            assert!((mean - expected).abs() < 1e-2, "{i}: {mean} {expected}");
        }
    }

    #[test]
    fn a_narrow_spread_samples_the_pixel_itself() {
        let spread = Spread::new(
            5,
            1,
            Placement {
                shift_px: 0.0,
                stretch_px: 0.0,
            },
            0.05,
        );
        let picture: Vec<f32> = (0..7).map(|i| i as f32).collect();
        for (got, expected) in spread.down(&picture, 1).iter().zip(1..) {
            assert!((got - expected as f32).abs() < 1e-5);
        }
        assert_eq!(spread.down(&picture, 1), spread.across(&picture));
    }

    #[test]
    fn normal_distribution_at_known_points() {
        for (t, expected) in [(0.0, 0.5), (1.0, 0.8413447461), (-2.0, 0.0227501319)] {
            assert!((normal_cdf(t) - expected).abs() < 1e-7);
        }
    }
}
