//! The network as tensors, for GPUs: the same numbers from the same parameters, its slopes by
//! automatic differentiation.

mod evidence;
mod layers;

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::super::network::{download, upload};
use super::denoiser::{Framed, MID_GREY, level_within, shares, waves};
use super::layout::{Block, Layout};
use crate::clip::{Clip, Shape};

/// Carries slopes of a result back to what went in.
pub type Back = Box<dyn FnOnce(&Clip) -> Result<Clip, String> + Send>;

/// A network on a device. Clones share its parameters.
///
/// Devices fail by panics as well as by errors: run this under [`guarded`](crate::device::guarded).
#[derive(Clone, Debug)]
pub struct TensorNetwork {
    layout: Layout,
    device: Device,
    /// Its arrays, flat, by where they lie in the row of parameters.
    arrays: BTreeMap<usize, Tensor<1>>,
}

impl TensorNetwork {
    /// `parameters` are those of `layout`.
    pub fn new(layout: &Layout, parameters: &[f32], device: &Device) -> Self {
        let array = |range: std::ops::Range<usize>| {
            let numbers = parameters[range].to_vec();
            let shape = [numbers.len()];
            Tensor::from_data(TensorData::new(numbers, shape), device)
        };
        let slots = layout.slots.iter();
        Self {
            layout: layout.clone(),
            device: device.clone(),
            arrays: slots.map(|slot| (slot.from, array(slot.range()))).collect(),
        }
    }

    /// The same network, whose parameters can be learnt.
    pub fn tracked(&self) -> Self {
        let arrays = self.arrays.iter();
        let tracked = |array: &Tensor<1>| array.clone().autodiff().require_grad();
        Self {
            arrays: arrays
                .map(|(&from, array)| (from, tracked(array)))
                .collect(),
            ..self.clone()
        }
    }

    /// What the network makes of `x`, `[frames, 1, height, width]`, 0 at mid-grey: see
    /// [`shares`].
    fn found(&self, x: Tensor<4>, sigma: f32) -> Tensor<4> {
        let waves = waves(sigma);
        let shape = [waves.len(), 1];
        let waves = Tensor::from_data(TensorData::new(waves, shape), &self.device);
        layers::shuffled(self.forward(evidence::features(x, sigma), waves))
    }

    fn result(&self, x: Tensor<4>, sigma: f32) -> Tensor<4> {
        let [skip, share] = shares(sigma);
        x.clone() * skip + self.found(x, sigma) * share + MID_GREY
    }

    /// Memory an evaluation with its slopes takes, in bytes, the parameters included: measured on
    /// the CPU, with 10x48x48 and 10x96x96, it was this within a tenth.
    pub fn memory_bytes(layout: &Layout, shape: Shape) -> u64 {
        let half = shape.frames * shape.height.div_ceil(2) * shape.width.div_ceil(2);
        let Layout {
            down, middle, up, ..
        } = layout;
        let levels = down.iter().chain([middle]).enumerate();
        let levels = levels.chain(up.iter().enumerate());
        // A block keeps seven sets of features.
        let kept = |(level, stage): (usize, &Vec<Block>)| -> usize {
            let each = stage.iter().map(|block| 7 * block.first.outputs);
            each.sum::<usize>() * (half >> (2 * level))
        };
        let numbers: usize = levels.map(kept).sum();
        let pairs = 2 * 4 * shape.frames * shape.len();
        4 * (numbers + pairs + 4 * layout.count()) as u64
    }

    /// As the network for processors does it.
    pub fn denoise(&self, noisy: &Clip, sigma: f32) -> Result<Clip, String> {
        let framed = Framed::of(noisy.shape(), self.layout.multiple);
        let x = framed.frame(&noisy.map(|u| u - MID_GREY));
        let denoised = self.result(upload(&x, &self.device), level_within(sigma));
        Ok(framed.cut(&download(denoised, x.shape())?))
    }

    /// The same, with what carries slopes of the result back to `noisy`.
    pub fn denoise_with_pullback(&self, noisy: &Clip, sigma: f32) -> Result<(Clip, Back), String> {
        let framed = Framed::of(noisy.shape(), self.layout.multiple);
        let x = framed.frame(&noisy.map(|u| u - MID_GREY));
        let shape = x.shape();
        let x = upload(&x, &self.device).autodiff().require_grad();
        let graph = self.result(x.clone(), level_within(sigma));
        let denoised = framed.cut(&download(graph.clone().inner(), shape)?);
        let device = self.device.clone();
        let back = move |slopes: &Clip| {
            let slopes = upload(&framed.cut_back(slopes), &device);
            let mut gradients = (graph * slopes).sum().backward();
            let gradient = x.grad_remove(&mut gradients);
            let gradient = download(gradient.ok_or("the gradient was lost")?, shape)?;
            Ok(framed.frame_back(&gradient))
        };
        Ok((denoised, Box::new(back)))
    }

    /// What the network, [`tracked`](Self::tracked), gets wrong, squared and scaled to unit
    /// variance, on video whose sides are multiples of [`Network::multiple`]; the slopes of each
    /// of its arrays, in their order, on the device.
    ///
    /// [`Network::multiple`]: super::Network::multiple
    pub fn learn_from(
        &self,
        clean: &Clip,
        noise: &Clip,
        sigma: f32,
    ) -> Result<(f64, Vec<Tensor<1>>), String> {
        let clean = clean.map(|u| u - MID_GREY);
        let x = clean.zip(noise, |u, n| u + sigma * n);
        let [skip, share] = shares(sigma);
        let sought = clean.zip(&x, |u, x| (u - skip * x) / share);
        let found = self.found(upload(&x, &self.device), sigma);
        let loss = (found - upload(&sought, &self.device)).square().mean();
        let mut gradients = loss.clone().backward();
        let slopes = self
            .arrays
            .values()
            .map(|array| array.grad_remove(&mut gradients));
        let slopes: Option<Vec<Tensor<1>>> = slopes.collect();
        let loss = loss.inner().try_into_scalar::<f32>();
        let loss = loss.map_err(|error| error.to_string())?;
        Ok((loss.into(), slopes.ok_or("a gradient was lost")?))
    }
}

#[cfg(test)]
mod tests;
