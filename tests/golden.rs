//! The published method's golden numbers, through the code behind `vdps verify`.

use std::path::{Path, PathBuf};

use vdps::device::ComputeDevice;
use vdps::prior::NetworkPrior;
use vdps::verify::{self, Check, Extent, Golden};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn load(name: &str) -> Golden {
    Golden::load(&file(name)).unwrap()
}

fn assert_all_pass(checks: &[Check], count: usize) {
    for check in checks {
        assert!(check.passed(), "{}: {:.1e}", check.what, check.error);
    }
    assert_eq!(checks.len(), count, "{checks:#?}");
}

#[test]
fn forward_models_measure_and_differentiate_as_published() {
    let mut checks = Vec::new();
    let golden = load("forward_models.safetensors");
    verify::forward_models(&golden, &mut |check| checks.push(check)).unwrap();
    // Ten measurements, ten video gradients, five parameter gradients, two PSFs, one basis.
    assert_all_pass(&checks, 28);
}

#[test]
fn schedule_is_published() {
    let mut checks = Vec::new();
    let golden = load("schedule_1000.safetensors");
    verify::schedule(&golden, &mut |check| checks.push(check)).unwrap();
    assert_all_pass(&checks, 5);
}

#[test]
fn official_checkpoint_predicts_as_published() {
    let mut checks = Vec::new();
    let prior =
        NetworkPrior::load(&file("unet_dim8_heads16.pt"), ComputeDevice::cpu("test")).unwrap();
    let golden = load("unet_dim8_heads16_io.safetensors");
    let report = &mut |check| checks.push(check);
    verify::network("heads 16", &prior, &golden, Extent::Full, report).unwrap();
    assert_all_pass(&checks, 4);
}

/// Two estimates of each task's eight steps, and `parameters` sets of estimated parameters
/// or of what follows from them.
fn samples_as_published(task: &str, parameters: usize) {
    let mut checks = Vec::new();
    let golden = load("samplers_8step.safetensors");
    let weights =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/selftest/unet_dim8_heads32.safetensors");
    let network = NetworkPrior::load(&weights, ComputeDevice::cpu("test")).unwrap();
    verify::sampler(&golden, task, network, &mut |check| checks.push(check)).unwrap();
    assert_all_pass(&checks, 2 + parameters);
}

/// A test a task, so that they run side by side.
macro_rules! samplers {
    ($($task:ident: $parameters:expr),* $(,)?) => {
        mod sampler {
            $(#[test]
            fn $task() {
                super::samples_as_published(stringify!($task), $parameters);
            })*
        }
    };
}

samplers! {
    known: 0,
    blur: 0,
    dehaze: 0,
    inpaint: 0,
    blind_sigma: 1,
    blind_dist: 1,
    blind_full: 2,
    real: 0,
    zernike: 2,
    zernike_varying: 2,
}

#[test]
fn the_program_carries_enough_to_verify_itself() {
    let mut checks = Vec::new();
    verify::builtin(&ComputeDevice::cpu("test"), Extent::Full, &mut |check| {
        checks.push(check)
    })
    .unwrap();
    assert!(checks.len() > 30, "{}", checks.len());
    assert!(checks.iter().all(Check::passed), "{checks:#?}");
}

#[test]
fn wrong_numbers_do_not_pass() {
    let mut checks = Vec::new();
    let golden = load("unet_dim8_heads16_io.safetensors");
    let other =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/selftest/unet_dim8_heads32.safetensors");
    let prior = NetworkPrior::load(&other, ComputeDevice::cpu("test")).unwrap();
    let report = &mut |check| checks.push(check);
    verify::network("other weights", &prior, &golden, Extent::Small, report).unwrap();
    assert!(checks.iter().all(|check| !check.passed()));
}
