//! The published network as a learner: automatic differentiation on any device.
//!
//! The published loss: at a step t drawn evenly, the mean square of what the estimate of the noise
//! in x_t = sqrt(abar) (2u - 1) + sqrt(1 - abar) eps is off.

use std::cell::OnceCell;

use burn::module::Module;
use burn::tensor::Tensor;

use super::learner::{Array, Example, Learner};
use super::sums::Sums;
use super::torch::Checkpoint;
use crate::clip::{Clip, Shape};
use crate::device::{ComputeDevice, guarded};
use crate::noise::Noise;
use crate::prior::network::upload;
use crate::prior::{NetworkPrior, Prior, PriorError, Schedule, UNet, UNetConfig, denoised};

/// Learns one clip after another: a clip's activations are all that fits into most memories.
pub struct PublishedLearner {
    config: UNetConfig,
    parameters: Vec<f32>,
    schedule: Schedule,
    device: ComputeDevice,
    /// The network of these parameters on the device, once it was needed.
    prior: OnceCell<NetworkPrior>,
}

impl PublishedLearner {
    /// `parameters` are in the order of [`UNet::slots`], as [`UNet::random_row`] and [`UNet::row`]
    /// give them.
    pub fn new(config: UNetConfig, parameters: Vec<f32>, device: ComputeDevice) -> Self {
        Self {
            config,
            parameters,
            schedule: Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS),
            device,
            prior: OnceCell::new(),
        }
    }

    fn prior(&self) -> Result<&NetworkPrior, PriorError> {
        if let Some(prior) = self.prior.get() {
            return Ok(prior);
        }
        let network = || {
            Ok(UNet::from_row(
                &self.config,
                &self.parameters,
                self.device.burn(),
            ))
        };
        let network = guarded(network).map_err(PriorError::Device)?;
        let prior = || NetworkPrior::new(network, self.device.clone());
        Ok(self.prior.get_or_init(prior))
    }

    /// The noisy video, its step and its noise.
    fn drawn(&self, example: &Example) -> (Clip, usize, Clip) {
        let mut noise = Noise::seeded(example.seed);
        let steps = self.schedule.len();
        let t = (noise.uniform(0.0, steps as f64) as usize).min(steps - 1);
        let eps = noise.normal_clip(example.clean.shape());
        let step = self.schedule.step(t);
        let (signal, spread) = (1.0 / step.sqrt_recip, step.sqrt_recipm1 / step.sqrt_recip);
        let x_t = example
            .clean
            .zip(&eps, |u, e| signal * (2.0 * u - 1.0) + spread * e);
        (x_t, t, eps)
    }

    /// The loss of an example, and the slopes of each of the network's arrays.
    fn slopes(&self, net: &UNet, example: &Example) -> Result<(f64, Vec<Tensor<1>>), String> {
        let (x_t, t, eps) = self.drawn(example);
        let device = self.device.burn();
        let found = net.forward(upload(&x_t, device).autodiff(), t);
        let loss = (found - upload(&eps, device)).square().mean();
        let mut gradients = loss.clone().backward();
        let slopes = net.slopes(&mut gradients).ok_or("a gradient was lost")?;
        let loss = loss.inner().try_into_scalar::<f32>();
        Ok((loss.map_err(|error| error.to_string())?.into(), slopes))
    }
}

impl Learner for PublishedLearner {
    fn arrays(&self) -> Vec<Array> {
        let slots = UNet::slots(&self.config).into_iter();
        slots
            .map(|slot| Array {
                name: slot.name,
                shape: slot.shape,
            })
            .collect()
    }

    fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut [f32])) {
        change(&mut self.parameters);
        self.prior.take();
    }

    fn learn(&mut self, batch: &[Example], gradient: &mut [f32]) -> Result<f64, PriorError> {
        for example in batch {
            self.config.check_shape(example.clean.shape())?;
        }
        let net = self.prior()?.net().clone().train();
        let learn = || {
            let (mut total, mut sums) = (0.0, Sums::default());
            for example in batch {
                let (loss, slopes) = self.slopes(&net, example)?;
                total += loss;
                sums.add(slopes);
            }
            sums.add_to(gradient, 1.0 / batch.len() as f32)?;
            Ok(total / batch.len() as f64)
        };
        guarded(learn).map_err(PriorError::Device)
    }

    fn denoise(&self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        let prior = self.prior()?;
        denoised(&self.schedule, noisy, sigma, |x_t, t| prior.predict(x_t, t))
    }

    /// A checkpoint of the published program's kind.
    fn files(&self, parameters: &[f32], step: usize) -> Vec<(String, Vec<u8>)> {
        let checkpoint = Checkpoint {
            config: &self.config,
            step: step as u64,
            parameters: &self.parameters,
            averaged: parameters,
        };
        let mut bytes = Vec::new();
        let written = checkpoint.write(&mut bytes);
        written.expect("a network whose checkpoint is below 4 GiB");
        vec![("prior.pt".to_owned(), bytes)]
    }

    fn multiple(&self) -> usize {
        self.config.multiple()
    }

    /// Networks of dim 32 on clips of 10x32x32 and 10x64x64, measured on the CPU, took a tenth more
    /// than a prediction with its pullback; slopes of the parameters come on top, of one clip and
    /// added up, and both rows on the host.
    fn memory_bytes(&self, shape: Shape) -> u64 {
        let parameters = 4 * self.parameters.len() as u64;
        let prediction = self.config.memory_estimate(shape, true);
        prediction + prediction / 10 + 4 * parameters
    }

    fn describe(&self) -> String {
        format!("{} on {}", self.config, self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learner() -> PublishedLearner {
        let config = UNetConfig {
            dim: 8,
            multipliers: vec![1, 2],
            heads: 2,
            temporal_head_dim: 8,
        };
        let row = UNet::random_row(&config, 5);
        PublishedLearner::new(config, row, ComputeDevice::cpu("test"))
    }

    fn examples(count: u64) -> Vec<Example> {
        let example = |seed| Example {
            clean: Noise::seeded(seed)
                .normal_clip(Shape::new(3, 8, 12))
                .map(|v| (0.5 + 0.2 * v).clamp(0.0, 1.0)),
            seed,
        };
        (0..count).map(example).collect()
    }

    #[test]
    fn arrays_are_the_parameters() {
        let learner = learner();
        let sizes = learner.arrays().into_iter();
        let count: usize = sizes.map(|a| a.shape.iter().product::<usize>()).sum();
        assert_eq!(count, learner.parameters().len());
        assert_eq!(count, learner.config.parameter_count());
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let mut learner = learner();
        let batch = examples(2);
        let start = learner.parameters().to_vec();
        let mut gradient = vec![0.0; start.len()];
        learner.learn(&batch, &mut gradient).unwrap();
        let mut noise = Noise::seeded(9);
        let direction: Vec<f32> = start.iter().map(|_| noise.normal() as f32).collect();
        let mut along = |step: f32| {
            learner.change(&mut |row| {
                for ((p, s), d) in row.iter_mut().zip(&start).zip(&direction) {
                    *p = s + step * d;
                }
            });
            learner.learn(&batch, &mut vec![0.0; start.len()]).unwrap()
        };
        let step = 2e-4;
        let numeric = (along(step) - along(-step)) / (2.0 * f64::from(step));
        let pairs = gradient.iter().zip(&direction);
        let exact: f64 = pairs.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
        assert!(
            (numeric - exact).abs() < 1e-2 * exact.abs(),
            "{numeric} {exact}"
        );
    }

    #[test]
    fn the_loss_falls_along_the_gradient() {
        let mut learner = learner();
        let batch = examples(1);
        let mut losses = Vec::new();
        for _ in 0..30 {
            let mut gradient = vec![0.0; learner.parameters().len()];
            losses.push(learner.learn(&batch, &mut gradient).unwrap());
            learner.change(&mut |row| {
                row.iter_mut()
                    .zip(&gradient)
                    .for_each(|(p, g)| *p -= 0.02 * g);
            });
        }
        assert!(losses[29] < 0.5 * losses[0], "{losses:?}");
    }

    #[test]
    fn a_seed_gives_the_same_gradient() {
        let run = || {
            let mut learner = learner();
            let mut gradient = vec![0.0; learner.parameters().len()];
            let loss = learner.learn(&examples(2), &mut gradient).unwrap();
            (loss, gradient)
        };
        assert_eq!(run(), run());
    }

    #[test]
    fn what_was_changed_is_what_denoises() {
        let mut learner = learner();
        let noisy = examples(1).remove(0).clean;
        let before = learner.denoise(&noisy, 0.3).unwrap();
        assert_eq!(before, learner.denoise(&noisy, 0.3).unwrap());
        // A network of zeros sees no noise.
        learner.change(&mut |row| row.fill(0.0));
        let after = learner.denoise(&noisy, 0.3).unwrap();
        assert_ne!(before, after);
        assert_eq!(after, noisy);
    }

    #[test]
    fn wrong_shapes_are_errors() {
        let mut learner = learner();
        let clean = Clip::zeros(Shape::new(2, 5, 4));
        let batch = [Example { clean, seed: 0 }];
        let error = learner.learn(&batch, &mut []).unwrap_err();
        assert!(matches!(error, PriorError::Shape { .. }));
    }
}
