//! Scene, aberration and exposure together: descent on the posterior.

use crate::clip::{Clip, Shape};
use crate::physics::zernike::{MODES, PSF_SIZE, Pupil};
use crate::physics::{ForwardModel, ZernikeBlur, dot};
use crate::prior::SpaceTime;
use crate::solver::{Measurement, SolverError};

use super::PIXELS_PER_RADIAN;
use super::whittle::{Point, Whittle};

/// The sum of a point spread function, whatever its coefficients.
const ENERGY: f32 = 3.05;
/// Brightest amplitude of a scene whose scale is unknown.
const BRIGHTEST: f32 = 1.6;
/// The prior's weight over the noise variance that it stands for (the solvers' own ratio at
/// their final weights, chosen on simulated clips).
pub const NATS: f64 = 39.0;

/// Adam's steps.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// In units of amplitude.
    pub scene: f32,
    /// In radians: all but piston and tilt, and tilt.
    pub coefficients: f64,
    pub tilt: f64,
    /// How much the spectrum's likelihood counts, and the log-determinant, which makes up for
    /// the one best scene standing for all likely ones: without it blur is underestimated.
    pub share: f64,
    pub volume: f64,
}

impl Moments<f32> {
    /// Adam's step number `steps` of a scene that stays within [0, `brightest`].
    pub fn move_scene(
        &mut self,
        scene: &mut Clip,
        slope: &[f32],
        rate: f32,
        steps: i32,
        brightest: f32,
    ) {
        let (b1, b2) = (0.9f32, 0.99f32);
        let rate = rate / (1.0 - b1.powi(steps));
        let unbias = 1.0 / (1.0 - b2.powi(steps)).sqrt();
        let moments = self.first.iter_mut().zip(&mut self.second);
        let places = scene.data_mut().iter_mut();
        for ((x, &g), (m, v)) in places.zip(slope).zip(moments) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *x = (*x - rate * *m / (v.sqrt() * unbias + 1e-10)).clamp(0.0, brightest);
        }
    }
}

impl Moments<f64> {
    /// Adam's step number `steps` of what `place` are, each at its own rate.
    pub fn move_others<'a>(
        &mut self,
        places: impl Iterator<Item = &'a mut f64>,
        slope: &[f64],
        rate: impl Fn(usize) -> f64,
        steps: i32,
    ) {
        let (b1, b2) = (0.9f64, 0.99f64);
        let (u1, u2) = (1.0 - b1.powi(steps), 1.0 - b2.powi(steps));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for (k, ((place, &g), (m, v))) in places.zip(slope).zip(moments).enumerate() {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *place -= rate(k) * (*m / u1) / ((*v / u2).sqrt() + 1e-14);
        }
    }
}

/// Recorded value = gain * intensity + offset.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    pub gain: f32,
    pub offset: f64,
    /// Whether brightness and offset are fitted.
    pub fitted: bool,
}

impl Light {
    /// The brightest amplitude that a scene may have.
    pub fn brightest(self) -> f32 {
        if self.fitted { BRIGHTEST } else { 1.0 }
    }
}

/// A hypothesis: an aberration, the scene under it, and what they leave of the measurement.
#[derive(Clone)]
pub struct Joint {
    pub estimate: Clip,
    pub point: Point,
    pub light: Light,
    /// Half the squared residual at the last step's start.
    pub misfit: f64,
    measured: Measurement,
    /// The measurement's smallest value bounds the offset: intensities are not negative.
    lowest: f64,
    scene: Moments<f32>,
    others: Moments<f64>,
    steps: i32,
}

/// Adam's moments of a gradient.
#[derive(Clone)]
pub(super) struct Moments<T> {
    pub first: Vec<T>,
    pub second: Vec<T>,
}

impl<T: Copy + Default> Moments<T> {
    pub fn new(len: usize) -> Self {
        Self {
            first: vec![T::default(); len],
            second: vec![T::default(); len],
        }
    }
}

impl Joint {
    /// Steps between two fits of brightness and offset.
    const LEVEL_EVERY: i32 = 5;

    pub fn new(measured: Measurement, point: Point, light: Light, lowest: f64) -> Self {
        let len = measured.shape().len();
        let others = MODES.len() + point.scene.len();
        Self {
            estimate: first_guess(&measured, light, &point.coefficients),
            point,
            light,
            misfit: f64::INFINITY,
            measured,
            lowest,
            scene: Moments::new(len),
            others: Moments::new(others),
            steps: 0,
        }
    }

    /// Starts the scene again from the measurement, which undoes what a scene that had not
    /// converged taught the coefficients.
    pub fn restart(&mut self) {
        self.estimate = first_guess(&self.measured, self.light, &self.point.coefficients);
        self.scene = Moments::new(self.measured.shape().len());
        self.others = Moments::new(self.others.first.len());
        self.steps = 0;
    }

    /// Root mean square of the residual, in units of the measurement.
    pub fn residual_rms(&self) -> f64 {
        (2.0 * self.misfit / self.measured.shape().len() as f64).sqrt()
    }

    /// Minus the log-posterior at this weight of the prior, but for what all hypotheses share.
    pub fn nats(&self, prior: &SpaceTime, weight: f64) -> f64 {
        (self.misfit + weight * prior.value(&self.estimate)) * NATS / weight
    }

    /// Mean over root mean square of the scene's gradient, the frame's edge left out: low where
    /// few edges hold all contrast. Blur raises it as much as the ringing of a wrong
    /// deconvolution does, whatever the contrast (after Krishnan et al., 2011).
    pub fn sparsity(&self) -> f64 {
        const EDGE: usize = 2;
        let shape = self.estimate.shape();
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
        for frame in self.estimate.frames() {
            for row in EDGE..shape.height - EDGE - 1 {
                for column in EDGE..shape.width - EDGE - 1 {
                    let at = row * shape.width + column;
                    let right = f64::from(frame[at + 1] - frame[at]);
                    let down = f64::from(frame[at + shape.width] - frame[at]);
                    let square = right * right + down * down;
                    sum += square.sqrt();
                    squares += square;
                    count += 1.0;
                }
            }
        }
        (sum / count) / (squares / count).sqrt().max(1e-9)
    }

    pub fn model(&self) -> Result<ZernikeBlur, SolverError> {
        Ok(ZernikeBlur::new(
            self.measured.shape(),
            self.point.coefficients.clone(),
        )?)
    }

    /// One step of Adam on ||residual||^2 / 2 + weight (prior + spectral evidence).
    pub fn step(
        &mut self,
        model: &mut ZernikeBlur,
        prior: &SpaceTime,
        whittle: &Whittle,
        weight: f64,
        rates: Rates,
    ) -> Result<(), SolverError> {
        model.set_parameters(&self.point.coefficients)?;
        let free = rates.coefficients > 0.0 || rates.tilt > 0.0;
        let linearised = model.linearise(&self.estimate);
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        let predicted = linearised.measurement.map(|a| gain * a + offset);
        let residual = self.measured.residual(&predicted);
        let pulled = (linearised.pullback)(&residual, free);
        drop(linearised);
        let mut slope = pulled.video.into_data();
        slope.iter_mut().for_each(|s| *s *= gain);
        prior.add_gradient(&self.estimate, weight as f32, &mut slope);
        let squares = residual.data().iter().map(|&r| f64::from(r) * f64::from(r));
        self.misfit = 0.5 * squares.sum::<f64>();
        if !self.misfit.is_finite() {
            return Err(SolverError::Diverged {
                step: self.steps as usize + 1,
                advice: "check the measurement for values that are huge or not finite",
            });
        }
        self.steps += 1;
        let shifted = free.then(|| gradients(&self.estimate));
        let scene_slope = slope;
        if let Some(shifted) = &shifted {
            let mut slope: Vec<f64> = pulled
                .parameters
                .iter()
                .map(|p| f64::from(gain) * p)
                .collect();
            let scale = rates.share * weight / NATS;
            let spectral = whittle.slope(&self.point);
            for (o, g) in slope.iter_mut().zip(&spectral.coefficients) {
                *o += scale * g;
            }
            if rates.volume > 0.0 {
                let volume = whittle.volume_slope(&self.point);
                let scale = rates.volume * weight / NATS;
                for (o, g) in slope.iter_mut().zip(&volume) {
                    *o += scale * g;
                }
            }
            slope.extend(spectral.scene.iter().map(|g| scale * g));
            // A tilt shifts the picture, which the scene could only follow slowly: they move
            // together, and the border alone decides.
            for (tilt, gradient) in slope[1..3].iter_mut().zip(shifted) {
                *tilt -= PIXELS_PER_RADIAN * dot(&scene_slope, gradient);
            }
            let before = [self.point.coefficients[1], self.point.coefficients[2]];
            self.move_others(&slope, rates);
            for (k, gradient) in shifted.iter().enumerate() {
                let by = PIXELS_PER_RADIAN * (self.point.coefficients[k + 1] - before[k]);
                let places = self.estimate.data_mut().iter_mut().zip(gradient);
                places.for_each(|(x, g)| *x -= by as f32 * g);
            }
        }
        let brightest = self.light.brightest();
        self.scene.move_scene(
            &mut self.estimate,
            &scene_slope,
            rates.scene,
            self.steps,
            brightest,
        );
        if self.light.fitted && self.steps % Self::LEVEL_EVERY == 1 {
            self.level(model)?;
        }
        Ok(())
    }

    fn move_others(&mut self, slope: &[f64], rates: Rates) {
        let coefficients = self.point.coefficients.iter_mut();
        let places = coefficients.chain(&mut self.point.scene);
        let rate = |k: usize| match k {
            // Piston changes nothing.
            0 => 0.0,
            1 | 2 => rates.tilt,
            k if k < MODES.len() => rates.coefficients,
            _ => 0.5 * rates.coefficients,
        };
        self.others.move_others(places, slope, rate, self.steps);
    }

    /// The brightness and the offset of least squares. The prior does not see them, and all
    /// but the border tells them apart slowly.
    fn level(&mut self, model: &mut ZernikeBlur) -> Result<(), SolverError> {
        let shape = self.measured.shape();
        let plane = Shape::new(1, shape.height, shape.width);
        model.set_parameters(&self.point.coefficients)?;
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        let flat = ZernikeBlur::new(plane, self.point.coefficients.clone())?
            .apply(&Clip::filled(plane, gain));
        let predicted = model.apply(&self.estimate).map(|a| gain * a + offset);
        let residual = self.measured.residual(&predicted);
        let flat = flat.data().repeat(shape.frames);
        let highest = self.lowest - self.light.offset;
        if let Some((raised, brighter)) = levels(residual.data(), &flat, highest) {
            self.light.offset += raised;
            brighten(&mut self.estimate, brighter, self.light.brightest());
        }
        Ok(())
    }
}

/// By how much the offset, at most by `highest`, and the brightness are raised to explain most
/// of a residual, of which `flat` is what brightness 1 adds.
pub(super) fn levels(residual: &[f32], flat: &[f32], highest: f64) -> Option<(f64, f32)> {
    let (mut ff, mut f1, mut fr, mut r1) = (0.0, 0.0, 0.0, 0.0);
    for (r, f) in residual.iter().zip(flat) {
        let (rest, f) = (-f64::from(*r), f64::from(*f));
        ff += f * f;
        f1 += f;
        fr += f * rest;
        r1 += rest;
    }
    let n = residual.len() as f64;
    let raised = ((ff * r1 - f1 * fr) / (ff * n - f1 * f1)).min(highest);
    let brighter = ((fr - raised * f1) / ff) as f32;
    (raised.is_finite() && brighter.is_finite()).then_some((raised, brighter))
}

/// Adds to all of a scene.
pub(super) fn brighten(scene: &mut Clip, by: f32, brightest: f32) {
    for x in scene.data_mut() {
        *x = (*x + by).clamp(0.0, brightest);
    }
}

/// The scene's slopes along columns and along rows, one pixel apart, that tilts (1,-1) and
/// (1,1) shift it by.
pub(super) fn gradients(clip: &Clip) -> [Vec<f32>; 2] {
    let shape = clip.shape();
    let (height, width) = (shape.height, shape.width);
    let mut out = [vec![0.0f32; shape.len()], vec![0.0f32; shape.len()]];
    for (t, frame) in clip.frames().enumerate() {
        let start = t * shape.frame_len();
        for row in 0..height {
            for column in 0..width {
                let at = row * width + column;
                if column > 0 && column + 1 < width {
                    out[0][start + at] = 0.5 * (frame[at + 1] - frame[at - 1]);
                }
                if row > 0 && row + 1 < height {
                    out[1][start + at] = 0.5 * (frame[at + width] - frame[at - width]);
                }
            }
        }
    }
    out
}

/// The measurement over gain and the energy of a point spread function, moved back by as much
/// as that moves a picture: a start that favours no tilt. Coefficients are ten, or ten a frame.
pub(super) fn first_guess(measured: &Measurement, light: Light, coefficients: &[f64]) -> Clip {
    let scale = 1.0 / (light.gain * ENERGY);
    let brightest = light.brightest();
    let offset = light.offset as f32;
    let shape = measured.shape();
    let pupil = Pupil::new();
    let centres: Vec<[isize; 2]> = coefficients
        .chunks_exact(MODES.len())
        .map(|coefficients| centre(&pupil.psf(coefficients).values))
        .collect();
    let within =
        |at: usize, by: isize, size: usize| (at as isize - by).clamp(0, size as isize - 1) as usize;
    let mut out = Vec::with_capacity(shape.len());
    for (t, frame) in measured.values().frames().enumerate() {
        let [down, right] = centres[t.min(centres.len() - 1)];
        for row in 0..shape.height {
            let start = within(row, down, shape.height) * shape.width;
            for column in 0..shape.width {
                let y = frame[start + within(column, right, shape.width)];
                out.push(((y - offset) * scale).clamp(0.0, brightest));
            }
        }
    }
    Clip::new(shape, out)
}

/// Whole pixels that a point spread function's centre of mass lies below and right of the one
/// that stands for no shift.
fn centre(psf: &[f32]) -> [isize; 2] {
    const MIDDLE: f64 = (PSF_SIZE / 2 - 1) as f64;
    let (mut sum, mut down, mut right) = (0.0, 0.0, 0.0);
    for (i, &v) in psf.iter().enumerate() {
        let v = f64::from(v);
        sum += v;
        down += v * (i / PSF_SIZE) as f64;
        right += v * (i % PSF_SIZE) as f64;
    }
    [down, right].map(|s| (s / sum - MIDDLE).round() as isize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::Scene;

    fn under(coefficients: &[f64], scene: &Clip) -> Clip {
        ZernikeBlur::new(scene.shape(), coefficients.to_vec())
            .unwrap()
            .apply(scene)
    }

    /// What is moved with a tilt makes up for it away from the border.
    #[test]
    fn a_scene_moved_with_its_tilt_looks_the_same() {
        let scene = Scene::Walker.render(Shape::new(1, 64, 64), 2);
        let coefficients = [0.0, 0.3, -0.2, 0.5, 1.0, -0.4, 0.3, 0.2, -0.3, 0.4];
        let before = under(&coefficients, &scene);
        for k in [1, 2] {
            let mut tilted = coefficients;
            tilted[k] += 0.2;
            let gradient = &gradients(&scene)[k - 1];
            let by = (0.2 * PIXELS_PER_RADIAN) as f32;
            let mut moved = scene.clone();
            let places = moved.data_mut().iter_mut().zip(gradient);
            places.for_each(|(x, g)| *x -= by * g);
            let inside = |clip: Clip| -> f64 {
                let mut sum = 0.0;
                for row in 20..44 {
                    for column in 20..44 {
                        let at = row * 64 + column;
                        sum += f64::from(clip.data()[at] - before.data()[at]).powi(2);
                    }
                }
                sum.sqrt()
            };
            let alone = inside(under(&tilted, &scene));
            let together = inside(under(&tilted, &moved));
            assert!(together < 0.2 * alone, "{k}: {together} {alone}");
        }
    }

    #[test]
    fn a_start_moves_with_the_tilt() {
        let scene = Scene::Shapes.render(Shape::new(1, 64, 64), 2);
        let mut coefficients = [0.0, 0.0, 0.0, 0.2, 0.5, -0.4, 0.1, 0.2, -0.3, 0.1];
        let light = Light {
            gain: 1.0,
            offset: 0.0,
            fitted: false,
        };
        let start = |coefficients: &[f64]| {
            let measured = Measurement::exact(under(coefficients, &scene));
            first_guess(&measured, light, coefficients)
        };
        let before = start(&coefficients);
        coefficients[1] += 3.0 / PIXELS_PER_RADIAN;
        coefficients[2] -= 2.0 / PIXELS_PER_RADIAN;
        let after = start(&coefficients);
        for row in 24..40 {
            for column in 24..40 {
                let at = row * 64 + column;
                let change = (after.data()[at] - before.data()[at]).abs();
                assert!(change < 0.03, "{row} {column}: {change}");
            }
        }
    }

    #[test]
    fn brightness_and_offset_are_told_apart_by_the_border() {
        let shape = Shape::new(2, 48, 48);
        let scene = Clip::filled(shape, 0.6);
        let coefficients = vec![0.0, 0.3, -0.2, 0.5, 1.0, -0.4, 0.3, 0.2, -0.3, 0.4];
        let gain = 0.5;
        let recorded = under(&coefficients, &scene).map(|v| gain * v - 0.1);
        let lowest = f64::from(recorded.range().0);
        let whittle = Whittle::new(&recorded);
        let point = whittle.start(coefficients);
        let light = Light {
            gain,
            offset: -0.03,
            fitted: true,
        };
        let mut joint = Joint::new(Measurement::exact(recorded), point, light, lowest);
        joint.estimate = Clip::filled(shape, 0.3);
        let mut model = joint.model().unwrap();
        joint.level(&mut model).unwrap();
        assert!((joint.light.offset + 0.1).abs() < 1e-4, "{:?}", joint.light);
        assert!((joint.estimate.data()[0] - 0.6).abs() < 1e-3);
    }
}
