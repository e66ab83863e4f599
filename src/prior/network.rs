//! The U-Net as a prior: clips from and to the host, failures as errors.

use std::path::Path;

use burn::tensor::{Tensor, TensorData};

use super::{Prior, PriorError, Pullback, UNet, Weights};
use crate::clip::{Clip, Shape};
use crate::device::{ComputeDevice, guarded};

/// A network on a device.
#[derive(Debug)]
pub struct NetworkPrior {
    net: UNet,
    device: ComputeDevice,
    unused: Vec<String>,
}

impl NetworkPrior {
    /// `net` must live on `device`.
    pub fn new(net: UNet, device: ComputeDevice) -> Self {
        device.prepare_for_networks();
        Self {
            net,
            device,
            unused: Vec::new(),
        }
    }

    /// Loads a checkpoint of any kind [`Weights::load`] reads.
    pub fn load(path: &Path, device: ComputeDevice) -> Result<Self, PriorError> {
        Self::from_weights(&Weights::load(path)?, device)
    }

    pub fn from_weights(weights: &Weights, device: ComputeDevice) -> Result<Self, PriorError> {
        device.prepare_for_networks();
        let (net, unused) = guarded(|| Ok(UNet::from_weights_reporting(weights, device.burn())))
            .map_err(PriorError::Device)??;
        Ok(Self {
            net,
            device,
            unused,
        })
    }

    pub fn net(&self) -> &UNet {
        &self.net
    }

    pub fn device(&self) -> &ComputeDevice {
        &self.device
    }

    /// What the checkpoint held beyond the network.
    pub fn unused(&self) -> &[String] {
        &self.unused
    }

    fn tensor(&self, clip: &Clip) -> Tensor<4> {
        upload(clip, self.device.burn())
    }
}

pub(crate) fn upload(clip: &Clip, device: &burn::tensor::Device) -> Tensor<4> {
    let Shape {
        frames,
        height,
        width,
    } = clip.shape();
    let data = TensorData::new(clip.data().to_vec(), [frames, 1, height, width]);
    Tensor::from_data(data, device)
}

pub(crate) fn download(tensor: Tensor<4>, shape: Shape) -> Result<Clip, String> {
    let data = tensor.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
    Ok(Clip::new(shape, data))
}

impl Prior for NetworkPrior {
    fn predict(&self, x_t: &Clip, t: usize) -> Result<Clip, PriorError> {
        self.check_shape(x_t.shape())?;
        guarded(|| download(self.net.forward(self.tensor(x_t), t), x_t.shape()))
            .map_err(PriorError::Device)
    }

    fn predict_with_pullback(&self, x_t: &Clip, t: usize) -> Result<(Clip, Pullback), PriorError> {
        let shape = x_t.shape();
        self.check_shape(shape)?;
        let (eps, x, graph) = guarded(|| {
            let x = self.tensor(x_t).autodiff().require_grad();
            let graph = self.net.forward(x.clone(), t);
            Ok((download(graph.clone().inner(), shape)?, x, graph))
        })
        .map_err(PriorError::Device)?;

        let device = self.device.burn().clone();
        let pullback = move |cotangent: &Clip| {
            if cotangent.shape() != shape {
                return Err(PriorError::Cotangent {
                    expected: shape,
                    found: cotangent.shape(),
                });
            }
            guarded(|| {
                let mut gradients = (graph * upload(cotangent, &device)).sum().backward();
                let gradient = x.grad_remove(&mut gradients);
                download(gradient.ok_or("the gradient was lost")?, shape)
            })
            .map_err(PriorError::Device)
        };
        Ok((eps, Box::new(pullback)))
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        self.net.config().check_shape(shape)
    }

    fn memory_bytes(&self, shape: Shape) -> u64 {
        self.net.config().memory_estimate(shape, true)
    }

    fn describe(&self) -> String {
        format!("{} on {}", self.net.config(), self.device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::prior::UNetConfig;

    fn small() -> NetworkPrior {
        let config = UNetConfig {
            dim: 8,
            multipliers: vec![1, 2],
            heads: 2,
            temporal_head_dim: 8,
        };
        let device = ComputeDevice::cpu("test");
        NetworkPrior::new(UNet::random(&config, 5, device.burn()), device)
    }

    #[test]
    fn the_pullback_is_the_derivative() {
        let prior = small();
        let shape = Shape::new(3, 6, 4);
        let mut noise = Noise::seeded(2);
        let (x, direction, v) = (
            noise.normal_clip(shape),
            noise.normal_clip(shape),
            noise.normal_clip(shape),
        );
        let (eps, pullback) = prior.predict_with_pullback(&x, 40).unwrap();
        let untracked = prior.predict(&x, 40).unwrap();
        let apart = eps.zip(&untracked, |a, b| (a - b).abs());
        assert!(apart.data().iter().all(|&d| d < 1e-5));
        let dot = |a: &Clip, b: &Clip| -> f64 {
            let pairs = a.data().iter().zip(b.data());
            pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        let step = 1e-2;
        let along = |sign: f32| {
            let moved = x.zip(&direction, |x, d| x + sign * step * d);
            dot(&prior.predict(&moved, 40).unwrap(), &v)
        };
        let numeric = (along(1.0) - along(-1.0)) / (2.0 * f64::from(step));
        let exact = dot(&pullback(&v).unwrap(), &direction);
        assert!(
            (numeric - exact).abs() < 1e-2 * exact.abs().max(0.1),
            "{numeric} {exact}"
        );
    }

    #[test]
    fn wrong_shapes_are_errors() {
        let prior = small();
        let odd = Clip::zeros(Shape::new(2, 5, 4));
        assert!(matches!(
            prior.predict(&odd, 0),
            Err(PriorError::Shape { .. })
        ));
        let fits = Clip::zeros(Shape::new(2, 4, 4));
        let (_, pullback) = prior.predict_with_pullback(&fits, 0).unwrap();
        assert!(matches!(pullback(&odd), Err(PriorError::Cotangent { .. })));
    }

    #[test]
    fn it_says_what_it_is() {
        let text = small().describe();
        assert!(text.contains("levels 1-2, 2 heads of 8) on CPU"), "{text}");
    }

    #[test]
    fn an_absent_checkpoint_is_an_error() {
        let device = ComputeDevice::cpu("test");
        let error = NetworkPrior::load(Path::new("no such model.pt"), device).unwrap_err();
        assert!(error.to_string().contains("no such model.pt"), "{error}");
    }
}
