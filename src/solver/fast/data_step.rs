//! Fitting a denoised video to the data.

use super::config::Free;
use super::gauss_newton::GaussNewton;
use crate::clip::Clip;
use crate::noise::Noise;
use crate::physics::ForwardModel;
use crate::solver::{Measurement, SolverError};

/// What a data step minimises: ||A(x) - y||^2 / noise^2 + pull / sigma^2 ||x - z||^2.
pub(super) struct Problem<'a> {
    pub measurement: &'a Measurement,
    pub noise: f64,
    pub sigma: f64,
    pub pull: f64,
    pub free: &'a [Free],
}

impl Problem<'_> {
    /// The weight of ||x - z||^2 beside ||A(x) - y||^2.
    pub fn weight(&self) -> f64 {
        self.pull * (self.noise / self.sigma).powi(2)
    }
}

/// A data step under way.
pub(super) enum DataStep {
    Done(Clip),
    GaussNewton(Box<GaussNewton>),
}

impl DataStep {
    /// The step of a model with an exact one towards `z`. A saturated pixel that `z` predicts
    /// above its ceiling is taken for what `z` predicts.
    pub fn closed_form(
        model: &dyn ForwardModel,
        problem: &Problem,
        mut z: Clip,
        draw: Option<&mut Noise>,
    ) -> Self {
        let agreeing = problem.measurement.agreeing(|| model.apply(&z));
        let mut y = agreeing.into_owned();
        if let Some(draw) = draw {
            perturb(&mut y, problem.noise, draw);
            perturb(&mut z, problem.sigma / problem.pull.sqrt(), draw);
        }
        let exact = model.exact_data_step(&z, &y, problem.weight());
        Self::Done(exact.unwrap_or(z).map(|v| v.clamp(0.0, 1.0)))
    }

    /// The step of any model.
    ///
    /// # Errors
    /// A forward model that refuses values within its own bounds.
    pub fn gauss_newton(
        model: &mut dyn ForwardModel,
        problem: &Problem,
        x: &Clip,
        mut z: Clip,
        draw: Option<&mut Noise>,
    ) -> Result<Self, SolverError> {
        let predicted = model.apply(x);
        let mut misfit = problem.measurement.residual(&predicted);
        if let Some(draw) = draw {
            perturb(&mut misfit, problem.noise, draw);
            perturb(&mut z, problem.sigma / problem.pull.sqrt(), draw);
        }
        let slope = problem.measurement.slope(&predicted);
        let step = GaussNewton::new(
            model,
            x,
            &predicted,
            slope,
            misfit,
            z,
            problem.weight(),
            problem.free,
        )?;
        Ok(Self::GaussNewton(Box::new(step)))
    }

    pub fn iterate(&mut self, model: &dyn ForwardModel, count: usize) {
        if let Self::GaussNewton(step) = self {
            step.iterate(model, count);
        }
    }

    /// The video so far, in [0, 1].
    pub fn video(&self) -> Clip {
        match self {
            Self::Done(video) => video.clone(),
            Self::GaussNewton(step) => step.video(),
        }
    }

    /// The video reached, in [0, 1]; the model gets the parameters reached.
    ///
    /// # Errors
    /// A forward model that refuses values within its own bounds.
    pub fn finish(
        &mut self,
        model: &mut dyn ForwardModel,
        free: &[Free],
    ) -> Result<Clip, SolverError> {
        if let Self::GaussNewton(step) = self
            && !free.is_empty()
        {
            model.set_parameters(&step.values())?;
        }
        Ok(self.video())
    }
}

fn perturb(clip: &mut Clip, by: f64, draw: &mut Noise) {
    for value in clip.data_mut() {
        *value += (by * draw.normal()) as f32;
    }
}
