//! A smooth field of light: the exponential of a polynomial of low degree.

/// exp(sum_k c_k P_k(y) P_k(x)), Legendre polynomials of total degree 1 to `DEGREE` over the
/// frame from -1 to 1. The constant is left out: it belongs to the gain.
#[derive(Clone)]
pub(super) struct Illumination {
    modes: Vec<Vec<f32>>,
}

/// Which polynomials a mode is the product of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    pub down: usize,
    pub across: usize,
}

impl Illumination {
    /// A tilt and a bowl: what lamps and lenses do, and no more than a scene can spare.
    const DEGREE: usize = 2;

    pub fn table() -> Vec<Mode> {
        let mut modes = Vec::new();
        for degree in 1..=Self::DEGREE {
            modes.extend((0..=degree).map(|across| Mode {
                down: degree - across,
                across,
            }));
        }
        modes
    }

    pub fn new(height: usize, width: usize) -> Self {
        let place = |i: usize, n: usize| (2.0 * i as f64 + 1.0) / n as f64 - 1.0;
        let mode = |mode: Mode| {
            let at = |i: usize| {
                let down = legendre(mode.down, place(i / width, height));
                (down * legendre(mode.across, place(i % width, width))) as f32
            };
            (0..height * width).map(at).collect()
        };
        Self {
            modes: Self::table().into_iter().map(mode).collect(),
        }
    }

    pub fn field(&self, coefficients: &[f64]) -> Vec<f32> {
        let mut exponent = vec![0.0f32; self.modes[0].len()];
        for (mode, &c) in self.modes.iter().zip(coefficients) {
            let c = c as f32;
            exponent.iter_mut().zip(mode).for_each(|(e, m)| *e += c * m);
        }
        exponent.iter_mut().for_each(|e| *e = e.exp());
        exponent
    }

    pub fn modes(&self) -> impl Iterator<Item = &[f32]> {
        self.modes.iter().map(Vec::as_slice)
    }
}

/// The Legendre polynomial of degree `n`, by its recurrence.
fn legendre(n: usize, x: f64) -> f64 {
    let (mut last, mut this) = (0.0, 1.0);
    for k in 1..=n {
        let k = k as f64;
        (last, this) = (this, ((2.0 * k - 1.0) * x * this - (k - 1.0) * last) / k);
    }
    this
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_orthogonal_and_without_a_mean() {
        let light = Illumination::new(40, 50);
        let modes: Vec<&[f32]> = light.modes().collect();
        assert_eq!(modes.len(), 5);
        let mean = |a: &[f32], b: &[f32]| {
            let products = a.iter().zip(b).map(|(a, b)| f64::from(a * b));
            products.sum::<f64>() / a.len() as f64
        };
        let flat = vec![1.0; 2000];
        for (i, a) in modes.iter().enumerate() {
            assert!(mean(a, &flat).abs() < 2e-3);
            for b in &modes[..i] {
                assert!(mean(a, b).abs() < 2e-3);
            }
        }
        assert!(light.field(&[0.0; 5]).iter().all(|&v| v == 1.0));
    }
}
