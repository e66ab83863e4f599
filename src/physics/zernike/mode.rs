//! The ten Zernike polynomials of the published method.

use std::f64::consts::TAU;

use serde::Serialize;

/// A Zernike polynomial R_n^|m|(rho) cos(m theta), or sin(|m| theta) for m < 0,
/// unnormalised: its largest value on the disk is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Mode {
    pub n: u32,
    pub m: i32,
    pub name: &'static str,
}

/// The published order: piston to trefoil, n up to 3.
pub const MODES: [Mode; 10] = [
    Mode::new(0, 0, "piston"),
    Mode::new(1, -1, "tilt"),
    Mode::new(1, 1, "tip"),
    Mode::new(2, -2, "oblique astigmatism"),
    Mode::new(2, 0, "defocus"),
    Mode::new(2, 2, "vertical astigmatism"),
    Mode::new(3, -3, "vertical trefoil"),
    Mode::new(3, -1, "vertical coma"),
    Mode::new(3, 1, "horizontal coma"),
    Mode::new(3, 3, "oblique trefoil"),
];

/// A coefficient in the conventions of other programs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Aberration {
    #[serde(flatten)]
    pub mode: Mode,
    /// Single index of the OSA/ANSI standard, from 0.
    pub osa: u32,
    /// Single index of Noll (1976), from 1.
    pub noll: u32,
    /// The coefficient in waves.
    pub waves: f64,
    /// The coefficient of the polynomial normalised to unit variance over the disk, in
    /// radians rms.
    pub rms_rad: f64,
}

impl Mode {
    /// The mode weighed by a coefficient in radians.
    pub fn with(self, coefficient_rad: f64) -> Aberration {
        Aberration {
            mode: self,
            osa: self.osa(),
            noll: self.noll(),
            waves: coefficient_rad / TAU,
            rms_rad: coefficient_rad / self.rms_factor(),
        }
    }

    const fn new(n: u32, m: i32, name: &'static str) -> Self {
        Self { n, m, name }
    }

    /// The single index of the OSA/ANSI standard, from 0.
    pub fn osa(&self) -> u32 {
        let n = self.n as i32;
        ((n * (n + 2) + self.m) / 2) as u32
    }

    /// The single index of Noll (1976), from 1.
    pub fn noll(&self) -> u32 {
        let early = self.n % 4 < 2;
        let extra = match self.m.signum() {
            1 => !early,
            -1 => early,
            _ => true,
        };
        self.n * (self.n + 1) / 2 + self.m.unsigned_abs() + u32::from(extra)
    }

    /// What the unnormalised polynomial is multiplied by to have unit variance over the
    /// disk: sqrt(n + 1), times sqrt(2) where m is not 0.
    pub fn rms_factor(&self) -> f64 {
        let doubled = if self.m == 0 { 1.0 } else { 2.0 };
        (doubled * f64::from(self.n + 1)).sqrt()
    }

    /// The polynomial at polar coordinates of the unit disk.
    pub fn value(&self, rho: f64, theta: f64) -> f64 {
        let m = self.m.unsigned_abs();
        let angular = match self.m {
            0.. => (f64::from(m) * theta).cos(),
            _ => (f64::from(m) * theta).sin(),
        };
        let radial: f64 = (0..=(self.n - m) / 2)
            .map(|k| {
                let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
                let below = factorial(k)
                    * factorial((self.n + m) / 2 - k)
                    * factorial((self.n - m) / 2 - k);
                sign * factorial(self.n - k) / below * rho.powi((self.n - 2 * k) as i32)
            })
            .sum();
        radial * angular
    }
}

fn factorial(n: u32) -> f64 {
    (1..=n).map(f64::from).product()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_indices_follow_the_standards() {
        let osa: Vec<u32> = MODES.iter().map(Mode::osa).collect();
        assert_eq!(osa, (0..10).collect::<Vec<_>>());
        let noll: Vec<u32> = MODES.iter().map(Mode::noll).collect();
        assert_eq!(noll, [1, 3, 2, 5, 4, 6, 9, 7, 8, 10]);
    }

    #[test]
    fn rms_factors_give_unit_variance() {
        for mode in &MODES[1..] {
            let (mut sum, mut count) = (0.0, 0.0);
            for i in 0..400 {
                for j in 0..400 {
                    let (x, y) = (f64::from(i) / 199.5 - 1.0, f64::from(j) / 199.5 - 1.0);
                    let rho = x.hypot(y);
                    if rho <= 1.0 {
                        sum += (mode.rms_factor() * mode.value(rho, y.atan2(x))).powi(2);
                        count += 1.0;
                    }
                }
            }
            assert!(
                (sum / count - 1.0).abs() < 0.02,
                "{mode:?}: {}",
                sum / count
            );
        }
    }
}
