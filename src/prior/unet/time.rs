//! The embedding of the diffusion step.

use burn::module::{Module, Param};
use burn::tensor::activation::gelu;
use burn::tensor::{Device, Tensor, TensorData};

use super::source::{Source, Start};

/// Sinusoids of the step, then two linear layers with an exact GELU between them.
#[derive(Module, Debug)]
pub(super) struct TimeEmbedding {
    weight1: Param<Tensor<2>>,
    bias1: Param<Tensor<1>>,
    weight2: Param<Tensor<2>>,
    bias2: Param<Tensor<1>>,
}

impl TimeEmbedding {
    pub(super) fn new(source: &mut Source, dim: usize) -> Self {
        let wide = 4 * dim;
        let (narrow_in, wide_in) = (Start::FanIn(dim), Start::FanIn(wide));
        Self {
            weight1: source.param("time_mlp.1.weight", &[wide, dim], [wide, dim], narrow_in),
            bias1: source.param("time_mlp.1.bias", &[wide], [wide], narrow_in),
            weight2: source.param("time_mlp.3.weight", &[wide, wide], [wide, wide], wide_in),
            bias2: source.param("time_mlp.3.bias", &[wide], [wide], wide_in),
        }
    }

    /// A column `[4 dim, 1]`.
    pub(super) fn forward(&self, t: usize) -> Tensor<2> {
        let [wide, dim] = self.weight1.dims();
        let device: Device = self.weight1.device();
        let data = TensorData::new(sinusoids(t, dim), [dim, 1]);
        let hidden = self.weight1.val().matmul(Tensor::from_data(data, &device));
        let hidden = gelu(hidden + self.bias1.val().reshape([wide, 1]));
        self.weight2.val().matmul(hidden) + self.bias2.val().reshape([wide, 1])
    }
}

/// Sines, then cosines, of `t` times frequencies falling from 1 to 1/10000.
fn sinusoids(t: usize, dim: usize) -> Vec<f32> {
    let half = dim / 2;
    let phase = |i: usize| {
        let decay = 10000f64.ln() / (half - 1) as f64;
        t as f64 * (-(i as f64) * decay).exp()
    };
    let sines = (0..half).map(|i| phase(i).sin() as f32);
    let cosines = (0..half).map(|i| phase(i).cos() as f32);
    sines.chain(cosines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_run_from_one_to_a_ten_thousandth() {
        let s = sinusoids(3, 8);
        assert_eq!(s.len(), 8);
        assert!((s[0] - 3f32.sin()).abs() < 1e-7);
        assert!((s[3] - 3e-4f32.sin()).abs() < 1e-9);
        assert!((s[4] - 3f32.cos()).abs() < 1e-7);
        assert!((s[7] - 3e-4f32.cos()).abs() < 1e-7);
    }
}
