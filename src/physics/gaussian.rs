//! The published Gaussian blur, whose taps are not spaced by one pixel.

/// sigma (k - 1) / (k + 1), the width in whole pixels of the published kernel of `sigma_px`;
/// 0 where that kernel is the identity.
pub fn effective_width_px(sigma_px: f64) -> f64 {
    let half = (3.0 * sigma_px).floor();
    sigma_px * half / (half + 1.0)
}

/// The sigma whose published kernel has the effective width `width_px`, or the nearest one:
/// widths just above a third, two thirds, ... of a pixel belong to no sigma.
pub fn sigma_of_width_px(width_px: f64) -> f64 {
    let half = (3.0 * width_px).floor() + 1.0;
    let sigma = width_px * (half + 1.0) / half;
    let (first, last) = (half / 3.0, below((half + 1.0) / 3.0));
    if sigma >= first {
        return sigma.min(last);
    }
    // Between the widest kernel of the half size before and the narrowest of this one.
    let before = below(first);
    let gap = effective_width_px(first) - width_px;
    if width_px - effective_width_px(before) < gap {
        before
    } else {
        first
    }
}

/// The largest sigma under `end` whose kernel is a size smaller than that of `end`.
fn below(end: f64) -> f64 {
    let mut sigma = end;
    while (3.0 * sigma) as usize >= (3.0 * end).round() as usize {
        sigma = sigma.next_down();
    }
    sigma
}

/// A separable Gaussian of k = 2 int(3 sigma) + 1 taps with zero padding.
///
/// The published kernel samples exp(-s^2 / 2 sigma^2) at k points spread evenly over
/// -(k+1)/2 ..= (k+1)/2, not at whole pixels, so its effective width is
/// sigma (k-1) / (k+1). k jumps where 3 sigma crosses an integer; derivatives hold it
/// fixed. k = 1 is the identity.
#[derive(Clone, Debug)]
pub struct GaussianKernel {
    taps: Vec<f32>,
    /// d taps / d sigma, or d taps / d width.
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
        Self::sampled(sigma_px, positions.map(|s| s * s).collect())
    }

    /// The kernel of an effective width in pixels, above 0: taps exp(-n^2 / 2 width^2) at the
    /// pixels |n| <= int(3 width) + 1.
    ///
    /// This is [`new`](Self::new) for every sigma of 1/3 px and more, since int(3 width) + 1 is
    /// then the published half size; but it hardly jumps, the taps that come and go being small,
    /// and it also exists at the widths between that no sigma has. The slopes are with respect
    /// to the width.
    pub fn effective(width_px: f64) -> Self {
        let half = (3.0 * width_px) as usize + 1;
        let places = (0..=2 * half).map(|j| j as f64 - half as f64);
        Self::sampled(width_px, places.map(|n| n * n).collect())
    }

    /// Normalised exp(-square / 2 width^2), and the slopes with respect to the width.
    fn sampled(width: f64, squares: Vec<f64>) -> Self {
        let values: Vec<f64> = squares
            .iter()
            .map(|q| (-q / (2.0 * width * width)).exp())
            .collect();
        let total: f64 = values.iter().sum();
        let growths = values.iter().zip(&squares);
        let growths: Vec<f64> = growths.map(|(v, q)| v * q / width.powi(3)).collect();
        let total_growth: f64 = growths.iter().sum();
        let slopes = values.iter().zip(&growths);
        Self {
            taps: values.iter().map(|v| (v / total) as f32).collect(),
            slopes: slopes
                .map(|(v, g)| ((g - v / total * total_growth) / total) as f32)
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

    #[test]
    fn effective_kernels_are_the_published_ones() {
        for i in 34..400 {
            let sigma = f64::from(i) * 0.01 + 0.003;
            let (published, ours) = (
                GaussianKernel::new(sigma),
                GaussianKernel::effective(effective_width_px(sigma)),
            );
            assert_eq!(published.taps().len(), ours.taps().len(), "{sigma}");
            for (a, b) in published.taps().iter().zip(ours.taps()) {
                assert!((a - b).abs() < 1e-6, "{sigma}: {a} {b}");
            }
            let back = sigma_of_width_px(effective_width_px(sigma));
            assert!((back - sigma).abs() < 1e-9, "{sigma}: {back}");
        }
    }

    #[test]
    fn widths_between_kernels_get_the_nearest_sigma() {
        for i in 20..600 {
            let width = f64::from(i) * 0.005;
            let sigma = sigma_of_width_px(width);
            let miss = (effective_width_px(sigma) - width).abs();
            for step in -300..=300 {
                let other = sigma + f64::from(step) * 1e-3;
                let others = (effective_width_px(other) - width).abs();
                assert!(
                    miss < others + 1e-9,
                    "{width}: {sigma} is worse than {other}"
                );
            }
        }
    }

    #[test]
    fn slopes_of_effective_kernels_agree_with_finite_differences() {
        let frame: Vec<f32> = (0..99).map(|v| ((v * 37) % 11) as f32 / 11.0).collect();
        let v: Vec<f32> = (0..99).map(|v| ((v * 53) % 7) as f32 / 7.0).collect();
        for width in [0.4, 0.9, 1.45] {
            let at =
                |w: f64| super::super::dot(&GaussianKernel::effective(w).apply(&frame, 11), &v);
            let numeric = (at(width + 1e-3) - at(width - 1e-3)) / 2e-3;
            let slope = GaussianKernel::effective(width).sigma_gradient(&frame, &v, 11);
            assert!(
                (numeric - slope).abs() < 1e-2 * slope.abs().max(0.1),
                "{numeric} {slope}"
            );
        }
    }
}
