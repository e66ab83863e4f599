//! Changing a solver while it runs.

use serde::Serialize;

use super::{Finding, Progress, Solver, SolverError};
use crate::clip::Clip;
use crate::physics::ForwardModel;

/// What can be changed between two steps.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Multiplies the published guidance of the reference method.
    Guidance(f64),
    /// All later noise of the reference method is drawn from this seed.
    Seed(u64),
    /// The distance of every frame, in mm.
    Distance(f64),
    /// The blur width of every frame, in pixels.
    Sigma(f64),
    /// The ten Zernike coefficients of every frame, in radians.
    Coefficients(Vec<f64>),
}

impl Change {
    /// What changes, in words.
    pub fn subject(&self) -> &'static str {
        match self {
            Self::Guidance(_) => "the guidance",
            Self::Seed(_) => "the seed",
            Self::Distance(_) => "the distance",
            Self::Sigma(_) => "the blur width",
            Self::Coefficients(_) => "the coefficients",
        }
    }

    /// The error of a solver that cannot change this.
    pub(super) fn refused(&self) -> SolverError {
        SolverError::Fixed(self.subject())
    }

    /// Changes a model's parameters.
    ///
    /// # Errors
    /// A change of something else, a model without such parameters, values out of bounds;
    /// nothing changes then.
    pub(super) fn apply_to(&self, model: &mut dyn ForwardModel) -> Result<(), SolverError> {
        let parameters = model.parameters();
        let mut values: Vec<f64> = parameters.iter().map(|p| p.value).collect();
        let named = |name: &str| -> Vec<usize> {
            let places = parameters.iter().enumerate();
            let places = places.filter(|(_, parameter)| parameter.name == name);
            places.map(|(place, _)| place).collect()
        };
        let (places, new) = match self {
            Self::Distance(mm) => (named("distance"), std::slice::from_ref(mm)),
            Self::Sigma(px) => (named("sigma"), std::slice::from_ref(px)),
            Self::Coefficients(coefficients) => {
                let places = parameters.iter().enumerate();
                let places = places.filter(|(_, parameter)| parameter.zernike.is_some());
                (places.map(|(place, _)| place).collect(), &coefficients[..])
            }
            Self::Guidance(_) | Self::Seed(_) => return Err(self.refused()),
        };
        if places.is_empty() || places.len() % new.len().max(1) != 0 {
            return Err(self.refused());
        }
        for (place, value) in places.into_iter().zip(new.iter().cycle()) {
            values[place] = *value;
        }
        Ok(model.set_parameters(&values)?)
    }
}

/// A change with the number of steps done before it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TimedChange {
    pub step: usize,
    pub change: Change,
}

/// A solver that is changed at given steps, and remembers every change.
///
/// A run that was changed by hand is therefore repeated by the changes it remembers, and a run
/// branches at a step by repeating it up to there.
pub struct Changing {
    solver: Box<dyn Solver>,
    /// In the order of their steps; those before `next` were made.
    changes: Vec<TimedChange>,
    next: usize,
}

impl Changing {
    /// # Errors
    /// A change at a step that does not come.
    pub fn new(
        solver: Box<dyn Solver>,
        mut changes: Vec<TimedChange>,
    ) -> Result<Self, SolverError> {
        changes.sort_by_key(|change| change.step);
        let changing = Self {
            solver,
            changes,
            next: 0,
        };
        changing.check()?;
        Ok(changing)
    }

    /// A run may find out along the way that it takes fewer steps.
    fn check(&self) -> Result<(), SolverError> {
        let total = self.solver.total_steps();
        let late = self.changes[self.next..].last();
        match late.filter(|change| change.step >= total) {
            Some(change) => Err(SolverError::Setting {
                what: "the step of a change",
                value: change.step.to_string(),
                expected: "it must come before the run's last step",
            }),
            None => Ok(()),
        }
    }

    /// The changes made so far.
    pub fn made(&self) -> &[TimedChange] {
        &self.changes[..self.next]
    }
}

impl Solver for Changing {
    fn name(&self) -> &'static str {
        self.solver.name()
    }

    fn progress(&self) -> Progress {
        self.solver.progress()
    }

    fn step(&mut self) -> Result<Progress, SolverError> {
        let done = self.solver.steps_done();
        while let Some(due) = self.changes.get(self.next).filter(|due| due.step <= done) {
            self.solver.change(&due.change)?;
            self.next += 1;
        }
        let progress = self.solver.step()?;
        self.check()?;
        Ok(progress)
    }

    fn change(&mut self, change: &Change) -> Result<(), SolverError> {
        self.solver.change(change)?;
        let made = TimedChange {
            step: self.solver.steps_done(),
            change: change.clone(),
        };
        self.changes.insert(self.next, made);
        self.next += 1;
        Ok(())
    }

    fn estimate(&self) -> Clip {
        self.solver.estimate()
    }

    fn model(&self) -> &dyn ForwardModel {
        self.solver.model()
    }

    fn exposure(&self) -> (f64, f64) {
        self.solver.exposure()
    }

    fn findings(&self) -> Vec<Finding> {
        self.solver.findings()
    }

    fn notes(&self) -> Vec<String> {
        self.solver.notes()
    }

    fn evaluations(&self) -> usize {
        self.solver.evaluations()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::physics::{Dehaze, Optics, Scatter, ZernikeBlur};
    use crate::solver::{Instant, InstantConfig, Measurement};

    const SHAPE: Shape = Shape {
        frames: 2,
        height: 16,
        width: 16,
    };

    fn solver() -> Box<dyn Solver> {
        let model = Scatter::new(SHAPE, Optics::SYNTHETIC, vec![5.0, 6.0], 1.0).unwrap();
        let config = InstantConfig {
            iterations: 6,
            ..InstantConfig::for_noise(0.01)
        };
        let ramp = (0..SHAPE.len()).map(|i| (i % 16) as f32 / 16.0).collect();
        let measurement = Measurement::exact(Clip::new(SHAPE, ramp));
        Box::new(Instant::new(Box::new(model), measurement, config).unwrap())
    }

    fn finish(solver: &mut dyn Solver) -> Clip {
        while !solver.step().unwrap().is_finished() {}
        solver.estimate()
    }

    #[test]
    fn changes_by_hand_are_repeated_from_memory() {
        let mut by_hand = Changing::new(solver(), Vec::new()).unwrap();
        by_hand.step().unwrap();
        by_hand.step().unwrap();
        by_hand.change(&Change::Distance(5.5)).unwrap();
        by_hand.step().unwrap();
        by_hand.change(&Change::Sigma(1.5)).unwrap();
        let estimate = finish(&mut by_hand);
        let steps: Vec<usize> = by_hand.made().iter().map(|made| made.step).collect();
        assert_eq!(steps, [2, 3]);
        let mut repeated = Changing::new(solver(), by_hand.made().to_vec()).unwrap();
        assert_eq!(finish(&mut repeated), estimate);
        assert_ne!(finish(solver().as_mut()), estimate);
    }

    #[test]
    fn a_change_sets_every_frame_or_nothing() {
        let values = |model: &dyn ForwardModel| -> Vec<f64> {
            model.parameters().iter().map(|p| p.value).collect()
        };
        let mut scatter = Scatter::new(SHAPE, Optics::SYNTHETIC, vec![5.0, 6.0], 1.0).unwrap();
        Change::Distance(7.0).apply_to(&mut scatter).unwrap();
        assert_eq!(values(&scatter), [7.0, 7.0, 1.0]);
        assert!(Change::Sigma(-1.0).apply_to(&mut scatter).is_err());
        assert!(Change::Guidance(2.0).apply_to(&mut scatter).is_err());
        assert_eq!(values(&scatter), [7.0, 7.0, 1.0]);
        let mut zernike = ZernikeBlur::new(SHAPE, vec![0.0; 10]).unwrap();
        let wanted: Vec<f64> = (0..10).map(f64::from).map(|i| 0.1 * i).collect();
        let change = Change::Coefficients(wanted.clone());
        change.apply_to(&mut zernike).unwrap();
        assert_eq!(values(&zernike), wanted);
        let mut haze = Dehaze::new(SHAPE).unwrap();
        assert!(change.apply_to(&mut haze).is_err());
    }

    #[test]
    fn a_change_after_the_end_is_an_error() {
        let late = TimedChange {
            step: 6,
            change: Change::Sigma(1.0),
        };
        assert!(Changing::new(solver(), vec![late]).is_err());
    }
}
