//! The network behind the traits that solvers see.

use std::sync::{Arc, LazyLock};

use super::super::{Denoiser, Prior, PriorError, Pullback, Schedule};
use super::{Network, TensorNetwork};
use crate::clip::{Clip, Shape};
use crate::device::{ComputeDevice, Kind, guarded};

/// The network as a prior of both kinds: a denoiser for the fast solver, a noise estimate at the
/// steps of a schedule for the reference solver.
#[derive(Clone)]
pub struct CompactPrior {
    name: String,
    network: Arc<Network>,
    schedule: Schedule,
    /// Where it computes if not on the processor.
    gpu: Option<Gpu>,
}

#[derive(Clone)]
struct Gpu {
    tensors: TensorNetwork,
    device: ComputeDevice,
}

impl CompactPrior {
    /// `name` is what the network is called on the command line; `schedule` is the one whose steps
    /// [`Prior`] is asked for.
    pub fn new(name: impl Into<String>, network: Arc<Network>, schedule: Schedule) -> Self {
        Self {
            name: name.into(),
            network,
            schedule,
            gpu: None,
        }
    }

    /// The same on this device: processors run the network as it is written for them, GPUs as
    /// tensors.
    ///
    /// # Errors
    /// A device that failed.
    pub fn on(self, device: &ComputeDevice) -> Result<Self, PriorError> {
        let Network {
            layout, parameters, ..
        } = &*self.network;
        let gpu = match device.kind {
            Kind::Cpu => None,
            _ => Some(Gpu {
                tensors: guarded(|| Ok(TensorNetwork::new(layout, parameters, device.burn())))
                    .map_err(PriorError::Device)?,
                device: device.clone(),
            }),
        };
        Ok(Self { gpu, ..self })
    }

    fn denoised(&self, noisy: &Clip, sigma: f32) -> Result<Clip, PriorError> {
        match &self.gpu {
            None => Ok(self.network.denoise(noisy, sigma)),
            Some(gpu) => guarded(|| gpu.tensors.denoise(noisy, sigma)).map_err(PriorError::Device),
        }
    }

    fn denoised_with_pullback(
        &self,
        noisy: &Clip,
        sigma: f32,
    ) -> Result<(Clip, Pullback), PriorError> {
        match &self.gpu {
            None => {
                let (denoised, back) = self.network.denoise_with_pullback(noisy, sigma);
                Ok((denoised, Box::new(|slopes| Ok(back(slopes)))))
            }
            Some(gpu) => {
                let (denoised, back) = guarded(|| gpu.tensors.denoise_with_pullback(noisy, sigma))
                    .map_err(PriorError::Device)?;
                let back = |slopes: &Clip| guarded(|| back(slopes)).map_err(PriorError::Device);
                Ok((denoised, Box::new(back)))
            }
        }
    }

    pub fn network(&self) -> &Network {
        &self.network
    }

    /// What a step's video holds of the amplitudes, and the noise on them:
    /// `x_t = sqrt(abar) (2u - 1) + sqrt(1 - abar) eps`.
    fn level(&self, t: usize) -> Level {
        let alpha_bar = f64::from(self.schedule.step(t).alpha_bar);
        let (signal, noise) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
        Level {
            signal: signal as f32,
            noise: noise as f32,
            sigma: (0.5 * noise / signal) as f32,
        }
    }
}

struct Level {
    signal: f32,
    noise: f32,
    /// Of the noise on amplitudes.
    sigma: f32,
}

impl Level {
    fn amplitudes(&self, x_t: &Clip) -> Clip {
        x_t.map(|x| 0.5 * (x / self.signal + 1.0))
    }

    fn noise(&self, x_t: &Clip, amplitudes: &Clip) -> Clip {
        x_t.zip(amplitudes, |x, u| {
            (x - self.signal * (2.0 * u - 1.0)) / self.noise
        })
    }
}

impl Denoiser for CompactPrior {
    fn name(&self) -> &str {
        &self.name
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        self.denoised(noisy, sigma as f32)
    }

    fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
        Ok(())
    }

    fn is_network(&self) -> bool {
        true
    }
}

impl Prior for CompactPrior {
    fn predict(&self, x_t: &Clip, t: usize) -> Result<Clip, PriorError> {
        let level = self.level(t);
        let amplitudes = self.denoised(&level.amplitudes(x_t), level.sigma)?;
        Ok(level.noise(x_t, &amplitudes))
    }

    fn predict_with_pullback(&self, x_t: &Clip, t: usize) -> Result<(Clip, Pullback), PriorError> {
        let level = self.level(t);
        let noisy = level.amplitudes(x_t);
        let (amplitudes, pullback) = self.denoised_with_pullback(&noisy, level.sigma)?;
        let eps = level.noise(x_t, &amplitudes);
        let shape = x_t.shape();
        let back = move |cotangent: &Clip| {
            if cotangent.shape() != shape {
                return Err(PriorError::Cotangent {
                    expected: shape,
                    found: cotangent.shape(),
                });
            }
            // The factors of amplitudes to x_t and back cancel.
            let through = pullback(cotangent)?;
            Ok(cotangent.zip(&through, |direct, through| (direct - through) / level.noise))
        };
        Ok((eps, Box::new(back)))
    }

    fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
        Ok(())
    }

    fn memory_bytes(&self, shape: Shape) -> u64 {
        match &self.gpu {
            None => self.network.memory_bytes(shape),
            Some(_) => TensorNetwork::memory_bytes(&self.network.layout, shape),
        }
    }

    fn describe(&self) -> String {
        let count = self.network.parameters.len() as f64 / 1e6;
        let device = self.gpu.as_ref().map_or("CPU", |gpu| &gpu.device.name);
        format!(
            "compact network `{}`, {count:.1} M parameters on {device}",
            self.name
        )
    }
}

/// The file of the network that ships inside.
pub static EMBEDDED_FILE: &[u8] = include_bytes!("../../../assets/prior.safetensors");

/// The network that ships inside.
///
/// # Panics
/// When the file that was built in is damaged, which a test would have noticed.
pub fn embedded() -> Arc<Network> {
    static NETWORK: LazyLock<Arc<Network>> = LazyLock::new(|| {
        let network = Network::from_safetensors(EMBEDDED_FILE);
        let network = network.expect("the embedded prior is sound");
        Arc::new(network)
    });
    NETWORK.clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;
    use crate::prior::compact::CompactConfig;

    fn small() -> CompactPrior {
        let config = CompactConfig {
            widths: vec![8, 16],
            blocks: 1,
        };
        let mut network = Network::random(&config, 1);
        // What is zero at the start would hide mistakes.
        let mut noise = Noise::seeded(2);
        network.change(|parameters| {
            parameters
                .iter_mut()
                .for_each(|p| *p += 0.1 * noise.normal() as f32);
        });
        CompactPrior::new("small", Arc::new(network), Schedule::cosine(1000))
    }

    #[test]
    fn the_pullback_is_the_derivative() {
        let prior = small();
        // Sides that are no multiples of anything.
        let shape = Shape::new(3, 7, 10);
        let mut noise = Noise::seeded(3);
        let x = noise.normal_clip(shape).map(|v| 0.5 * v);
        let (direction, v) = (noise.normal_clip(shape), noise.normal_clip(shape));
        let dot = |a: &Clip, b: &Clip| -> f64 {
            let pairs = a.data().iter().zip(b.data());
            pairs.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
        };
        for t in [30, 300, 700] {
            let (eps, pullback) = prior.predict_with_pullback(&x, t).unwrap();
            assert_eq!(eps, prior.predict(&x, t).unwrap());
            let along = |step: f32| {
                let moved = x.zip(&direction, |x, d| x + step * d);
                dot(&prior.predict(&moved, t).unwrap(), &v)
            };
            let numeric = (along(1e-3) - along(-1e-3)) / 2e-3;
            let exact = dot(&pullback(&v).unwrap(), &direction);
            assert!(
                (numeric - exact).abs() < 2e-2 * exact.abs().max(1.0),
                "{t}: {numeric} {exact}"
            );
        }
    }

    #[test]
    fn tensors_predict_what_the_processor_does() {
        let prior = small();
        let device = ComputeDevice::cpu("test");
        let network = &prior.network;
        let tensors = CompactPrior {
            gpu: Some(Gpu {
                tensors: TensorNetwork::new(&network.layout, &network.parameters, device.burn()),
                device,
            }),
            ..prior.clone()
        };
        let shape = Shape::new(3, 7, 10);
        let mut noise = Noise::seeded(3);
        let (x, v) = (noise.normal_clip(shape), noise.normal_clip(shape));
        let near = |a: &Clip, b: &Clip| {
            let largest = a.data().iter().fold(0f32, |m, v| m.max(v.abs()));
            let apart = a.zip(b, |a, b| (a - b).abs());
            assert!(apart.data().iter().all(|d| *d < 1e-4 * largest));
        };
        let [(eps, back), (found, found_back)] =
            [&prior, &tensors].map(|prior| prior.predict_with_pullback(&x, 300).unwrap());
        near(&eps, &found);
        near(&eps, &tensors.predict(&x, 300).unwrap());
        near(&back(&v).unwrap(), &found_back(&v).unwrap());
        let on_processor = tensors.on(&ComputeDevice::cpu("test")).unwrap();
        assert_eq!(on_processor.predict(&x, 300).unwrap(), eps);
    }

    #[test]
    fn both_traits_see_one_network() {
        let mut prior = small();
        let shape = Shape::new(2, 8, 8);
        let noisy = Noise::seeded(4).normal_clip(shape).map(|v| 0.5 + 0.3 * v);
        let t = 400;
        let alpha_bar = prior.schedule.step(t).alpha_bar;
        let (signal, noise) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
        let x_t = noisy.map(|u| signal * (2.0 * u - 1.0));
        let eps = prior.predict(&x_t, t).unwrap();
        let denoised = prior
            .denoise(&noisy, f64::from(0.5 * noise / signal))
            .unwrap();
        let implied = x_t.zip(&eps, |x, e| 0.5 * ((x - noise * e) / signal + 1.0));
        let apart = implied.zip(&denoised, |a, b| (a - b).abs());
        assert!(apart.data().iter().all(|&d| d < 1e-4));
    }
}
