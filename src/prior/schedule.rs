//! The diffusion's noise schedule, and the numbers of one reverse step.
//!
//! Computed in f64, held as f32: the precision the published program samples with.

use std::f64::consts::FRAC_PI_2;

/// The schedule has no such number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{steps} steps asked of a schedule of {timesteps}: use 1 to {timesteps}")]
pub struct ScheduleError {
    pub steps: usize,
    pub timesteps: usize,
}

/// One step of the reverse process, from noise level `t` to the next lower kept one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Step of the ORIGINAL schedule: what the network and the guidance weight are told.
    pub t: usize,
    /// Noise added between the next lower kept step and this one.
    pub beta: f32,
    /// Share of the signal's power left at this step.
    pub alpha_bar: f32,
    /// The same at the next lower kept step; 1 below the last.
    pub alpha_bar_prev: f32,
    /// `x0 = sqrt_recip * x_t - sqrt_recipm1 * eps`.
    pub sqrt_recip: f32,
    pub sqrt_recipm1: f32,
    /// Posterior mean `c1 * x0 + c2 * x_t`.
    pub c1: f32,
    pub c2: f32,
    /// Of the posterior.
    pub variance: f32,
    /// Logarithm of the posterior variance, which is held at 1e-20 or above.
    pub log_variance: f32,
}

impl Step {
    fn new(t: usize, alpha: f64, alpha_bar: f64, alpha_bar_prev: f64) -> Self {
        let beta = 1.0 - alpha;
        let variance = beta * (1.0 - alpha_bar_prev) / (1.0 - alpha_bar);
        Self {
            t,
            beta: beta as f32,
            alpha_bar: alpha_bar as f32,
            alpha_bar_prev: alpha_bar_prev as f32,
            sqrt_recip: alpha_bar.recip().sqrt() as f32,
            sqrt_recipm1: (alpha_bar.recip() - 1.0).sqrt() as f32,
            c1: (beta * alpha_bar_prev.sqrt() / (1.0 - alpha_bar)) as f32,
            c2: ((1.0 - alpha_bar_prev) * alpha.sqrt() / (1.0 - alpha_bar)) as f32,
            variance: variance as f32,
            log_variance: variance.max(1e-20).ln() as f32,
        }
    }

    /// The clean video that `x_t` holds if its noise is `eps`, unclamped. At the noisiest steps two
    /// large numbers nearly cancel: f64.
    pub fn clean(&self, x_t: f32, eps: f32) -> f32 {
        let (recip, recipm1) = (f64::from(self.sqrt_recip), f64::from(self.sqrt_recipm1));
        (recip * f64::from(x_t) - recipm1 * f64::from(eps)) as f32
    }

    /// The mean of the next lower kept step's video, given the clean one and this one's.
    pub fn mean(&self, x0: f32, x_t: f32) -> f32 {
        self.c1 * x0 + self.c2 * x_t
    }

    /// Standard deviation of the noise this step adds; the step to the clean video adds none.
    pub fn noise_scale(&self) -> f32 {
        if self.alpha_bar_prev == 1.0 {
            0.0
        } else {
            (0.5 * self.log_variance).exp()
        }
    }
}

/// Steps of the diffusion, index 0 the least noisy.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    timesteps: usize,
    alpha_bars: Vec<f64>,
    steps: Vec<Step>,
}

impl Schedule {
    /// Steps of the published schedule.
    pub const PUBLISHED_TIMESTEPS: usize = 1000;

    /// What published checkpoints hold of their schedule, by name.
    pub const BUFFERS: [&str; 12] = [
        "betas",
        "alphas_cumprod",
        "alphas_cumprod_prev",
        "sqrt_alphas_cumprod",
        "sqrt_one_minus_alphas_cumprod",
        "log_one_minus_alphas_cumprod",
        "sqrt_recip_alphas_cumprod",
        "sqrt_recipm1_alphas_cumprod",
        "posterior_variance",
        "posterior_log_variance_clipped",
        "posterior_mean_coef1",
        "posterior_mean_coef2",
    ];

    /// The published cosine schedule: alpha_bar(i) ~ cos^2(((i/T) + 0.008)/1.008 * pi/2),
    /// beta at most 0.9999.
    ///
    /// # Panics
    /// When `timesteps` is zero.
    pub fn cosine(timesteps: usize) -> Self {
        assert!(timesteps > 0, "a schedule has at least one step");
        const OFFSET: f64 = 0.008;
        let signal = |i: usize| {
            let phase = (i as f64 / timesteps as f64 + OFFSET) / (1.0 + OFFSET);
            (phase * FRAC_PI_2).cos().powi(2)
        };
        let mut alpha_bars = Vec::with_capacity(timesteps);
        let mut steps = Vec::with_capacity(timesteps);
        let mut prev = 1.0;
        for t in 0..timesteps {
            let beta = (1.0 - signal(t + 1) / signal(t)).clamp(0.0, 0.9999);
            let alpha_bar = prev * (1.0 - beta);
            steps.push(Step::new(t, 1.0 - beta, alpha_bar, prev));
            alpha_bars.push(alpha_bar);
            prev = alpha_bar;
        }
        Self {
            timesteps,
            alpha_bars,
            steps,
        }
    }

    /// A shorter walk over the same noise levels: `steps` of them, evenly spread, the
    /// noisiest always among them and, from two steps on, the least noisy too. Each keeps
    /// its alpha_bar and its original `t`; the betas between them follow (DDPM respacing,
    /// Nichol and Dhariwal 2021).
    pub fn respaced(&self, steps: usize) -> Result<Self, ScheduleError> {
        let total = self.steps.len();
        if steps == 0 || steps > total {
            return Err(ScheduleError {
                steps,
                timesteps: total,
            });
        }
        let kept = |k: usize| match steps {
            1 => total - 1,
            _ => (k * (total - 1) + (steps - 1) / 2) / (steps - 1),
        };
        let mut shorter = Self {
            timesteps: self.timesteps,
            alpha_bars: Vec::with_capacity(steps),
            steps: Vec::with_capacity(steps),
        };
        if steps == total {
            return Ok(self.clone());
        }
        let mut prev = 1.0;
        for index in (0..steps).map(kept) {
            let alpha_bar = self.alpha_bars[index];
            let t = self.steps[index].t;
            shorter
                .steps
                .push(Step::new(t, alpha_bar / prev, alpha_bar, prev));
            shorter.alpha_bars.push(alpha_bar);
            prev = alpha_bar;
        }
        Ok(shorter)
    }

    /// The arrays that [`BUFFERS`](Self::BUFFERS) names, in that order.
    pub fn buffers(&self) -> [Vec<f32>; 12] {
        let of_steps = |f: fn(&Step) -> f32| self.steps.iter().map(f).collect();
        let of_signal = |f: fn(f64) -> f64| self.alpha_bars.iter().map(|&a| f(a) as f32).collect();
        [
            of_steps(|s| s.beta),
            of_steps(|s| s.alpha_bar),
            of_steps(|s| s.alpha_bar_prev),
            of_signal(f64::sqrt),
            of_signal(|a| (1.0 - a).sqrt()),
            of_signal(|a| (1.0 - a).ln()),
            of_steps(|s| s.sqrt_recip),
            of_steps(|s| s.sqrt_recipm1),
            of_steps(|s| s.variance),
            of_steps(|s| s.log_variance),
            of_steps(|s| s.c1),
            of_steps(|s| s.c2),
        ]
    }

    /// T of the original schedule, which guidance weights such as sin^2(pi t/T) refer to.
    pub fn timesteps(&self) -> usize {
        self.timesteps
    }

    /// Steps of the original schedule that a step of this walk stands for, on average.
    pub fn stride(&self) -> f64 {
        self.timesteps as f64 / self.len() as f64
    }

    /// Steps of this walk.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Step `i` of the walk, 0 the least noisy.
    pub fn step(&self, i: usize) -> &Step {
        &self.steps[i]
    }

    /// The steps from the least noisy on; sampling takes them in reverse.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::weights::Weights;

    const GOLDEN_1000: &[u8] = include_bytes!("../../tests/golden/schedule_1000.safetensors");
    const GOLDEN_8: &[u8] = include_bytes!("../../tests/golden/schedule_8.safetensors");

    fn assert_golden(schedule: &Schedule, bytes: &[u8]) {
        let golden = Weights::from_safetensors(bytes).unwrap();
        for (name, found) in Schedule::BUFFERS.into_iter().zip(schedule.buffers()) {
            let expected = &golden.get(name).unwrap().data;
            assert_eq!(expected.len(), schedule.len());
            for (t, (got, &want)) in found.into_iter().zip(expected).enumerate() {
                let slack = 2e-7 * want.abs().max(1e-12);
                assert!(
                    (got - want).abs() <= slack,
                    "{name} at t = {t}: {got} is not {want}"
                );
            }
        }
    }

    #[test]
    fn cosine_is_the_published_schedule() {
        assert_golden(&Schedule::cosine(1000), GOLDEN_1000);
        assert_golden(&Schedule::cosine(8), GOLDEN_8);
    }

    #[test]
    fn respacing_keeps_noise_levels_and_original_steps() {
        let full = Schedule::cosine(1000);
        let short = full.respaced(50).unwrap();
        assert_eq!(short.len(), 50);
        assert_eq!(short.timesteps(), 1000);
        assert_eq!((short.step(0).t, short.step(49).t), (0, 999));
        for pair in short.steps().windows(2) {
            assert!(pair[0].t < pair[1].t);
            assert_eq!(pair[1].alpha_bar_prev, pair[0].alpha_bar);
        }
        for step in short.steps() {
            let same = full.step(step.t);
            assert_eq!(step.alpha_bar, same.alpha_bar);
            assert_eq!(step.sqrt_recip, same.sqrt_recip);
            let kept = f64::from(step.alpha_bar_prev) * (1.0 - f64::from(step.beta));
            assert!((kept - f64::from(step.alpha_bar)).abs() < 1e-7);
        }
        assert_eq!(short.step(0).noise_scale(), 0.0);
        assert!(short.step(1).noise_scale() > 0.0);
    }

    #[test]
    fn the_posterior_mean_is_exact_for_clean_video() {
        // With x_t = sqrt(alpha_bar) x0, the mean must be sqrt(alpha_bar_prev) x0.
        for step in Schedule::cosine(1000).respaced(37).unwrap().steps() {
            let x_t = f64::from(step.alpha_bar).sqrt();
            let mean = f64::from(step.c1) + f64::from(step.c2) * x_t;
            assert!((mean - f64::from(step.alpha_bar_prev).sqrt()).abs() < 1e-6);
        }
    }

    #[test]
    fn all_steps_respaced_are_the_schedule_itself() {
        let full = Schedule::cosine(100);
        assert_eq!(full.respaced(100).unwrap(), full);
        assert_eq!(full.respaced(1).unwrap().step(0).t, 99);
    }

    #[test]
    fn impossible_step_counts_are_refused() {
        let full = Schedule::cosine(100);
        assert!(full.respaced(0).is_err());
        let message = full.respaced(101).unwrap_err().to_string();
        assert!(message.contains("use 1 to 100"), "{message}");
    }
}
