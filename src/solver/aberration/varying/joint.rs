//! Scene, aberrations and exposure of a clip together: descent on the posterior.

use super::canvas::Canvas;
use super::squares_between;
use crate::clip::{Clip, Shape};
use crate::physics::zernike::{MODES, Pupil};
use crate::physics::{ForwardModel, ZernikeBlur, dot};
use crate::prior::SpaceTime;
use crate::solver::aberration::joint::{
    Light, Moments, NATS, brighten, first_guess, gradients, levels,
};
use crate::solver::aberration::{COEFFICIENT_RAD, PIXELS_PER_RADIAN, turned};
use crate::solver::{Measurement, SolverError};

/// Adam's steps: in units of amplitude, in radians, and in pixels.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    pub scene: f32,
    pub coefficients: f64,
    /// Of the camera.
    pub camera_px: f64,
}

/// What is asked of an iteration.
#[derive(Clone, Copy, Debug)]
pub struct Objective {
    /// The prior's weight.
    pub weight: f64,
    /// Where the loss of a residual bends, in units of the measurement: what moves in a scene
    /// that is taken for still must not count much.
    pub bend: Option<f32>,
    /// Standard deviation of a coefficient's step from frame to frame, in radians.
    pub step_rad: Option<f64>,
}

/// Standard deviation of how far a camera is from passing evenly over a scene, in pixels.
const JITTER_PX: f64 = 0.3;

/// The loss of a residual that bends (Cauchy), and its slope.
pub fn bent(residual: &Clip, bend: f32) -> (f64, Clip) {
    let b = f64::from(bend);
    let loss = |r: &f32| 0.5 * b * b * (f64::from(*r) / b).powi(2).ln_1p();
    let total = residual.data().iter().map(loss).sum();
    (total, residual.map(|r| r / (1.0 + (r / bend).powi(2))))
}

/// A hypothesis about all frames.
#[derive(Clone)]
pub struct Joint {
    /// The picture that all frames show, or one a frame.
    pub scene: Clip,
    pub canvas: Canvas,
    /// Ten a frame, in radians.
    pub coefficients: Vec<f64>,
    pub light: Light,
    /// Half the squared residual of each frame, at the last step's start.
    misfits: Vec<f64>,
    loss: f64,
    measured: Measurement,
    lowest: f64,
    moments: Moments<f32>,
    others: Moments<f64>,
    common: Moments<f64>,
    camera: Moments<f64>,
    steps: i32,
}

impl Joint {
    /// Steps between two fits of brightness and offset.
    const LEVEL_EVERY: i32 = 5;

    /// With one picture for all frames.
    pub fn new(
        measured: Measurement,
        coefficients: Vec<f64>,
        light: Light,
        canvas: Canvas,
    ) -> Self {
        let lowest = f64::from(measured.values().range().0);
        let first = first_guess(&measured, light, &coefficients);
        let scene = canvas.picture_of(&first);
        let mut joint = Self {
            moments: Moments::new(0),
            others: Moments::new(0),
            common: Moments::new(0),
            camera: Moments::new(0),
            misfits: vec![f64::INFINITY; measured.shape().frames],
            loss: f64::INFINITY,
            scene,
            canvas,
            coefficients,
            light,
            measured,
            lowest,
            steps: 0,
        };
        joint.calm();
        joint
    }

    /// The same coefficients, exposure and motion, the picture started again.
    pub fn restarted(&self) -> Self {
        let (measured, coefficients) = (self.measured.clone(), self.coefficients.clone());
        Self::new(measured, coefficients, self.light, self.canvas.clone())
    }

    /// The one picture as a start for each frame's own.
    pub fn spread(&self) -> Self {
        let mut own = self.clone();
        let extent = self.canvas.extent(self.frames());
        own.scene = Clip::new(extent, self.scene.data().repeat(extent.frames));
        own.calm();
        own
    }

    /// Forgets where it was going.
    pub fn calm(&mut self) {
        self.moments = Moments::new(self.scene.shape().len());
        self.others = Moments::new(self.coefficients.len());
        self.common = Moments::new(2);
        self.camera = Moments::new(2 * self.frames());
        self.steps = 0;
    }

    pub fn frames(&self) -> usize {
        self.measured.shape().frames
    }

    /// The coefficients of a frame.
    pub fn of_frame(&self, frame: usize) -> &[f64] {
        &self.coefficients[frame * MODES.len()..(frame + 1) * MODES.len()]
    }

    pub fn of_frame_mut(&mut self, frame: usize) -> &mut [f64] {
        &mut self.coefficients[frame * MODES.len()..(frame + 1) * MODES.len()]
    }

    /// The scene of every frame.
    pub fn full(&self) -> Clip {
        self.canvas.frames(&self.scene)
    }

    /// Of the residual at the last step's start, where it bent.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    /// The point spread function of each frame.
    pub fn psfs(&self) -> Vec<Vec<f32>> {
        let pupil = Pupil::new();
        let frames = self.coefficients.chunks_exact(MODES.len());
        frames.map(|c| pupil.psf(c).values).collect()
    }

    /// Of the two signs of even modes that change nothing, each frame gets those nearer to the
    /// frame before.
    pub fn align(&mut self) {
        let count = MODES.len();
        for t in 1..self.frames() {
            let (before, now) = self.coefficients.split_at_mut(t * count);
            let (before, now) = (&before[(t - 1) * count..], &mut now[..count]);
            let other = turned(now);
            if squares_between(before, &other) < squares_between(before, now) {
                now.copy_from_slice(&other);
            }
        }
    }

    /// Root mean square of each frame's residual, in units of the measurement.
    pub fn residual_rms(&self) -> Vec<f64> {
        let n = self.measured.shape().frame_len() as f64;
        self.misfits.iter().map(|m| (2.0 * m / n).sqrt()).collect()
    }

    pub fn model(&self) -> Result<ZernikeBlur, SolverError> {
        let shape = self.measured.shape();
        Ok(ZernikeBlur::new(shape, self.coefficients.clone())?)
    }

    /// One step of Adam on the loss of the residual + weight (prior + what is known of the
    /// coefficients).
    pub fn step(
        &mut self,
        model: &mut ZernikeBlur,
        prior: &SpaceTime,
        objective: Objective,
        rates: Rates,
    ) -> Result<(), SolverError> {
        model.set_parameters(&self.coefficients)?;
        let free = rates.coefficients > 0.0;
        let shape = self.measured.shape();
        let full = self.full();
        let linearised = model.linearise(&full);
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        let predicted = linearised.measurement.map(|a| gain * a + offset);
        let mut residual = self.measured.residual(&predicted);
        self.misfits = residual.frames().map(|f| 0.5 * dot(f, f)).collect();
        if self.misfits.iter().any(|m| !m.is_finite()) {
            return Err(SolverError::Diverged {
                step: self.steps as usize + 1,
                advice: "check the measurement for values that are huge or not finite",
            });
        }
        if let Some(bend) = objective.bend {
            (self.loss, residual) = bent(&residual, bend);
        }
        let pulled = (linearised.pullback)(&residual, free);
        drop(linearised);
        let mut slope: Vec<f32> = pulled.video.into_data();
        slope.iter_mut().for_each(|s| *s *= gain);
        let frame_slope = slope.clone();
        let mut weight = objective.weight as f32;
        let pictures = self.scene.shape().frames;
        slope = self.canvas.pull(&slope, pictures);
        weight *= (shape.frames / pictures) as f32;
        prior.add_gradient(&self.scene, weight, &mut slope);
        self.steps += 1;
        if free {
            let parameters = pulled.parameters.iter();
            let mut others: Vec<f64> = parameters.map(|p| f64::from(gain) * p).collect();
            self.add_prior(objective, &mut others);
            self.move_camera(
                &full,
                &frame_slope,
                &others,
                objective.weight / NATS,
                rates.camera_px,
            );
            self.move_others(others, &slope, rates.coefficients);
        }
        let brightest = self.light.brightest();
        self.moments
            .move_scene(&mut self.scene, &slope, rates.scene, self.steps, brightest);
        if self.light.fitted && self.steps % Self::LEVEL_EVERY == 1 {
            self.level(model)?;
        }
        Ok(())
    }

    /// What is known of coefficients before anything was measured.
    fn add_prior(&self, objective: Objective, slope: &mut [f64]) {
        let count = MODES.len();
        let scale = objective.weight / NATS;
        for (g, c) in slope.iter_mut().zip(&self.coefficients) {
            *g += scale * c / (COEFFICIENT_RAD * COEFFICIENT_RAD);
        }
        if let Some(step_rad) = objective.step_rad {
            for later in count..slope.len() {
                let step = self.coefficients[later] - self.coefficients[later - count];
                let pull = scale * step / (step_rad * step_rad);
                slope[later] += pull;
                slope[later - count] -= pull;
            }
        }
    }

    /// Where all frames lie moves the scene with it, which could only follow slowly: the border
    /// alone decides. How they lie to each other is left to the frames.
    fn move_others(&mut self, mut slope: Vec<f64>, scene_slope: &[f32], rate: f64) {
        let (count, frames) = (MODES.len(), self.frames());
        let shifted = gradients(&self.scene);
        let mut common = [0.0; 2];
        for (k, common) in common.iter_mut().enumerate() {
            let tilts = slope.iter_mut().skip(k + 1).step_by(count);
            let sum: f64 = tilts.map(|s| *s).sum();
            let tilts = slope.iter_mut().skip(k + 1).step_by(count);
            tilts.for_each(|s| *s -= sum / frames as f64);
            *common = sum - PIXELS_PER_RADIAN * dot(scene_slope, &shifted[k]);
        }
        let before = self.means();
        let rate_of = |i: usize| match i % count {
            // Piston changes nothing.
            0 => 0.0,
            1 | 2 => 0.5 * rate,
            _ => rate,
        };
        let places = self.coefficients.iter_mut();
        self.others.move_others(places, &slope, rate_of, self.steps);
        let after = self.means();
        let mut by = [0.0; 2];
        self.common
            .move_others(by.iter_mut(), &common, |_| 0.3 * rate, self.steps);
        for k in 0..2 {
            let back = by[k] - (after[k] - before[k]);
            let tilts = self.coefficients.iter_mut().skip(k + 1).step_by(count);
            tilts.for_each(|c| *c += back);
            let px = (PIXELS_PER_RADIAN * by[k]) as f32;
            let places = self.scene.data_mut().iter_mut().zip(&shifted[k]);
            places.for_each(|(x, g)| *x -= px * g);
        }
    }

    /// Motion and tilts that make up for it look the same but for the border, which decides.
    fn move_camera(&mut self, full: &Clip, slope: &[f32], others: &[f64], scale: f64, rate: f64) {
        if !self.canvas.moves() {
            return;
        }
        let count = MODES.len();
        let shifted = gradients(full);
        let n = full.shape().frame_len();
        let mut along = Vec::with_capacity(2 * self.frames());
        for t in 0..self.frames() {
            let frame = t * n..(t + 1) * n;
            for k in 0..2 {
                let moved = dot(&slope[frame.clone()], &shifted[k][frame.clone()]);
                along.push(moved - others[t * count + k + 1] / PIXELS_PER_RADIAN);
            }
        }
        // Cameras shake little.
        let jitter = self.canvas.off_a_line();
        for (t, off) in jitter.iter().enumerate() {
            for k in 0..2 {
                along[2 * t + k] += scale * off[k] / (JITTER_PX * JITTER_PX);
            }
        }
        let mut by = vec![0.0; along.len()];
        self.camera
            .move_others(by.iter_mut(), &along, |_| rate, self.steps);
        for k in 0..2 {
            // What all move is the scene's place on the canvas.
            let mean = by.iter().skip(k).step_by(2).sum::<f64>() / self.frames() as f64;
            for (t, place) in self.canvas.places_px.iter_mut().enumerate() {
                let by = by[2 * t + k] - mean;
                place[k] += by;
                self.coefficients[t * count + k + 1] -= by / PIXELS_PER_RADIAN;
            }
        }
    }

    /// Mean tilts.
    fn means(&self) -> [f64; 2] {
        [1, 2].map(|k| {
            let tilts = self.coefficients.iter().skip(k).step_by(MODES.len());
            tilts.sum::<f64>() / self.frames() as f64
        })
    }

    fn level(&mut self, model: &mut ZernikeBlur) -> Result<(), SolverError> {
        let shape: Shape = self.measured.shape();
        model.set_parameters(&self.coefficients)?;
        let (gain, offset) = (self.light.gain, self.light.offset as f32);
        let flat = model.apply(&Clip::filled(shape, gain));
        let predicted = model.apply(&self.full()).map(|a| gain * a + offset);
        let residual = self.measured.residual(&predicted);
        let highest = self.lowest - self.light.offset;
        if let Some((raised, brighter)) = levels(residual.data(), flat.data(), highest) {
            self.light.offset += raised;
            brighten(&mut self.scene, brighter, self.light.brightest());
        }
        Ok(())
    }
}
