//! Eigenvalues and eigenvectors of the symmetric matrices of one-dimensional blurs.

/// A = V diag(lambda) V^T with orthogonal V, for a symmetric Toeplitz matrix A.
#[derive(Clone, Debug)]
pub(crate) struct Spectrum {
    /// Eigenvalues, none in particular order.
    values: Vec<f64>,
    /// Row i is the eigenvector of `values[i]`.
    vectors: Vec<f64>,
    /// The same, transposed.
    transposed: Vec<f64>,
}

impl Spectrum {
    /// Of the n x n matrix A[i][j] = taps[reach + j - i] (0 beyond the taps), the taps being
    /// symmetric about their middle, `reach`.
    ///
    /// A is unchanged by reversing rows and columns, so its eigenvectors are symmetric or
    /// antisymmetric, and the problem falls into two of half the size (Cantoni and Butler,
    /// 1976). Each is solved by cyclic Jacobi rotations: absolute errors of eigenvalues stay
    /// near n times the rounding of f64.
    pub(crate) fn of_blur(taps: &[f32], n: usize) -> Self {
        let reach = taps.len() / 2;
        let entry = |i: usize, j: usize| match i.abs_diff(j) {
            d if d <= reach => f64::from(taps[reach + d]),
            _ => 0.0,
        };
        let (half, middle) = (n / 2, n % 2);
        let mut values = Vec::with_capacity(n);
        let mut vectors = Vec::with_capacity(n * n);
        for (sign, size) in [(1.0, half + middle), (-1.0, half)] {
            // The basis is (e_i + sign e_{n-1-i}) / sqrt 2, and e_half for an odd n.
            let scale = |i: usize| if i == half { 0.5f64.sqrt() } else { 1.0 };
            let mut block: Vec<f64> = (0..size * size)
                .map(|k| (k / size, k % size))
                .map(|(i, j)| scale(i) * scale(j) * (entry(i, j) + sign * entry(i, n - 1 - j)))
                .collect();
            let rotation = diagonalise(&mut block, size);
            for (k, row) in rotation.chunks_exact(size.max(1)).enumerate() {
                values.push(block[k * size + k]);
                let outer = row[..half.min(size)].iter().map(|v| v * 0.5f64.sqrt());
                let outer: Vec<f64> = outer.collect();
                vectors.extend(&outer);
                if middle == 1 {
                    vectors.push(if size > half { row[half] } else { 0.0 });
                }
                vectors.extend(outer.iter().rev().map(|v| sign * v));
            }
        }
        let transposed = (0..n * n).map(|k| vectors[(k % n) * n + k / n]).collect();
        Self {
            values,
            vectors,
            transposed,
        }
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    /// V^T x along the columns of `frame`, which has as many rows as A.
    pub(crate) fn analyse_columns(&self, frame: &[f64], width: usize) -> Vec<f64> {
        product(&self.vectors, frame, self.values.len(), width)
    }

    /// The inverse of [`analyse_columns`](Self::analyse_columns).
    pub(crate) fn synthesise_columns(&self, frame: &[f64], width: usize) -> Vec<f64> {
        product(&self.transposed, frame, self.values.len(), width)
    }

    /// V^T x along the rows of `frame`, which are as long as A.
    pub(crate) fn analyse_rows(&self, frame: &[f64]) -> Vec<f64> {
        let n = self.values.len();
        product(frame, &self.transposed, n, n)
    }

    /// The inverse of [`analyse_rows`](Self::analyse_rows).
    pub(crate) fn synthesise_rows(&self, frame: &[f64]) -> Vec<f64> {
        let n = self.values.len();
        product(frame, &self.vectors, n, n)
    }
}

/// The product of two matrices stored row after row, `inner` and `columns` being the width of
/// the first and of the second.
fn product(a: &[f64], b: &[f64], inner: usize, columns: usize) -> Vec<f64> {
    let rows = a.len() / inner;
    let mut out = vec![0.0; rows * columns];
    for (out, a) in out.chunks_exact_mut(columns).zip(a.chunks_exact(inner)) {
        for (b, &a) in b.chunks_exact(columns).zip(a) {
            for (o, &b) in out.iter_mut().zip(b) {
                *o += a * b;
            }
        }
    }
    out
}

/// Turns the symmetric `a` of `n` x `n` into its diagonal form and returns the rotation, whose
/// rows are the eigenvectors (Golub and Van Loan, Matrix Computations, 8.5).
fn diagonalise(a: &mut [f64], n: usize) -> Vec<f64> {
    /// A sweep converges quadratically at the end, so that a dozen is plenty.
    const SWEEPS: usize = 30;
    let mut rotation = vec![0.0; n * n];
    for i in 0..n {
        rotation[i * n + i] = 1.0;
    }
    let norm = a.iter().map(|v| v * v).sum::<f64>().sqrt();
    let negligible = norm * f64::EPSILON / n.max(1) as f64;
    for _ in 0..SWEEPS {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                let off = a[p * n + q];
                if off.abs() <= negligible {
                    continue;
                }
                turned = true;
                let theta = (a[q * n + q] - a[p * n + p]) / (2.0 * off);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                turn_rows(a, n, p, q, c, s);
                for row in a.chunks_exact_mut(n) {
                    let (x, y) = (row[p], row[q]);
                    row[p] = c * x - s * y;
                    row[q] = s * x + c * y;
                }
                turn_rows(&mut rotation, n, p, q, c, s);
            }
        }
        if !turned {
            break;
        }
    }
    rotation
}

fn turn_rows(a: &mut [f64], n: usize, p: usize, q: usize, c: f64, s: f64) {
    let (upper, lower) = a.split_at_mut(q * n);
    for (x, y) in upper[p * n..(p + 1) * n].iter_mut().zip(&mut lower[..n]) {
        (*x, *y) = (c * *x - s * *y, s * *x + c * *y);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physics::GaussianKernel;

    #[test]
    fn vectors_are_orthonormal_and_rebuild_the_blur() {
        for (sigma_px, n) in [(3.0, 12), (2.0, 9), (3.0, 64), (0.2, 5), (3.0, 1), (1.0, 2)] {
            let kernel = GaussianKernel::new(sigma_px);
            let spectrum = Spectrum::of_blur(kernel.taps(), n);
            let frame: Vec<f64> = (0..2 * n).map(|i| ((i * i) as f64).sin()).collect();
            let there = spectrum.analyse_columns(&frame, 2);
            let back = spectrum.synthesise_columns(&there, 2);
            let scaled: Vec<f64> = there
                .chunks_exact(2)
                .zip(spectrum.values())
                .flat_map(|(row, lambda)| row.iter().map(move |v| lambda * v))
                .collect();
            let blurred = spectrum.synthesise_columns(&scaled, 2);
            let reach = kernel.taps().len() / 2;
            for (i, (x, y)) in frame.iter().zip(&back).enumerate() {
                assert!((x - y).abs() < 1e-13, "{sigma_px} {n}");
                let expected: f64 = (0..n)
                    .filter(|j| j.abs_diff(i / 2) <= reach)
                    .map(|j| f64::from(kernel.taps()[reach + j - i / 2]) * frame[j * 2 + i % 2])
                    .sum();
                assert!((expected - blurred[i]).abs() < 1e-13, "{sigma_px} {n}");
            }
        }
    }
}
