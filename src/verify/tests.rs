use super::*;
use crate::prior::weights::Array;

fn zeros(shape: &[usize]) -> Array {
    Array {
        shape: shape.to_vec(),
        data: vec![0.0; shape.iter().product()],
    }
}

/// Built-in numbers with one array replaced.
fn damaged(bytes: &[u8], name: &str, shape: &[usize]) -> Golden {
    let mut arrays = Weights::from_safetensors(bytes).unwrap();
    assert!(arrays.get(name).is_some(), "{name}");
    arrays.insert(name, zeros(shape));
    Golden::held(arrays)
}

fn prior() -> NetworkPrior {
    let weights = Weights::from_safetensors(NETWORK).unwrap();
    NetworkPrior::from_weights(&weights, ComputeDevice::cpu("test")).unwrap()
}

fn says(result: Result<(), VerifyError>, name: &str) {
    let message = result.unwrap_err().to_string();
    assert!(message.contains(name), "{message}");
}

#[test]
fn damaged_forward_models_are_errors() {
    for (name, shape) in [
        ("scatter_real.dist_m", &[0][..]),
        ("blur.cotangent", &[1, 1, 2, 4, 4]),
        ("dehaze.x", &[0, 1 << 40, 1 << 40, 1 << 40]),
    ] {
        says(
            forward_models(&damaged(MODELS, name, shape), &mut |_| {}),
            name,
        );
    }
}

#[test]
fn damaged_network_numbers_are_errors() {
    for (name, shape) in [("b.t", &[0][..]), ("b.cotangent", &[1, 1, 4, 16, 8])] {
        let golden = damaged(NETWORK_NUMBERS, name, shape);
        says(
            network("test", &prior(), &golden, Extent::Small, &mut |_| {}),
            name,
        );
    }
}

#[test]
fn damaged_samplers_are_errors() {
    for (name, shape) in [
        ("noise", &[3, 1, 1, 10, 64, 64][..]),
        ("noise", &[9, 1, 1, 10, 64, 32]),
        ("blind_full.net_dist.fc1.bias", &[0]),
        ("blind_full.net_dist.fc2.bias", &[30]),
        ("blind_full.net_sigma.fc2.weight", &[10, 31]),
    ] {
        let golden = damaged(SAMPLERS, name, shape);
        says(sampler(&golden, "blind_full", prior(), &mut |_| {}), name);
    }
}
