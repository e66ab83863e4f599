//! The tiny networks that hold the published method's unknown parameters.

use std::f32::consts::PI;

use crate::adam::Adam;
use crate::noise::Noise;

/// Slope of ELU far below zero.
const ALPHA: f32 = 0.5;

/// How a network's raw outputs become parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Output {
    /// ELU(raw) + shift, so above shift - 0.5.
    Elu { shift: f32 },
    /// pi tanh(raw): Zernike coefficients in radians, never beyond pi.
    PiTanh,
}

/// A two-layer network fed a constant zero vector: fc1, ELU, fc2, output.
///
/// With a zero input fc1 is its bias, whose weights never move; they are left out.
#[derive(Clone, Debug)]
pub struct Mapping {
    hidden: usize,
    outputs: usize,
    output: Output,
    /// Adam's step.
    rate: f32,
    /// fc1 bias, fc2 weights (a row an output), fc2 bias.
    parameters: Vec<f32>,
    adam: Adam,
}

impl Mapping {
    const BETAS: (f32, f32) = (0.9, 0.999);

    /// A network with these starting values: `fc1_bias` one a hidden unit, `fc2_weight` a
    /// row an output, `fc2_bias` one an output.
    ///
    /// # Panics
    /// When the lengths do not fit together.
    pub fn new(
        output: Output,
        rate: f32,
        fc1_bias: &[f32],
        fc2_weight: &[f32],
        fc2_bias: &[f32],
    ) -> Self {
        let (hidden, outputs) = (fc1_bias.len(), fc2_bias.len());
        assert_eq!(fc2_weight.len(), hidden * outputs);
        let parameters = [fc1_bias, fc2_weight, fc2_bias].concat();
        Self {
            hidden,
            outputs,
            output,
            rate,
            adam: Adam::new(parameters.len(), Self::BETAS),
            parameters,
        }
    }

    /// PyTorch's default initialisation: uniform within 1/sqrt(inputs of the layer).
    pub fn seeded(
        output: Output,
        rate: f32,
        inputs: usize,
        hidden: usize,
        outputs: usize,
        noise: &mut Noise,
    ) -> Self {
        let mut layer = |inputs: usize, count: usize| -> Vec<f32> {
            let bound = 1.0 / (inputs as f64).sqrt();
            (0..count)
                .map(|_| noise.uniform(-bound, bound) as f32)
                .collect()
        };
        let fc1_bias = layer(inputs, hidden);
        let fc2_weight = layer(hidden, hidden * outputs);
        let fc2_bias = layer(hidden, outputs);
        Self::new(output, rate, &fc1_bias, &fc2_weight, &fc2_bias)
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The parameters that the network stands for at present.
    pub fn values(&self) -> Vec<f64> {
        let activate = |raw: f32| match self.output {
            Output::Elu { shift } => elu(raw) + shift,
            Output::PiTanh => PI * raw.tanh(),
        };
        self.raw().map(|raw| f64::from(activate(raw))).collect()
    }

    /// One step of Adam against the gradient with respect to [`values`](Self::values).
    pub fn descend(&mut self, slopes: &[f64]) {
        let slope = |raw: f32| match self.output {
            Output::Elu { .. } => elu_slope(raw),
            Output::PiTanh => PI * (1.0 - raw.tanh() * raw.tanh()),
        };
        let raw_slopes: Vec<f32> = self
            .raw()
            .zip(slopes)
            .map(|(raw, &g)| g as f32 * slope(raw))
            .collect();
        let (bias, weights) = (&self.parameters[..self.hidden], self.weights());
        let mut gradient: Vec<f32> = bias
            .iter()
            .enumerate()
            .map(|(j, &b)| {
                let rows = weights.chunks_exact(self.hidden).zip(&raw_slopes);
                elu_slope(b) * rows.map(|(row, g)| row[j] * g).sum::<f32>()
            })
            .collect();
        for g in &raw_slopes {
            gradient.extend(bias.iter().map(|&b| g * elu(b)));
        }
        gradient.extend(&raw_slopes);
        self.adam.step(&mut self.parameters, &gradient, self.rate);
    }

    fn weights(&self) -> &[f32] {
        &self.parameters[self.hidden..self.hidden * (1 + self.outputs)]
    }

    fn raw(&self) -> impl Iterator<Item = f32> {
        let hidden: Vec<f32> = self.parameters[..self.hidden]
            .iter()
            .map(|&b| elu(b))
            .collect();
        let bias = &self.parameters[self.hidden * (1 + self.outputs)..];
        let rows = self.weights().chunks_exact(self.hidden).zip(bias);
        rows.map(move |(row, b)| b + row.iter().zip(&hidden).map(|(w, h)| w * h).sum::<f32>())
    }
}

fn elu(x: f32) -> f32 {
    if x > 0.0 { x } else { ALPHA * x.exp_m1() }
}

fn elu_slope(x: f32) -> f32 {
    if x > 0.0 { 1.0 } else { ALPHA * x.exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descends_towards_a_target() {
        for output in [Output::Elu { shift: 2.5 }, Output::PiTanh] {
            let mut net = Mapping::seeded(output, 1e-2, 128, 32, 10, &mut Noise::seeded(1));
            let target = 2.8;
            let miss =
                |net: &Mapping| -> f64 { net.values().iter().map(|v| (v - target).powi(2)).sum() };
            let before = miss(&net);
            for _ in 0..400 {
                let slopes: Vec<f64> = net.values().iter().map(|v| 2.0 * (v - target)).collect();
                net.descend(&slopes);
            }
            assert!(
                miss(&net) < 1e-2 * before,
                "{output:?}: {} of {before}",
                miss(&net)
            );
        }
    }

    #[test]
    fn one_small_step_falls_as_the_gradient_says() {
        let mut noise = Noise::seeded(4);
        let net = Mapping::seeded(Output::Elu { shift: 1.0 }, 1e-6, 128, 32, 3, &mut noise);
        let slopes = [0.3, -0.7, 0.2];
        let cost =
            |net: &Mapping| -> f64 { net.values().iter().zip(slopes).map(|(v, s)| v * s).sum() };
        let mut moved = net.clone();
        moved.descend(&slopes);
        assert!(cost(&moved) < cost(&net));
    }
}
