//! The published Gaussian blur, whose taps are not spaced by one pixel.

/// A separable Gaussian of k = 2 int(3 sigma) + 1 taps with zero padding.
///
/// The published kernel samples exp(-s^2 / 2 sigma^2) at k points spread evenly over
/// -(k+1)/2 ..= (k+1)/2, not at whole pixels, so its effective width is
/// sigma (k-1) / (k+1). k jumps where 3 sigma crosses an integer; derivatives hold it
/// fixed. k = 1 is the identity.
#[derive(Clone, Debug)]
pub struct GaussianKernel {
    taps: Vec<f32>,
    /// d taps / d sigma.
    slopes: Vec<f32>,
}

impl GaussianKernel {
    /// `sigma_px` in pixels, at least 0.
    pub fn new(sigma_px: f64) -> Self {
        let half = (3.0 * sigma_px) as usize;
        if half == 0 {
            return Self {
                taps: vec![1.0],
                slopes: vec![0.0],
            };
        }
        let k = 2 * half + 1;
        let end = (k + 1) as f64 / 2.0;
        let step = 2.0 * end / (k - 1) as f64;
        let positions = (0..k).map(|j| j as f64 * step - end);
        let squares: Vec<f64> = positions.map(|s| s * s).collect();
        let values: Vec<f64> = squares
            .iter()
            .map(|q| (-q / (2.0 * sigma_px * sigma_px)).exp())
            .collect();
        let total: f64 = values.iter().sum();
        let growth = |j: usize| values[j] * squares[j] / sigma_px.powi(3);
        let total_growth: f64 = (0..k).map(growth).sum();
        let tap = |j: usize| values[j] / total;
        Self {
            taps: (0..k).map(|j| tap(j) as f32).collect(),
            slopes: (0..k)
                .map(|j| ((growth(j) - tap(j) * total_growth) / total) as f32)
                .collect(),
        }
    }

    /// The normalised taps; their number is odd.
    pub fn taps(&self) -> &[f32] {
        &self.taps
    }

    fn is_identity(&self) -> bool {
        self.taps.len() == 1
    }

    /// Blurs one frame. The operator is symmetric, so this is its adjoint too.
    pub fn apply(&self, frame: &[f32], width: usize) -> Vec<f32> {
        if self.is_identity() {
            return frame.to_vec();
        }
        along_rows(&along_columns(frame, width, &self.taps), width, &self.taps)
    }

    /// d <v, blur(frame)> / d sigma.
    pub fn sigma_gradient(&self, frame: &[f32], v: &[f32], width: usize) -> f64 {
        if self.is_identity() {
            return 0.0;
        }
        let vertical = along_rows(
            &along_columns(frame, width, &self.slopes),
            width,
            &self.taps,
        );
        let horizontal = along_rows(
            &along_columns(frame, width, &self.taps),
            width,
            &self.slopes,
        );
        super::dot(v, &vertical) + super::dot(v, &horizontal)
    }
}

fn along_columns(frame: &[f32], width: usize, taps: &[f32]) -> Vec<f32> {
    let height = frame.len() / width;
    let reach = taps.len() / 2;
    let mut out = vec![0.0; frame.len()];
    for (y, row) in out.chunks_exact_mut(width).enumerate() {
        let first = y.saturating_sub(reach);
        let last = (y + reach).min(height - 1);
        for source in first..=last {
            let tap = taps[source + reach - y];
            let from = &frame[source * width..(source + 1) * width];
            for (o, &i) in row.iter_mut().zip(from) {
                *o += tap * i;
            }
        }
    }
    out
}

fn along_rows(frame: &[f32], width: usize, taps: &[f32]) -> Vec<f32> {
    let reach = taps.len() / 2;
    let mut out = vec![0.0; frame.len()];
    let mut padded = vec![0.0; width + 2 * reach];
    for (row, from) in out.chunks_exact_mut(width).zip(frame.chunks_exact(width)) {
        padded[reach..reach + width].copy_from_slice(from);
        for (j, &tap) in taps.iter().enumerate() {
            for (o, &i) in row.iter_mut().zip(&padded[j..j + width]) {
                *o += tap * i;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_kernels_are_the_identity() {
        let frame: Vec<f32> = (0..12).map(|v| v as f32).collect();
        assert_eq!(GaussianKernel::new(0.33).apply(&frame, 4), frame);
    }

    #[test]
    fn taps_sum_to_one_and_have_the_effective_width() {
        let kernel = GaussianKernel::new(2.0);
        let total: f32 = kernel.taps().iter().sum();
        assert!((total - 1.0).abs() < 1e-6);
        let reach = (kernel.taps().len() / 2) as f32;
        let variance: f32 = kernel
            .taps()
            .iter()
            .enumerate()
            .map(|(j, t)| t * (j as f32 - reach).powi(2))
            .sum();
        // sigma (k - 1) / (k + 1) with k = 13.
        let expected = 2.0 * 12.0 / 14.0;
        assert!((variance.sqrt() - expected).abs() < 0.02, "{variance}");
    }
}
