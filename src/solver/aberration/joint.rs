//! Scene, aberration and offset together.

use crate::clip::Clip;
use crate::physics::zernike::MODES;
use crate::physics::{ForwardModel, ZernikeBlur};
use crate::prior::SpaceTime;
use crate::solver::SolverError;

use super::whittle::{Point, Whittle};

/// Gain that turns the forward model's intensities into the measurement's; the scene's
/// brightness takes up what differs.
pub const GAIN: f32 = 0.55;

/// What a step of the descent moves, and how far.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub scene: f32,
    pub coefficients: f64,
    pub tilt: f64,
    pub offset: f64,
}

pub struct Joint {
    pub estimate: Clip,
    pub point: Point,
    pub offset: f64,
    model: ZernikeBlur,
    measured: Clip,
    prior: SpaceTime,
    scene_moments: (Vec<f32>, Vec<f32>),
    other_moments: (Vec<f64>, Vec<f64>),
    steps: i32,
    /// Half the squared residual, the prior's value at the last step's start.
    pub misfit: f64,
}

/// Nats of the prior for a unit of gradient at the final noise.
const NATS: f64 = 39.0;

impl Joint {
    pub fn new(measured: Clip, point: Point, offset: f64, prior: SpaceTime) -> Result<Self, SolverError> {
        let model = ZernikeBlur::new(measured.shape(), point.coefficients.clone())?;
        let estimate = first_guess(&measured, offset);
        let len = measured.shape().len();
        let others = MODES.len() + point.scene.len() + 1;
        Ok(Self {
            estimate,
            point,
            offset,
            model,
            measured,
            prior,
            scene_moments: (vec![0.0; len], vec![0.0; len]),
            other_moments: (vec![0.0; others], vec![0.0; others]),
            steps: 0,
            misfit: f64::INFINITY,
        })
    }

    /// Forgets the scene, but nothing else.
    pub fn reset(&mut self) {
        self.estimate = first_guess(&self.measured, self.offset);
        self.forget();
    }

    pub fn forget(&mut self) {
        self.scene_moments.0.fill(0.0);
        self.scene_moments.1.fill(0.0);
        self.other_moments.0.fill(0.0);
        self.other_moments.1.fill(0.0);
        self.steps = 0;
    }

    pub fn prior_value(&self) -> f64 {
        self.prior.value(&self.estimate)
    }

    pub fn model(&self) -> &ZernikeBlur {
        &self.model
    }

    pub fn measured(&self) -> &Clip {
        &self.measured
    }

    /// Root mean square of the residual.
    pub fn residual_rms(&self) -> f64 {
        (2.0 * self.misfit / self.measured.shape().len() as f64).sqrt()
    }

    /// One step of Adam on D + weight Phi + weight / 39 (spectral evidence).
    pub fn step(&mut self, weight: f64, rates: Rates, whittle: Option<(&Whittle, f64, f64)>) -> Result<(), SolverError> {
        self.model.set_parameters(&self.point.coefficients)?;
        let linearised = self.model.linearise(&self.estimate);
        let offset = self.offset as f32;
        let residual = linearised
            .measurement
            .zip(&self.measured, |a, y| GAIN * a + offset - y);
        let with_parameters = rates.coefficients > 0.0 || rates.tilt > 0.0;
        let pulled = (linearised.pullback)(&residual, with_parameters);
        drop(linearised);
        let mut slope = pulled.video.into_data();
        slope.iter_mut().for_each(|s| *s *= GAIN);
        self.prior.add_gradient(&self.estimate, weight as f32, &mut slope);
        self.misfit = 0.5 * residual.data().iter().map(|&r| f64::from(r) * f64::from(r)).sum::<f64>();
        let others = self.other_moments.0.len();
        let mut other = vec![0.0; others];
        if with_parameters {
            for (o, p) in other.iter_mut().zip(&pulled.parameters) {
                *o = f64::from(GAIN) * p;
            }
        }
        if let Some((whittle, share, volume)) = whittle.filter(|_| with_parameters) {
            let scale = weight / NATS;
            let s = whittle.slope(&self.point, 0.52);
            for (o, g) in other.iter_mut().zip(&s.coefficients) {
                *o += share * scale * g;
            }
            for (o, g) in other[MODES.len()..].iter_mut().zip(&s.scene) {
                *o = scale * g;
            }
            if volume > 0.0 {
                let g = whittle.volume_slope(&self.point, scale);
                for (o, g) in other.iter_mut().zip(&g) {
                    *o += volume * scale * g;
                }
            }
        }
        other[others - 1] = residual.data().iter().map(|&r| f64::from(r)).sum();
        self.steps += 1;
        let (b1, b2) = (0.9f64, 0.99f64);
        let (u1, u2) = (1.0 - b1.powi(self.steps), 1.0 - b2.powi(self.steps));
        let rate = rates.scene / u1 as f32;
        let unbias = 1.0 / (u2 as f32).sqrt();
        let moments = self.scene_moments.0.iter_mut().zip(&mut self.scene_moments.1);
        for ((x, &g), (m, v)) in self.estimate.data_mut().iter_mut().zip(&slope).zip(moments) {
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.99 * *v + 0.01 * g * g;
            *x = (*x - rate * *m / (v.sqrt() * unbias + 1e-10)).clamp(0.0, 1.6);
        }
        for (k, &g) in other.iter().enumerate() {
            let m = &mut self.other_moments.0[k];
            *m = b1 * *m + (1.0 - b1) * g;
            let v = &mut self.other_moments.1[k];
            *v = b2 * *v + (1.0 - b2) * g * g;
            let by = (*m / u1) / ((*v / u2).sqrt() + 1e-14);
            if k == 0 {
                continue;
            } else if k < 3 {
                self.point.coefficients[k] -= rates.tilt * by;
            } else if k < MODES.len() {
                self.point.coefficients[k] -= rates.coefficients * by;
            } else if k + 1 < others {
                if whittle.is_some() {
                    self.point.scene[k - MODES.len()] -= 0.5 * rates.coefficients * by;
                }
            } else {
                self.offset -= rates.offset * by;
            }
        }
        Ok(())
    }
}

/// The measurement over gain and the energy of a point spread function.
fn first_guess(measured: &Clip, offset: f64) -> Clip {
    let scale = 1.0 / (GAIN * 3.05);
    measured.map(|y| ((y - offset as f32) * scale).clamp(0.0, 1.6))
}
