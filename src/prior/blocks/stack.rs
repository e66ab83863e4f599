//! Shrinking the joint spectrum of a stack of similar blocks.

/// A stack's spectra, row after row, one row a block; the number of rows is a power of two.
///
/// Haar's transform along the stack puts what the blocks share into few coefficients.
pub(super) fn haar(rows: &mut [f32], len: usize, spare: &mut [f32]) {
    let mut count = rows.len() / len;
    while count > 1 {
        let half = count / 2;
        let (sums, differences) = spare[..count * len].split_at_mut(half * len);
        let pairs = rows[..count * len].chunks_exact(2 * len);
        let out = sums
            .chunks_exact_mut(len)
            .zip(differences.chunks_exact_mut(len));
        for (pair, (sum, difference)) in pairs.zip(out) {
            let (a, b) = pair.split_at(len);
            for ((s, d), (a, b)) in sum.iter_mut().zip(difference).zip(a.iter().zip(b)) {
                *s = (a + b) * ROOT_HALF;
                *d = (a - b) * ROOT_HALF;
            }
        }
        rows[..count * len].copy_from_slice(&spare[..count * len]);
        count = half;
    }
}

/// Undoes [`haar`].
pub(super) fn haar_inverse(rows: &mut [f32], len: usize, spare: &mut [f32]) {
    let total = rows.len() / len;
    let mut half = 1;
    while half < total {
        let count = 2 * half;
        let (sums, differences) = rows[..count * len].split_at(half * len);
        let pairs = spare[..count * len].chunks_exact_mut(2 * len);
        let parts = sums.chunks_exact(len).zip(differences.chunks_exact(len));
        for (pair, (sum, difference)) in pairs.zip(parts) {
            let (a, b) = pair.split_at_mut(len);
            for ((a, b), (s, d)) in a.iter_mut().zip(b).zip(sum.iter().zip(difference)) {
                *a = (s + d) * ROOT_HALF;
                *b = (s - d) * ROOT_HALF;
            }
        }
        rows[..count * len].copy_from_slice(&spare[..count * len]);
        half = count;
    }
}

const ROOT_HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Sets coefficients below the threshold to 0, but for the mean, and gives how many stay.
pub(super) fn threshold(coefficients: &mut [f32], threshold: f32) -> f32 {
    let mean = coefficients[0];
    let mut kept = [0.0f32; LANES];
    let mut chunks = coefficients.chunks_exact_mut(LANES);
    for chunk in &mut chunks {
        for (c, k) in chunk.iter_mut().zip(&mut kept) {
            let keep = if c.abs() > threshold { 1.0 } else { 0.0 };
            *c *= keep;
            *k += keep;
        }
    }
    for (c, k) in chunks.into_remainder().iter_mut().zip(&mut kept) {
        let keep = if c.abs() > threshold { 1.0 } else { 0.0 };
        *c *= keep;
        *k += keep;
    }
    coefficients[0] = mean;
    kept.iter().sum::<f32>().max(1.0)
}

/// Wiener's filter of `coefficients` with the pilot's power as the signal's, and the sum of the
/// squared gains.
pub(super) fn wiener(coefficients: &mut [f32], pilot: &[f32], variance: f32) -> f32 {
    let variance = variance.max(f32::MIN_POSITIVE);
    let gain = |p: f32| p * p / (p * p + variance);
    let mut energy = [0.0f32; LANES];
    let mut chunks = coefficients.chunks_exact_mut(LANES);
    let mut pilots = pilot.chunks_exact(LANES);
    for (chunk, pilot) in (&mut chunks).zip(&mut pilots) {
        for ((c, &p), e) in chunk.iter_mut().zip(pilot).zip(&mut energy) {
            let gain = gain(p);
            *c *= gain;
            *e += gain * gain;
        }
    }
    let rest = chunks.into_remainder().iter_mut().zip(pilots.remainder());
    for ((c, &p), e) in rest.zip(&mut energy) {
        let gain = gain(p);
        *c *= gain;
        *e += gain * gain;
    }
    energy.iter().sum::<f32>().max(1e-3)
}

/// The squared Euclidean distance of two blocks.
#[inline]
pub(super) fn distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; LANES];
    let (mut left, mut right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    for (a, b) in (&mut left).zip(&mut right) {
        for ((s, a), b) in sums.iter_mut().zip(a).zip(b) {
            *s += (a - b) * (a - b);
        }
    }
    for ((s, a), b) in sums.iter_mut().zip(left.remainder()).zip(right.remainder()) {
        *s += (a - b) * (a - b);
    }
    sums.iter().sum()
}

const LANES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn haar_is_orthonormal_and_inverts() {
        let len = 3;
        for count in [1, 2, 8] {
            let rows: Vec<f32> = (0..count * len).map(|i| (i as f32 * 1.7).sin()).collect();
            let (mut out, mut spare) = (rows.clone(), vec![0.0; rows.len()]);
            haar(&mut out, len, &mut spare);
            let energy = |v: &[f32]| v.iter().map(|v| v * v).sum::<f32>();
            assert!((energy(&out) - energy(&rows)).abs() < 1e-5);
            haar_inverse(&mut out, len, &mut spare);
            for (a, b) in out.iter().zip(&rows) {
                assert!((a - b).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn equal_blocks_end_in_the_first_row() {
        let mut rows = [1.0, 2.0, 3.0].repeat(4);
        haar(&mut rows, 3, &mut [0.0; 12]);
        assert!((rows[0] - 2.0).abs() < 1e-6);
        assert!(rows[3..].iter().all(|v| v.abs() < 1e-6));
    }

    #[test]
    fn the_mean_survives_every_threshold() {
        let mut values: Vec<f32> = (0..19).map(|i| i as f32 * 0.125).collect();
        values[0] = -0.05;
        assert_eq!(threshold(&mut values, 1.9), 3.0);
        assert_eq!((values[0], values[15], values[18]), (-0.05, 0.0, 2.25));
    }
}
