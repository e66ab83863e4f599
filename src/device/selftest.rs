//! Whether a device computes what it should: a small network, forward and backward,
//! against numbers computed once in 64-bit arithmetic, and products as wide as those of a
//! real network against the processor.

use std::fmt;

use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor, TensorData};

use super::{ComputeDevice, DeviceError, Kind, guarded};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::prior::{NetworkPrior, Prior, PriorError, Weights, WeightsError};

/// The small golden network, as safetensors.
pub(crate) const NETWORK: &[u8] =
    include_bytes!("../../assets/selftest/unet_dim8_heads32.safetensors");
/// Its inputs and outputs: case `a` is 10x32x32, case `b` 4x16x16.
pub(crate) const NETWORK_NUMBERS: &[u8] =
    include_bytes!("../../assets/selftest/unet_dim8_heads32_io.safetensors");

/// What wide products may be off, relative to the largest value.
const WIDE_TOLERANCE: f64 = 1e-4;

/// Largest errors, relative to the largest expected value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfTest {
    /// Of the noise estimate.
    pub forward: f64,
    /// Of the gradient with respect to the input.
    pub gradient: f64,
    /// What is allowed of both.
    pub tolerance: f64,
    /// Of wide convolutions and matrix products; none where they were not tried.
    pub wide: Option<f64>,
}

impl SelfTest {
    pub fn passed(&self) -> bool {
        // Not-a-numbers fail, too.
        self.forward <= self.tolerance
            && self.gradient <= self.tolerance
            && self.wide.is_none_or(|error| error <= WIDE_TOLERANCE)
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "network off by {:.1e}, its gradient by {:.1e} ({:.0e} allowed)",
            self.forward, self.gradient, self.tolerance
        )?;
        match self.wide {
            Some(error) => write!(
                f,
                ", wide products by {error:.1e} ({WIDE_TOLERANCE:.0e} allowed)"
            ),
            None => Ok(()),
        }
    }
}

/// Runs the self-test: network predictions of a 4x16x16 and a 10x32x32 clip with their
/// gradients, and wide products. Software GPUs, which would take long, get the first alone.
pub fn self_test(device: &ComputeDevice) -> Result<SelfTest, DeviceError> {
    let software = device.kind == Kind::SoftwareGpu;
    let cases: &[&str] = if software { &["b"] } else { &["b", "a"] };
    let run = || -> Result<SelfTest, PriorError> {
        let mut test = SelfTest {
            forward: 0.0,
            gradient: 0.0,
            tolerance: device.kind.network_tolerance(),
            wide: None,
        };
        let weights = Weights::from_safetensors(NETWORK)?;
        let prior = NetworkPrior::from_weights(&weights, device.clone())?;
        for case in cases {
            let (forward, gradient) = errors(&prior, case)?;
            test.forward = test.forward.max(forward);
            test.gradient = test.gradient.max(gradient);
        }
        if !software {
            test.wide = Some(wide_error(device).map_err(PriorError::Device)?);
        }
        Ok(test)
    };
    run().map_err(|error| DeviceError::Unusable {
        name: device.name.clone(),
        reason: error.to_string(),
    })
}

/// Relative errors of prediction and gradient for one of the stored cases.
fn errors(prior: &NetworkPrior, case: &str) -> Result<(f64, f64), PriorError> {
    let numbers = Weights::from_safetensors(NETWORK_NUMBERS)?;
    let clip = |name: &str| stored_clip(&numbers, &format!("{case}.{name}"));
    let t = numbers
        .get(&format!("{case}.t"))
        .map_or(0, |array| array.data[0] as usize);
    let (eps, pullback) = prior.predict_with_pullback(&clip("x")?, t)?;
    let gradient = pullback(&clip("cotangent")?)?;
    Ok((
        relative_error(eps.data(), clip("eps")?.data()),
        relative_error(gradient.data(), clip("grad_x")?.data()),
    ))
}

fn stored_clip(numbers: &Weights, name: &str) -> Result<Clip, WeightsError> {
    match numbers.get(name) {
        Some(array) if array.shape.len() == 5 => {
            let shape = Shape::new(array.shape[2], array.shape[3], array.shape[4]);
            Ok(Clip::new(shape, array.data.clone()))
        }
        _ => Err(WeightsError::Config(format!("no clip `{name}`"))),
    }
}

/// Relative error of a 3 x 3 convolution of 10x16x16 from 64 to 128 channels and of a
/// product of 512 x 512 matrices, against the processor. Wide layers may run in kernels
/// that narrow ones never reach.
fn wide_error(device: &ComputeDevice) -> Result<f64, String> {
    let mut noise = Noise::seeded(0);
    let mut draw = |shape: [usize; 4]| {
        let values = (0..shape.iter().product()).map(|_| noise.normal() as f32);
        TensorData::new(values.collect::<Vec<f32>>(), shape)
    };
    let video = draw([10, 64, 16, 16]);
    let kernel = draw([128, 64, 3, 3]);
    let (left, right) = (draw([1, 1, 512, 512]), draw([1, 1, 512, 512]));
    let products = |device: &Device| -> Result<[Vec<f32>; 2], String> {
        let tensor = |data: &TensorData| Tensor::<4>::from_data(data.clone(), device);
        let values = |tensor: Tensor<4>| {
            let values = tensor.try_into_vec_as::<f32>();
            values.map_err(|error| error.to_string())
        };
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        Ok([
            values(conv2d(tensor(&video), tensor(&kernel), None, options))?,
            values(tensor(&left).matmul(tensor(&right)))?,
        ])
    };
    let expected = products(&Device::flex())?;
    let found = guarded(|| products(device.burn()))?;
    let errors = found.iter().zip(&expected);
    Ok(errors
        .map(|(found, expected)| relative_error(found, expected))
        .fold(0.0, f64::max))
}

/// Largest difference over the largest expected magnitude; infinite for not-a-numbers and
/// other lengths.
fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    if found.len() != expected.len() || found.iter().any(|v| v.is_nan()) {
        return f64::INFINITY;
    }
    let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0f32, |m, v| m.max(v.abs()));
    let difference = largest(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    f64::from(difference) / f64::from(largest(&mut expected.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::super::{DeviceRequest, open};
    use super::*;

    #[test]
    fn the_cpu_passes() {
        let test = self_test(&ComputeDevice::cpu("test")).unwrap();
        assert!(test.passed() && test.forward > 0.0, "{test}");
        assert!(test.wide.is_some_and(|error| error < 1e-6), "{test}");
    }

    #[test]
    fn wrong_numbers_fail() {
        let good = SelfTest {
            forward: 1e-5,
            gradient: 1e-5,
            tolerance: 1e-4,
            wide: Some(1e-5),
        };
        assert!(good.passed());
        let wide = |error| SelfTest {
            wide: Some(error),
            ..good
        };
        assert!(!wide(1e-3).passed() && !wide(f64::INFINITY).passed());
        let forward = f64::NAN;
        assert!(!SelfTest { forward, ..good }.passed());

        let expected = [1.0, -4.0];
        assert_eq!(relative_error(&[1.0, -3.0], &expected), 0.25);
        assert_eq!(relative_error(&[f32::NAN, -4.0], &expected), f64::INFINITY);
        assert_eq!(relative_error(&[1.0], &expected), f64::INFINITY);
    }

    #[test]
    fn software_vulkan_passes_when_asked_for_by_name() {
        match open(DeviceRequest::Software) {
            Ok(device) => assert_eq!(device.kind, Kind::SoftwareGpu),
            Err(DeviceError::NoSoftware) => {
                assert!(
                    std::env::var_os("VDPS_REQUIRE_ALL").is_none(),
                    "no software Vulkan"
                );
                eprintln!("SKIPPED: software Vulkan is not installed");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
