//! Where a network's parameters come from: a checkpoint, or a seeded draw.

use std::collections::BTreeSet;

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use crate::noise::Noise;
use crate::prior::weights::{Array, Misshapen, Weights, WeightsError};

/// How a parameter starts when nothing has been learnt yet (PyTorch's defaults).
#[derive(Clone, Copy, Debug)]
pub(super) enum Start {
    /// Uniform within 1/sqrt(inputs), as for convolutions and linear layers.
    FanIn(usize),
    /// N(0, 1), as for embeddings.
    Normal,
    Ones,
    Zeros,
}

enum Origin<'a> {
    File(&'a Weights),
    Draw(Box<Noise>),
}

/// Hands out parameters by their published names, and notes what does not fit.
pub(super) struct Source<'a> {
    origin: Origin<'a>,
    pub(super) device: Device,
    taken: BTreeSet<String>,
    missing: Vec<String>,
    misshapen: Vec<Misshapen>,
}

impl<'a> Source<'a> {
    pub(super) fn file(weights: &'a Weights, device: &Device) -> Self {
        Self::new(Origin::File(weights), device)
    }

    pub(super) fn drawn(seed: u64, device: &Device) -> Self {
        Self::new(Origin::Draw(Box::new(Noise::seeded(seed))), device)
    }

    fn new(origin: Origin<'a>, device: &Device) -> Self {
        Self {
            origin,
            device: device.clone(),
            taken: BTreeSet::new(),
            missing: Vec::new(),
            misshapen: Vec::new(),
        }
    }

    /// The parameter `name`, published with the shape `published`, held here as `shape`
    /// (the same numbers in the same order). Where a file has no such parameter the result
    /// is a placeholder, and [`finish`](Self::finish) fails.
    pub(super) fn param<const D: usize>(
        &mut self,
        name: &str,
        published: &[usize],
        shape: [usize; D],
        start: Start,
    ) -> Param<Tensor<D>> {
        // What a file lacks must not make us ask for the memory it would take.
        let placeholder = || TensorData::new(vec![0f32], [1; D]);
        let data = match &mut self.origin {
            Origin::Draw(noise) => {
                let len = shape.iter().product();
                TensorData::new(draw(noise, start, len), shape)
            }
            Origin::File(weights) => match weights.get(name) {
                Some(Array { shape: found, data }) if found == published => {
                    self.taken.insert(name.to_owned());
                    TensorData::new(data.clone(), shape)
                }
                Some(array) => {
                    self.misshapen.push(Misshapen {
                        name: name.to_owned(),
                        expected: published.to_vec(),
                        found: array.shape.clone(),
                    });
                    placeholder()
                }
                None => {
                    self.missing.push(name.to_owned());
                    placeholder()
                }
            },
        };
        Param::from_tensor(Tensor::from_data(data, &self.device))
    }

    /// Fails if anything was missing or of the wrong shape; else names what the file
    /// holds beyond the network.
    pub(super) fn finish(self) -> Result<Vec<String>, WeightsError> {
        if !self.missing.is_empty() || !self.misshapen.is_empty() {
            return Err(WeightsError::Misfit {
                missing: self.missing,
                misshapen: self.misshapen,
            });
        }
        Ok(match self.origin {
            Origin::File(weights) => weights
                .names()
                .filter(|name| !self.taken.contains(*name))
                .map(str::to_owned)
                .collect(),
            Origin::Draw(_) => Vec::new(),
        })
    }
}

fn draw(noise: &mut Noise, start: Start, len: usize) -> Vec<f32> {
    let mut each = |f: &mut dyn FnMut(&mut Noise) -> f64| {
        (0..len).map(|_| f(noise) as f32).collect::<Vec<f32>>()
    };
    match start {
        Start::FanIn(inputs) => {
            let bound = (inputs as f64).sqrt().recip();
            each(&mut |n| n.uniform(-bound, bound))
        }
        Start::Normal => each(&mut |n| n.normal()),
        Start::Ones => vec![1.0; len],
        Start::Zeros => vec![0.0; len],
    }
}
