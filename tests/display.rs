//! The panes' shader: valid, and drawing what the processor draws.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use eframe::wgpu::{self, naga};
use vdps::display::{ColourMap, Transform, gpu};

#[test]
fn the_shader_is_valid() {
    let module = naga::front::wgsl::parse_str(gpu::SHADER)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(gpu::SHADER)));
    let mut validator = naga::valid::Validator::new(
        naga::valid::ValidationFlags::all(),
        naga::valid::Capabilities::empty(),
    );
    let checked = validator.validate(&module);
    checked.unwrap_or_else(|error| panic!("{}", error.emit_to_string(gpu::SHADER)));
    let mut entries: Vec<_> = module
        .entry_points
        .iter()
        .map(|e| e.name.as_str())
        .collect();
    entries.sort_unstable();
    assert_eq!(entries, ["corner", "linear", "shown"]);
}

/// What native `wgpu` gives at once.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("native wgpu answers at once"),
    }
}

/// Any device, software included; says so where the test is skipped for the lack of one.
pub fn device_or_skip(test: &str) -> Option<(wgpu::Device, wgpu::Queue)> {
    let descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    let instance = wgpu::Instance::new(descriptor);
    let adapter = now(instance.request_adapter(&wgpu::RequestAdapterOptions::default()));
    match adapter {
        Ok(adapter) => {
            eprintln!("{test} on {}", adapter.get_info().name);
            let descriptor = wgpu::DeviceDescriptor {
                required_limits: wgpu::Limits::downlevel_defaults(),
                ..wgpu::DeviceDescriptor::default()
            };
            Some(now(adapter.request_device(&descriptor)).expect("an adapter has a device"))
        }
        Err(error) => {
            let required = std::env::var_os("VDPS_REQUIRE_ALL").is_some();
            assert!(!required, "{test} needs an adapter: {error}");
            eprintln!("SKIPPED: {test} needs an adapter: {error}");
            None
        }
    }
}

#[test]
fn the_gpu_draws_what_the_processor_draws() {
    let Some((device, queue)) = device_or_skip("the_gpu_draws_what_the_processor_draws") else {
        return;
    };
    // No pixel's centre lies on the edge of a texel, where rounding decides.
    let (width, height) = (64, 48);
    for map in ColourMap::ALL {
        for transform in [Transform::Keep, Transform::Square, Transform::Root] {
            for wipe in [None, Some(0.0), Some(0.37), Some(1.0)] {
                let mut scene = gpu::specimen();
                (scene.layer.look.map, scene.layer.look.transform) = (map, transform);
                scene.beyond = scene
                    .beyond
                    .zip(wipe)
                    .map(|((layer, _), wipe)| (layer, wipe));
                let srgb = wipe == Some(0.37);
                let drawn = gpu::paint(&device, &queue, &scene, width, height, srgb).unwrap();
                let wanted = scene.paint(width, height);
                assert_eq!(drawn.len(), wanted.len());
                for (place, (drawn, wanted)) in drawn.iter().zip(&wanted).enumerate() {
                    let apart = drawn.iter().zip(wanted).map(|(a, b)| a.abs_diff(*b)).max();
                    assert!(
                        apart <= Some(1),
                        "{map:?} {transform:?} {wipe:?}, pixel {place}: {drawn:?}, not {wanted:?}"
                    );
                }
                let distinct: std::collections::HashSet<_> = drawn.iter().collect();
                assert!(distinct.len() > 10 && distinct.contains(&ColourMap::NOT_FINITE));
            }
        }
    }
}

#[test]
fn a_device_is_trusted_once_it_is_right() {
    let Some((device, queue)) = device_or_skip("a_device_is_trusted_once_it_is_right") else {
        return;
    };
    let format = wgpu::TextureFormat::Bgra8UnormSrgb;
    assert_eq!(gpu::verified(&device, &queue, format).err(), None);
    // A format that cannot be drawn into is an error, not a panic.
    let wrong = wgpu::TextureFormat::Depth32Float;
    assert!(gpu::verified(&device, &queue, wrong).is_err());
}
