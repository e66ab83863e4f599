//! The compact network as a learner, on the processor.

use std::sync::Arc;

use rayon::prelude::*;

use super::learner::{Array, Example, Learner};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::prior::PriorError;
use crate::prior::compact::{CompactConfig, LEVELS, Layout, Network};

/// Noise levels are drawn about this one, in amplitudes, ...
const MIDDLE_LEVEL: f64 = 0.08;
/// ... with this spread of their logarithm, ...
const LEVEL_SPREAD: f64 = 1.4;
/// ... but for a share that is drawn from all levels alike.
const ANY_LEVEL: f64 = 0.15;

/// The compact network, and what it costs to teach it.
pub struct CompactLearner {
    network: Arc<Network>,
}

impl CompactLearner {
    pub fn new(network: Network) -> Self {
        Self {
            network: Arc::new(network),
        }
    }

    pub fn random(config: &CompactConfig, seed: u64) -> Self {
        Self::new(Network::random(config, seed))
    }

    pub fn network(&self) -> &Arc<Network> {
        &self.network
    }
}

/// The noise level of an example.
pub fn level(noise: &mut Noise) -> f32 {
    let (low, high) = (f64::from(*LEVELS.start()), f64::from(*LEVELS.end()));
    let logarithm = if noise.uniform(0.0, 1.0) < ANY_LEVEL {
        noise.uniform(low.ln(), high.ln())
    } else {
        MIDDLE_LEVEL.ln() + LEVEL_SPREAD * noise.normal()
    };
    logarithm.exp().clamp(low, high) as f32
}

pub(super) fn arrays(layout: &Layout) -> Vec<Array> {
    let slots = layout.slots.iter();
    slots
        .map(|slot| Array {
            name: slot.name.clone(),
            shape: slot.shape.clone(),
        })
        .collect()
}

pub(super) fn files(layout: &Layout, parameters: &[f32], step: usize) -> Vec<(String, Vec<u8>)> {
    let network = Network::new(layout.clone(), parameters.to_vec());
    let notes = [("steps".to_owned(), step.to_string())];
    let bytes = network.to_safetensors(notes.into());
    vec![("prior.safetensors".to_owned(), bytes)]
}

impl Learner for CompactLearner {
    fn arrays(&self) -> Vec<Array> {
        arrays(&self.network.layout)
    }

    fn parameters(&self) -> &[f32] {
        &self.network.parameters
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut [f32])) {
        Arc::get_mut(&mut self.network)
            .expect("nobody else holds a network that learns")
            .change(change);
    }

    /// Clips are the work of different threads, and their gradients are added in their order, so
    /// the result is the same on any number of them.
    fn learn(&mut self, batch: &[Example], gradient: &mut [f32]) -> Result<f64, PriorError> {
        let network = &self.network;
        let learnt: Vec<(f64, Vec<f32>)> = batch
            .par_iter()
            .map(|Example { clean, seed }| {
                let mut noise = Noise::seeded(*seed);
                let sigma = level(&mut noise);
                let noise = noise.normal_clip(clean.shape());
                let mut gradient = vec![0.0; network.parameters.len()];
                let loss = network.learn_from(clean, &noise, sigma, &mut gradient);
                (loss, gradient)
            })
            .collect();
        let share = 1.0 / batch.len() as f32;
        for (_, each) in &learnt {
            gradient
                .iter_mut()
                .zip(each)
                .for_each(|(g, e)| *g += share * e);
        }
        Ok(learnt.iter().map(|(loss, _)| loss).sum::<f64>() / batch.len() as f64)
    }

    fn denoise(&self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        Ok(self.network.denoise(noisy, sigma as f32))
    }

    fn files(&self, parameters: &[f32], step: usize) -> Vec<(String, Vec<u8>)> {
        files(&self.network.layout, parameters, step)
    }

    fn multiple(&self) -> usize {
        self.network.multiple()
    }

    fn memory_bytes(&self, shape: Shape) -> u64 {
        self.network.memory_bytes(shape)
    }

    fn describe(&self) -> String {
        format!(
            "compact network, {:.2} M parameters",
            self.network.parameters.len() as f64 / 1e6
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenes::Scene;

    fn learner() -> CompactLearner {
        let config = CompactConfig {
            widths: vec![8, 16],
            blocks: 1,
        };
        let mut learner = CompactLearner::random(&config, 1);
        // What is zero at the start has no slopes behind it.
        let mut noise = Noise::seeded(2);
        learner.change(&mut |p| p.iter_mut().for_each(|p| *p += 0.1 * noise.normal() as f32));
        learner
    }

    fn examples() -> Vec<Example> {
        let shape = Shape::new(3, 16, 16);
        let example = |seed| Example {
            clean: Scene::Shapes.render(shape, seed),
            seed: 10 * seed,
        };
        (1..4).map(example).collect()
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (mut learner, batch) = (learner(), examples());
        let mut gradient = vec![0.0; learner.parameters().len()];
        learner.learn(&batch, &mut gradient).unwrap();
        let mut noise = Noise::seeded(5);
        let mut from = 0;
        for array in learner.arrays() {
            let to = from + array.shape.iter().product::<usize>();
            let direction: Vec<f32> = (from..to).map(|_| noise.normal() as f32).collect();
            let mut loss = |step: f32| {
                let mut move_by = |step: f32| {
                    learner.change(&mut |p| {
                        let pairs = p[from..to].iter_mut().zip(&direction);
                        pairs.for_each(|(p, d)| *p += step * d);
                    });
                };
                move_by(step);
                let loss = learner
                    .learn(&batch, &mut vec![0.0; gradient.len()])
                    .unwrap();
                learner.change(&mut |p| {
                    let pairs = p[from..to].iter_mut().zip(&direction);
                    pairs.for_each(|(p, d)| *p -= step * d);
                });
                loss
            };
            // Central differences of two widths leave an error of fourth order.
            let slope = |h: f32, up: f64, down: f64| (up - down) / (2.0 * f64::from(h));
            let (narrow, wide) = (2e-3, 4e-3);
            let near = slope(narrow, loss(narrow), loss(-narrow));
            let far = slope(wide, loss(wide), loss(-wide));
            let numeric = (4.0 * near - far) / 3.0;
            let pairs = gradient[from..to].iter().zip(&direction);
            let exact: f64 = pairs.map(|(&g, &d)| f64::from(g) * f64::from(d)).sum();
            assert!(
                (numeric - exact).abs() < 1e-2 * exact.abs().max(0.02),
                "{}: {numeric} {exact}",
                array.name
            );
            from = to;
        }
    }

    #[test]
    fn a_batch_gives_the_same_gradient_on_any_number_of_threads() {
        let (mut learner, batch) = (learner(), examples());
        let mut on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
            let mut gradient = vec![0.0; learner.parameters().len()];
            let loss = pool
                .build()
                .unwrap()
                .install(|| learner.learn(&batch, &mut gradient).unwrap());
            (loss, gradient)
        };
        assert_eq!(on(1), on(3));
    }
}
