//! The compact network as a learner on a GPU.

use std::cell::OnceCell;

use super::compact::{arrays, files, level};
use super::learner::{Array, Example, Learner};
use super::sums::Sums;
use crate::clip::{Clip, Shape};
use crate::device::{ComputeDevice, guarded};
use crate::noise::Noise;
use crate::prior::PriorError;
use crate::prior::compact::{Layout, Network, TensorNetwork};

/// Learns what the learner for processors would, one clip after another.
pub struct CompactTensorLearner {
    layout: Layout,
    parameters: Vec<f32>,
    device: ComputeDevice,
    /// The network of these parameters on the device, once it was needed.
    tensors: OnceCell<TensorNetwork>,
}

impl CompactTensorLearner {
    pub fn new(network: Network, device: ComputeDevice) -> Self {
        device.prepare_for_networks();
        Self {
            layout: network.layout,
            parameters: network.parameters,
            device,
            tensors: OnceCell::new(),
        }
    }

    fn tensors(&self) -> &TensorNetwork {
        let Self {
            layout, parameters, ..
        } = self;
        let new = || TensorNetwork::new(layout, parameters, self.device.burn());
        self.tensors.get_or_init(new)
    }
}

impl Learner for CompactTensorLearner {
    fn arrays(&self) -> Vec<Array> {
        arrays(&self.layout)
    }

    fn parameters(&self) -> &[f32] {
        &self.parameters
    }

    fn change(&mut self, change: &mut dyn FnMut(&mut [f32])) {
        change(&mut self.parameters);
        self.tensors.take();
    }

    fn learn(&mut self, batch: &[Example], gradient: &mut [f32]) -> Result<f64, PriorError> {
        let learn = || {
            let network = self.tensors().tracked();
            let (mut total, mut sums) = (0.0, Sums::default());
            for Example { clean, seed } in batch {
                let mut noise = Noise::seeded(*seed);
                let sigma = level(&mut noise);
                let noise = noise.normal_clip(clean.shape());
                let (loss, slopes) = network.learn_from(clean, &noise, sigma)?;
                total += loss;
                sums.add(slopes);
            }
            sums.add_to(gradient, 1.0 / batch.len() as f32)?;
            Ok(total / batch.len() as f64)
        };
        guarded(learn).map_err(PriorError::Device)
    }

    fn denoise(&self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        guarded(|| self.tensors().denoise(noisy, sigma as f32)).map_err(PriorError::Device)
    }

    fn files(&self, parameters: &[f32], step: usize) -> Vec<(String, Vec<u8>)> {
        files(&self.layout, parameters, step)
    }

    fn multiple(&self) -> usize {
        self.layout.multiple
    }

    fn memory_bytes(&self, shape: Shape) -> u64 {
        TensorNetwork::memory_bytes(&self.layout, shape)
    }

    fn describe(&self) -> String {
        let count = self.parameters.len() as f64 / 1e6;
        format!(
            "compact network, {count:.2} M parameters on {}",
            self.device
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prior::compact::CompactConfig;
    use crate::scenes::Scene;
    use crate::train::CompactLearner;

    #[test]
    fn it_learns_what_the_learner_for_processors_does() {
        let config = CompactConfig {
            widths: vec![8, 16],
            blocks: 1,
        };
        let network = || {
            let mut network = Network::random(&config, 1);
            // What is zero at the start has no slopes behind it.
            let mut noise = Noise::seeded(2);
            network.change(|p| p.iter_mut().for_each(|p| *p += 0.1 * noise.normal() as f32));
            network
        };
        let example = |seed| Example {
            clean: Scene::Shapes.render(Shape::new(3, 16, 16), seed),
            seed: 10 * seed,
        };
        let batch: Vec<Example> = (1..4).map(example).collect();
        let mut learners: [Box<dyn Learner>; 2] = [
            Box::new(CompactLearner::new(network())),
            Box::new(CompactTensorLearner::new(
                network(),
                ComputeDevice::cpu("test"),
            )),
        ];
        let [expected, found] = learners.each_mut().map(|learner| {
            let mut results = Vec::new();
            // Twice, so that a change must have come through.
            for _ in 0..2 {
                let mut gradient = vec![0.0; learner.parameters().len()];
                let loss = learner.learn(&batch, &mut gradient).unwrap();
                learner.change(&mut |row| {
                    row.iter_mut()
                        .zip(&gradient)
                        .for_each(|(p, g)| *p -= 0.01 * g);
                });
                results.push((loss, gradient));
            }
            results
        });
        for ((expected, gradient), (loss, found)) in expected.iter().zip(&found) {
            assert!(
                (loss - expected).abs() < 1e-4 * expected,
                "{loss} {expected}"
            );
            let largest = gradient.iter().fold(0f32, |m, g| m.max(g.abs()));
            for (a, b) in gradient.iter().zip(found) {
                assert!((a - b).abs() < 2e-4 * largest, "{a} {b} {largest}");
            }
        }
        assert_eq!(learners[0].arrays(), learners[1].arrays());
        assert_eq!(learners[0].multiple(), learners[1].multiple());
    }
}
