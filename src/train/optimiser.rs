//! AdamW (Loshchilov and Hutter, 2019), and the average of the parameters it passes.

use super::config::Training;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The optimiser's memory of one training.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimiser {
    /// Moving means of gradients and of their squares.
    pub first: Vec<f32>,
    pub second: Vec<f32>,
    /// The average of the parameters, which is what is used in the end.
    pub average: Vec<f32>,
}

impl Optimiser {
    pub fn new(parameters: &[f32]) -> Self {
        Self {
            first: vec![0.0; parameters.len()],
            second: vec![0.0; parameters.len()],
            average: parameters.to_vec(),
        }
    }

    /// Changes the parameters by one step, numbered from 0, down `gradient`.
    pub fn step(
        &mut self,
        training: &Training,
        step: usize,
        parameters: &mut [f32],
        gradient: &[f32],
    ) {
        let norm = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>();
        let norm = norm.sqrt();
        let limit = training.clip_norm;
        let shrink = if limit > 0.0 && norm > limit {
            limit / norm
        } else {
            1.0
        } as f32;
        let count = (step + 1) as i32;
        let rate = rate(training, step);
        let unbias_1 = 1.0 - BETA_1.powi(count);
        let unbias_2 = (1.0 - BETA_2.powi(count)).sqrt();
        let stride = (rate / unbias_1) as f32;
        let (unbias, epsilon) = (1.0 / unbias_2 as f32, EPSILON as f32);
        let keep = 1.0 - (rate * training.weight_decay) as f32;
        let (b1, b2) = (BETA_1 as f32, BETA_2 as f32);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((parameter, gradient), (first, second)) in
            parameters.iter_mut().zip(gradient).zip(moments)
        {
            let gradient = shrink * gradient;
            *first += (1.0 - b1) * (gradient - *first);
            *second += (1.0 - b2) * (gradient * gradient - *second);
            let scale = second.sqrt() * unbias + epsilon;
            *parameter = keep * *parameter - stride * *first / scale;
        }
        self.follow(training, step, parameters);
    }

    fn follow(&mut self, training: &Training, step: usize, parameters: &[f32]) {
        if step < training.average_from {
            self.average.copy_from_slice(parameters);
        } else if (step + 1).is_multiple_of(training.average_every) {
            // Early on, an average over as many steps as there were.
            let steps = (step - training.average_from) / training.average_every;
            let keep = training
                .average
                .min((steps + 1) as f64 / (steps + 10) as f64);
            let share = (1.0 - keep) as f32;
            for (average, parameter) in self.average.iter_mut().zip(parameters) {
                *average += share * (parameter - *average);
            }
        }
    }
}

/// The rate at a step: it rises, stays, and falls to nothing.
pub fn rate(training: &Training, step: usize) -> f64 {
    let rise = ((step + 1) as f64 / training.warmup.max(1) as f64).min(1.0);
    let fall = if step < training.decay_from {
        1.0
    } else {
        let length = training.steps.saturating_sub(training.decay_from).max(1);
        let done = ((step - training.decay_from) as f64 / length as f64).min(1.0);
        0.5 * (1.0 + (std::f64::consts::PI * done).cos())
    };
    training.rate * rise * fall
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_bottom_of_a_bowl() {
        let training = Training {
            steps: 400,
            rate: 0.1,
            warmup: 10,
            decay_from: 100,
            average: 0.9,
            ..Training::default()
        };
        let bottom = [1.0f32, -2.0, 0.5];
        let mut x = [0.0f32; 3];
        let mut optimiser = Optimiser::new(&x);
        for step in 0..training.steps {
            let gradient: Vec<f32> = x.iter().zip(&bottom).map(|(x, b)| x - b).collect();
            optimiser.step(&training, step, &mut x, &gradient);
        }
        for ((x, average), bottom) in x.iter().zip(&optimiser.average).zip(&bottom) {
            assert!((x - bottom).abs() < 1e-3, "{x}");
            assert!((average - bottom).abs() < 1e-3, "{average}");
        }
    }

    #[test]
    fn the_rate_rises_stays_and_falls() {
        let training = Training {
            steps: 100,
            rate: 1.0,
            warmup: 10,
            decay_from: 50,
            ..Training::default()
        };
        assert_eq!(rate(&training, 4), 0.5);
        assert_eq!(rate(&training, 30), 1.0);
        assert!((rate(&training, 75) - 0.5).abs() < 1e-9);
        assert!(rate(&training, 99) < 1e-3);
    }
}
