//! Video that the prior alone makes up.

use super::{Prior, PriorError, Schedule};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;

/// The published sampler without a measurement: the reverse walk along a schedule (Ho et al.,
/// 2020), from noise to a video that the network finds likely.
///
/// A state machine like a solver: a step each, nothing printed, nothing spawned.
pub struct Sampler {
    prior: Box<dyn Prior>,
    schedule: Schedule,
    noise: Noise,
    done: usize,
    /// x_t of the next step.
    state: Clip,
    /// Signed x0 of the last step.
    estimate: Clip,
}

impl Sampler {
    /// `noise` gives x_T first, then the noise of each step in order.
    ///
    /// # Errors
    /// A shape that the network cannot take.
    pub fn new(
        prior: Box<dyn Prior>,
        schedule: Schedule,
        shape: Shape,
        mut noise: Noise,
    ) -> Result<Self, PriorError> {
        prior.check_shape(shape)?;
        Ok(Self {
            state: noise.normal_clip(shape),
            estimate: Clip::zeros(shape),
            prior,
            schedule,
            noise,
            done: 0,
        })
    }

    pub fn steps_done(&self) -> usize {
        self.done
    }

    pub fn total_steps(&self) -> usize {
        self.schedule.len()
    }

    /// One step; after the last one this changes nothing.
    ///
    /// # Errors
    /// A device that failed; the state stays.
    pub fn step(&mut self) -> Result<(), PriorError> {
        let total = self.total_steps();
        if self.done == total {
            return Ok(());
        }
        let step = self.schedule.step(total - 1 - self.done);
        let eps = self.prior.predict(&self.state, step.t)?;
        let clean = |x, e| step.clean(x, e).clamp(-1.0, 1.0);
        self.estimate = self.state.zip(&eps, clean);
        let mut next = self.estimate.zip(&self.state, |x0, x| step.mean(x0, x));
        self.done += 1;
        if self.done < total {
            let noise = self.noise.normal_clip(next.shape());
            next = next.zip(&noise, |v, z| v + step.noise_scale() * z);
        }
        self.state = next;
        Ok(())
    }

    /// What the video looks like so far: amplitudes in [0, 1].
    pub fn estimate(&self) -> Clip {
        self.estimate.map(|x| (x + 1.0) / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::Pullback;

    /// Knows the one video there is.
    struct Knows(Schedule, f32);

    impl Prior for Knows {
        fn predict(&self, x_t: &Clip, t: usize) -> Result<Clip, PriorError> {
            let alpha_bar = self.0.step(t).alpha_bar;
            let (signal, noise) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
            Ok(x_t.map(|x| (x - signal * self.1) / noise))
        }

        fn predict_with_pullback(
            &self,
            _: &Clip,
            _: usize,
        ) -> Result<(Clip, Pullback), PriorError> {
            unreachable!("without a measurement there is nothing to pull back")
        }

        fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
            match shape.is_empty() {
                true => Err(PriorError::Empty(shape)),
                false => Ok(()),
            }
        }

        fn memory_bytes(&self, _: Shape) -> u64 {
            0
        }

        fn describe(&self) -> String {
            "one video".into()
        }
    }

    fn sampler(shape: Shape, steps: usize, seed: u64) -> Result<Sampler, PriorError> {
        let schedule = Schedule::cosine(1000);
        let prior = Knows(schedule.clone(), 0.4);
        let steps = schedule.respaced(steps).unwrap();
        Sampler::new(Box::new(prior), steps, shape, Noise::seeded(seed))
    }

    #[test]
    fn what_the_prior_knows_is_what_comes_out() {
        let mut sampler = sampler(Shape::new(2, 4, 4), 7, 1).unwrap();
        for done in 0..7 {
            assert_eq!(sampler.steps_done(), done);
            sampler.step().unwrap();
        }
        sampler.step().unwrap();
        assert_eq!((sampler.steps_done(), sampler.total_steps()), (7, 7));
        let out = sampler.estimate();
        assert!(out.data().iter().all(|v| (v - 0.7).abs() < 1e-5));
    }

    #[test]
    fn the_seed_makes_the_walk() {
        let states = |seed| {
            let mut sampler = sampler(Shape::new(1, 4, 4), 5, seed).unwrap();
            sampler.step().unwrap();
            sampler.state
        };
        assert_eq!(states(1), states(1));
        assert_ne!(states(1), states(2));
        assert!(sampler(Shape::new(0, 4, 4), 5, 1).is_err());
    }
}
