//! Where a network's parameters come from: a row that holds all of them, array after array.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor, TensorData};

use crate::noise::Noise;

/// One array of a network.
#[derive(Clone, Debug)]
pub struct Slot {
    /// Its published name.
    pub name: String,
    /// Its published shape.
    pub shape: Vec<usize>,
    start: Start,
}

impl Slot {
    /// How many numbers it holds.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// What it holds when nothing has been learnt.
    pub(super) fn draw(&self, noise: &mut Noise) -> Vec<f32> {
        let mut each = |f: &mut dyn FnMut(&mut Noise) -> f64| {
            let numbers = (0..self.count()).map(|_| f(noise) as f32);
            numbers.collect::<Vec<f32>>()
        };
        match self.start {
            Start::FanIn(inputs) => {
                let bound = (inputs as f64).sqrt().recip();
                each(&mut |n| n.uniform(-bound, bound))
            }
            Start::Normal => each(&mut |n| n.normal()),
            Start::Ones => vec![1.0; self.count()],
            Start::Zeros => vec![0.0; self.count()],
        }
    }
}

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

/// Which arrays a network has.
#[derive(Debug, Default)]
pub(super) struct Outline {
    /// In the order in which a row of parameters holds them.
    pub(super) slots: Vec<Slot>,
    /// Names under which checkpoints carry the rotations' frequencies.
    pub(super) frequencies: Vec<String>,
}

/// Hands out parameters by their published names, and notes which.
pub(super) struct Source<'a> {
    /// The numbers not handed out yet; without a row parameters are placeholders.
    rest: Option<&'a [f32]>,
    device: Device,
    outline: Outline,
}

impl<'a> Source<'a> {
    /// `row` holds all parameters.
    pub(super) fn row(row: &'a [f32], device: &Device) -> Self {
        Self {
            rest: Some(row),
            device: device.clone(),
            outline: Outline::default(),
        }
    }

    /// For what the network's arrays are; takes no memory for their numbers.
    pub(super) fn blank() -> Self {
        Self {
            rest: None,
            device: Device::flex(),
            outline: Outline::default(),
        }
    }

    /// The parameter `name`, published with the shape `published`, held here as `shape`
    /// (the same numbers in the same order). Its id is its place among the network's arrays.
    pub(super) fn param<const D: usize>(
        &mut self,
        name: &str,
        published: &[usize],
        shape: [usize; D],
        start: Start,
    ) -> Param<Tensor<D>> {
        let data = match &mut self.rest {
            Some(rest) => {
                let (numbers, after) = rest.split_at(shape.iter().product());
                *rest = after;
                TensorData::new(numbers.to_vec(), shape)
            }
            None => TensorData::new(vec![0f32], [1; D]),
        };
        let mut param = Param::from_tensor(Tensor::from_data(data, &self.device));
        param.id = ParamId::from(self.outline.slots.len() as u64);
        self.outline.slots.push(Slot {
            name: name.to_owned(),
            shape: published.to_vec(),
            start,
        });
        param
    }

    /// Notes the name under which checkpoints carry an attention's frequencies.
    pub(super) fn frequencies(&mut self, name: String) {
        self.outline.frequencies.push(name);
    }

    pub(super) fn outline(self) -> Outline {
        self.outline
    }
}
