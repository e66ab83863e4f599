//! Adam (Kingma and Ba, 2015), as PyTorch computes it.

use std::f64::consts::PI;

/// The share of a first step that is left after this share of the iterations: half a cosine,
/// down to 2 %.
pub fn rate_share(passed: f64) -> f64 {
    0.5 * (1.0 + (PI * passed).cos()) + 0.02
}

/// First and second moments of a gradient of fixed length.
#[derive(Clone, Debug)]
pub struct Adam {
    betas: (f32, f32),
    first: Vec<f32>,
    second: Vec<f32>,
    steps: i32,
}

impl Adam {
    const EPSILON: f32 = 1e-8;

    pub fn new(len: usize, betas: (f32, f32)) -> Self {
        Self {
            betas,
            first: vec![0.0; len],
            second: vec![0.0; len],
            steps: 0,
        }
    }

    /// Moves `values` against `gradient` by about `rate` each.
    pub fn step(&mut self, values: &mut [f32], gradient: &[f32], rate: f32) {
        self.steps += 1;
        let (b1, b2) = self.betas;
        let rate = rate / (1.0 - b1.powi(self.steps));
        let unbias = 1.0 / (1.0 - b2.powi(self.steps)).sqrt();
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((value, &g), (m, v)) in values.iter_mut().zip(gradient).zip(moments) {
            *m = b1 * *m + (1.0 - b1) * g;
            *v = b2 * *v + (1.0 - b2) * g * g;
            *value -= rate * *m / (v.sqrt() * unbias + Self::EPSILON);
        }
    }
}
