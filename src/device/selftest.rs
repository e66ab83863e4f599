//! Whether a device computes what it should: a small network, forward and backward,
//! against numbers computed once in 64-bit arithmetic.

use std::fmt;
use std::time::Instant;

use super::{ComputeDevice, DeviceError, Kind, guarded};
use crate::clip::{Clip, Shape};
use crate::prior::{NetworkPrior, Prior, PriorError, UNet, Weights, WeightsError};

const NETWORK: &[u8] = include_bytes!("../../assets/selftest/unet_dim8_heads32.safetensors");
const NUMBERS: &[u8] = include_bytes!("../../assets/selftest/unet_dim8_heads32_io.safetensors");

/// Largest errors, relative to the largest expected value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfTest {
    /// Of the noise estimate.
    pub forward: f32,
    /// Of the gradient with respect to the input.
    pub gradient: f32,
    /// What is allowed: 2e-5 on the CPU, 1e-4 on a GPU, whose square roots, exponentials
    /// and sums may be less exact.
    pub tolerance: f32,
    pub seconds: f64,
}

impl SelfTest {
    pub fn passed(&self) -> bool {
        // Not-a-numbers fail, too.
        self.forward <= self.tolerance && self.gradient <= self.tolerance
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "network off by {:.1e}, its gradient by {:.1e} ({:.0e} allowed)",
            self.forward, self.gradient, self.tolerance
        )
    }
}

/// Runs the self-test: a network prediction of a 4x16x16 clip, and its gradient.
pub fn self_test(device: &ComputeDevice) -> Result<SelfTest, DeviceError> {
    let tolerance = match device.kind {
        Kind::Cpu => 2e-5,
        _ => 1e-4,
    };
    let start = Instant::now();
    let (forward, gradient) = errors(device, "b").map_err(|error| DeviceError::Unusable {
        name: device.name.clone(),
        reason: error.to_string(),
    })?;
    Ok(SelfTest {
        forward,
        gradient,
        tolerance,
        seconds: start.elapsed().as_secs_f64(),
    })
}

/// Relative errors of prediction and gradient for one of the stored cases.
fn errors(device: &ComputeDevice, case: &str) -> Result<(f32, f32), PriorError> {
    let weights = Weights::from_safetensors(NETWORK)?;
    let net = guarded(|| Ok(UNet::from_weights(&weights, device.burn())));
    let net = net.map_err(PriorError::Device)??;
    let prior = NetworkPrior::new(net, device.clone());
    let numbers = Weights::from_safetensors(NUMBERS)?;
    let clip = |name: &str| stored_clip(&numbers, &format!("{case}.{name}"));
    let t = numbers
        .get(&format!("{case}.t"))
        .map_or(0, |array| array.data[0] as usize);
    let (eps, pullback) = prior.predict_with_pullback(&clip("x")?, t)?;
    let gradient = pullback(&clip("cotangent")?)?;
    Ok((
        relative_error(&eps, &clip("eps")?),
        relative_error(&gradient, &clip("grad_x")?),
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

/// Largest difference over the largest expected magnitude.
fn relative_error(found: &Clip, expected: &Clip) -> f32 {
    let largest = |clip: &Clip| clip.data().iter().fold(0f32, |m, v| m.max(v.abs()));
    let difference = found.zip(
        expected,
        |a, b| if a.is_nan() { f32::INFINITY } else { a - b },
    );
    largest(&difference) / largest(expected)
}

#[cfg(test)]
mod tests {
    use super::super::{DeviceRequest, open};
    use super::*;

    #[test]
    fn the_cpu_passes() {
        let test = self_test(&ComputeDevice::cpu("test")).unwrap();
        assert!(test.passed(), "{test}");
    }

    #[test]
    fn both_cases_agree_on_the_cpu() {
        for case in ["a", "b"] {
            let (forward, gradient) = errors(&ComputeDevice::cpu("test"), case).unwrap();
            assert!(
                forward <= 2e-5 && gradient <= 2e-5,
                "{case}: {forward} {gradient}"
            );
        }
    }

    #[test]
    fn wrong_numbers_fail() {
        let test = SelfTest {
            forward: f32::NAN,
            gradient: 0.0,
            tolerance: 1e-4,
            seconds: 0.0,
        };
        assert!(!test.passed());
        let shape = Shape::new(1, 1, 2);
        let expected = Clip::new(shape, vec![1.0, -4.0]);
        assert_eq!(
            relative_error(&Clip::new(shape, vec![1.0, -3.0]), &expected),
            0.25
        );
        let nan = Clip::new(shape, vec![f32::NAN, -4.0]);
        assert_eq!(relative_error(&nan, &expected), f32::INFINITY);
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
