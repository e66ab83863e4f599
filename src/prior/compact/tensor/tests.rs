use std::sync::Arc;

use super::*;
use crate::clip::Shape;
use crate::device::{DeviceError, DeviceRequest, guarded, open};
use crate::noise::Noise;
use crate::prior::compact::{CompactConfig, Network};

fn small() -> Arc<Network> {
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
    Arc::new(network)
}

/// The largest difference, relative to the largest value.
fn apart(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().all(|v| v.is_finite()));
    let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0f32, |m, v| m.max(v.abs()));
    let scale = largest(&mut expected.iter().copied());
    largest(&mut found.iter().zip(expected).map(|(a, b)| a - b)) / scale
}

/// A scene that stands still in half of the picture, under noise.
fn video(shape: Shape, sigma: f32) -> [Clip; 2] {
    let mut noise = Noise::seeded(3);
    let still = noise.normal_clip(Shape { frames: 1, ..shape });
    let mut clean = noise.normal_clip(shape);
    for frame in 0..shape.frames {
        for (i, v) in clean.frame_mut(frame).iter_mut().enumerate() {
            if i % shape.width < shape.width / 2 {
                *v = still.data()[i];
            }
        }
    }
    let clean = clean.map(|v| 0.5 + 0.2 * v);
    let noisy = clean.zip(&noise.normal_clip(shape), |u, n| u + sigma * n);
    [clean, noisy]
}

/// Relative differences between tensors on `device` and the network for processors: of what comes
/// out, of the slopes of what goes in, of the slopes of the parameters.
fn differences(shape: Shape, sigma: f32, device: &Device) -> Result<[f32; 3], String> {
    let network = small();
    let tensors = TensorNetwork::new(&network.layout, &network.parameters, device);
    let [clean, noisy] = video(shape, sigma);
    let cotangent = Noise::seeded(4).normal_clip(shape);

    let (expected, expected_back) = network.denoise_with_pullback(&noisy, sigma);
    let (found, back) = tensors.denoise_with_pullback(&noisy, sigma)?;
    assert!(apart(tensors.denoise(&noisy, sigma)?.data(), found.data()) < 1e-6);
    let (slopes, expected_slopes) = (back(&cotangent)?, expected_back(&cotangent));

    let mut gradient = vec![0.0; network.parameters.len()];
    let noise = noisy.zip(&clean, |x, u| (x - u) / sigma);
    let expected_loss = network.learn_from(&clean, &noise, sigma, &mut gradient);
    let (loss, arrays) = tensors.tracked().learn_from(&clean, &noise, sigma)?;
    assert!((loss - expected_loss).abs() < 1e-4 * expected_loss);
    let arrays = arrays.into_iter();
    let learnt: Vec<f32> = arrays
        .flat_map(|array| array.try_into_vec_as::<f32>().unwrap())
        .collect();
    Ok([
        apart(found.data(), expected.data()),
        apart(slopes.data(), expected_slopes.data()),
        apart(&learnt, &gradient),
    ])
}

#[test]
fn tensors_give_what_the_network_for_processors_gives() {
    for (shape, sigma) in [
        (Shape::new(3, 8, 12), 0.1),
        (Shape::new(10, 16, 16), 0.05),
        (Shape::new(1, 4, 8), 0.5),
    ] {
        let found = differences(shape, sigma, &Device::flex()).unwrap();
        assert!(found.iter().all(|&d| d < 1e-4), "{shape}: {found:?}");
    }
}

/// Sides that are no multiples of anything.
#[test]
fn clips_of_any_size_pass() {
    let network = small();
    let tensors = TensorNetwork::new(&network.layout, &network.parameters, &Device::flex());
    let [_, noisy] = video(Shape::new(2, 7, 10), 0.1);
    let found = tensors.denoise(&noisy, 0.1).unwrap();
    let expected = network.denoise(&noisy, 0.1);
    assert!(apart(found.data(), expected.data()) < 1e-4);
}

#[test]
fn software_vulkan_gives_the_same() {
    match open(DeviceRequest::Software) {
        Ok(device) => {
            let shape = Shape::new(3, 8, 12);
            let found = guarded(|| differences(shape, 0.1, device.burn())).unwrap();
            assert!(found.iter().all(|&d| d < 1e-3), "{found:?}");
        }
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
