use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Gradients;
use burn::tensor::{Device, Distribution, TensorData};

use super::*;
use crate::prior::weights::Array;

const CHECKPOINT: &[u8] = include_bytes!("../../../tests/golden/unet_dim8_heads16.pt");
const NUMBERS: &[u8] = include_bytes!("../../../tests/golden/unet_dim8_heads16_io.safetensors");

fn checkpoint() -> Weights {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), CHECKPOINT).unwrap();
    Weights::load(file.path()).unwrap()
}

fn tensor(array: &Array) -> Tensor<4> {
    let [_, _, frames, height, width] = array.shape[..] else {
        panic!("not a clip: {:?}", array.shape)
    };
    let data = TensorData::new(array.data.clone(), [frames, 1, height, width]);
    Tensor::from_data(data, &Device::flex())
}

fn assert_close(found: Tensor<4>, expected: &Array, what: &str) {
    let found = found.try_into_vec_as::<f32>().unwrap();
    let largest = |values: &mut dyn Iterator<Item = f32>| values.fold(0f32, |m, v| m.max(v.abs()));
    let scale = largest(&mut expected.data.iter().copied());
    let pairs = found.iter().zip(&expected.data);
    assert!(found.iter().all(|v| v.is_finite()), "{what}");
    let error = largest(&mut pairs.map(|(a, b)| a - b)) / scale;
    assert!(error <= 2e-5, "{what} is off by {error:e}");
}

#[test]
fn a_published_checkpoint_predicts_the_golden_noise_and_gradient() {
    let (net, unused) = UNet::from_weights_reporting(&checkpoint(), &Device::flex()).unwrap();
    assert!(unused.is_empty(), "{unused:?}");
    assert_eq!(net.config().temporal_head_dim, 16);
    let golden = Weights::from_safetensors(NUMBERS).unwrap();
    for case in ["a", "b"] {
        let get = |name: &str| golden.get(&format!("{case}.{name}")).unwrap();
        let t = get("t").data[0] as usize;
        assert_close(net.forward(tensor(get("x")), t), get("eps"), "eps");

        let x = tensor(get("x")).autodiff().require_grad();
        let eps = net.forward(x.clone(), t);
        assert_close(eps.clone().inner(), get("eps"), "tracked eps");
        let gradients = (eps * tensor(get("cotangent"))).sum().backward();
        assert_close(x.grad(&gradients).unwrap(), get("grad_x"), "gradient");
    }
}

#[test]
fn sizes_are_counted_as_they_are() {
    let config = UNetConfig {
        dim: 16,
        multipliers: vec![1, 3],
        heads: 4,
        temporal_head_dim: 8,
    };
    let net = UNet::random(&config, 1, &Device::flex());
    assert_eq!(net.num_params(), config.parameter_count());
    let published = UNet::from_weights(&checkpoint(), &Device::flex()).unwrap();
    assert_eq!(published.num_params(), published.config().parameter_count());
}

#[test]
fn a_seed_gives_the_same_random_network() {
    let config = UNetConfig {
        dim: 8,
        multipliers: vec![1, 2],
        heads: 2,
        temporal_head_dim: 6,
    };
    let x = Tensor::<4>::ones([3, 1, 6, 10], &Device::flex());
    let run = |seed| {
        let net = UNet::random(&config, seed, &Device::flex());
        net.forward(x.clone(), 5).try_into_vec_as::<f32>().unwrap()
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    assert!(run(1).iter().all(|v| v.is_finite()));
}

fn refusal(change: impl FnOnce(&mut Weights)) -> String {
    let mut weights = checkpoint();
    change(&mut weights);
    let result = UNet::from_weights(&weights, &Device::flex());
    result.map(|_| ()).unwrap_err().to_string()
}

fn zeros(shape: &[usize]) -> Array {
    Array {
        shape: shape.to_vec(),
        data: vec![0.0; shape.iter().product()],
    }
}

#[test]
fn weights_of_the_wrong_shape_are_named() {
    let name = "mid_block1.block1.proj.weight";
    let message = refusal(|w| w.insert(name, zeros(&[32, 16, 1, 3, 3])));
    assert!(message.contains(name), "{message}");
    assert!(
        message.contains("[32, 16, 1, 3, 3], not [32, 32, 1, 3, 3]"),
        "{message}"
    );
}

#[test]
fn missing_weights_are_named() {
    let mut fewer = Weights::default();
    let all = checkpoint();
    for name in all.names().filter(|n| !n.starts_with("ups.1.3.fn.fn")) {
        fewer.insert(name, all.get(name).unwrap().clone());
    }
    let error = UNet::from_weights(&fewer, &Device::flex())
        .map(|_| ())
        .unwrap_err();
    let WeightsError::Misfit { missing, misshapen } = error else {
        panic!("{error}")
    };
    assert_eq!(missing.len(), 2);
    assert!(misshapen.is_empty());
}

#[test]
fn other_networks_are_refused() {
    let message = refusal(|w| w.insert("init_conv.weight", zeros(&[8, 3, 1, 7, 7])));
    assert!(message.contains("3-channel"), "{message}");
    let message = refusal(|w| w.insert("init_conv.weight", zeros(&[])));
    assert!(message.contains("init_conv.weight"), "{message}");
    let message = refusal(|w| w.insert("betas", zeros(&[1000])));
    assert!(message.contains("schedule"), "{message}");
    let name = "mid_temporal_attn.fn.fn.fn.rotary_emb.freqs";
    let message = refusal(|w| w.insert(name, zeros(&[8])));
    assert!(message.contains("frequencies"), "{message}");
    let empty = UNet::from_weights(&Weights::default(), &Device::flex()).map(|_| ());
    assert!(empty.is_err());
}

/// Sizes that a file only claims must not be asked for: the first would take 640 GB.
#[test]
fn claimed_sizes_take_no_memory() {
    let mut weights = Weights::default();
    let bias = "time_rel_pos_bias.relative_attention_bias.weight";
    for (name, shape) in [
        ("init_conv.weight", &[100_000, 1, 1, 7, 7][..]),
        (bias, &[32, 1]),
        ("init_temporal_attn.fn.fn.fn.to_qkv.weight", &[6, 1]),
        ("downs.0.0.block1.proj.weight", &[100_000, 1, 1, 3, 3]),
    ] {
        weights.insert(name, zeros(shape));
    }
    let result = UNet::from_weights(&weights, &Device::flex()).map(|_| ());
    let Err(WeightsError::Misfit { missing, misshapen }) = result else {
        panic!("{result:?}")
    };
    assert!(missing.iter().any(|name| name == "time_mlp.3.weight"));
    assert!(misshapen.iter().any(|m| m.found == [6, 1]));

    let name = "downs.0.0.block1.proj.weight";
    for shape in [&[8 << 40, 0][..], &[8 << 40, 0, 1, 3, 3], &[8]] {
        let message = refusal(|w| w.insert(name, zeros(shape)));
        assert!(message.contains(name), "{message}");
    }
    let message = refusal(|w| {
        for level in 4..70 {
            let name = format!("downs.{level}.0.block1.proj.weight");
            w.insert(name, zeros(&[8, 8, 1, 3, 3]));
        }
    });
    assert!(message.contains("70 levels"), "{message}");
}

#[test]
fn what_the_network_has_no_use_for_is_reported() {
    let mut weights = checkpoint();
    weights.insert("extra.weight", zeros(&[1]));
    let (_, unused) = UNet::from_weights_reporting(&weights, &Device::flex()).unwrap();
    assert_eq!(unused, ["extra.weight"]);
}

/// A trainer must reach every parameter, none of which may be lost on the way.
#[test]
fn every_parameter_gets_a_gradient() {
    struct Untouched<'a>(&'a Gradients, usize);
    impl ModuleVisitor for Untouched<'_> {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradient = param.val().grad(self.0);
            let moves = gradient.is_some_and(|g| g.abs().sum().into_scalar::<f32>() > 0.0);
            self.1 += usize::from(!moves);
        }
    }
    let config = UNetConfig {
        dim: 8,
        multipliers: vec![1, 2],
        heads: 2,
        temporal_head_dim: 8,
    };
    let net = UNet::random(&config, 4, &Device::flex()).train();
    let x = Tensor::<4>::random([3, 1, 8, 8], Distribution::Default, &Device::flex());
    let gradients = net.forward(x.autodiff(), 7).square().sum().backward();
    let mut untouched = Untouched(&gradients, 0);
    net.visit(&mut untouched);
    assert_eq!(untouched.1, 0);
}
