use std::sync::atomic::{AtomicBool, Ordering};

use serde::Serialize;

use crate::solver::{Progress, Solver, SolverError};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Finished,
    /// Stopped between two steps; the solver holds the estimate it had reached.
    Cancelled,
}

/// Steps `solver` until it is finished, or `cancel` is set.
///
/// # Errors
/// A step that failed; the solver keeps the estimate of the step before.
pub fn drive(
    solver: &mut dyn Solver,
    cancel: &AtomicBool,
    on_step: &mut dyn FnMut(&Progress, &dyn Solver),
) -> Result<Outcome, SolverError> {
    while solver.steps_done() < solver.total_steps() {
        if cancel.load(Ordering::SeqCst) {
            return Ok(Outcome::Cancelled);
        }
        let progress = solver.step()?;
        on_step(&progress, solver);
    }
    Ok(Outcome::Finished)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Shape};
    use crate::physics::Dehaze;
    use crate::solver::{Instant, InstantConfig, Measurement};

    fn solver(iterations: usize) -> Instant {
        let shape = Shape::new(1, 4, 4);
        let config = InstantConfig {
            iterations,
            ..InstantConfig::for_noise(0.0)
        };
        let measurement = Measurement::exact(Clip::filled(shape, 0.7));
        Instant::new(Box::new(Dehaze::new(shape).unwrap()), measurement, config).unwrap()
    }

    #[test]
    fn every_step_is_reported_until_the_end() {
        let mut seen = Vec::new();
        let cancel = AtomicBool::new(false);
        let mut solver = solver(4);
        let outcome = drive(&mut solver, &cancel, &mut |p, _| seen.push(p.done)).unwrap();
        assert_eq!((outcome, seen), (Outcome::Finished, vec![1, 2, 3, 4]));
    }

    #[test]
    fn cancelling_stops_before_the_next_step() {
        let cancel = AtomicBool::new(false);
        let mut solver = solver(100);
        let mut on_step = |p: &Progress, _: &dyn Solver| {
            cancel.store(p.done == 3, Ordering::SeqCst);
        };
        let outcome = drive(&mut solver, &cancel, &mut on_step).unwrap();
        assert_eq!((outcome, solver.steps_done()), (Outcome::Cancelled, 3));
    }
}
