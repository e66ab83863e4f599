//! Whether a residual is noise, or still holds structure.

use rustfft::FftPlanner;
use rustfft::num_complex::Complex64;
use serde::Serialize;

use crate::clip::Clip;

/// What is left of structure in a residual.
///
/// Where the forward model and the estimate are right, a residual is the measurement's noise,
/// whose values have nothing to do with their neighbours' and whose power is the same at every
/// frequency (Hansen, Kilmer and Kjeldsen, 2006, on residuals as a test of restoration).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Whiteness {
    /// Correlation with the neighbour to the right, the one below and the one in the next frame,
    /// -1 to 1; 0 where there are no neighbours. That of N values of white noise is within
    /// 2 / sqrt(N) of 0.
    pub neighbours: [f64; 3],
    /// Mean power in bands of equal width from 0 to 0.5 cycles a pixel, without the mean of each
    /// frame; the mean over all frequencies is 1, as is every band of white noise. Bands without
    /// a frequency hold none.
    pub spectrum: Vec<Option<f64>>,
}

impl Whiteness {
    /// Bands of the spectrum.
    pub const BANDS: usize = 32;
    /// Above this correlation, a tenth of the residual's rms could be told from its neighbours.
    const NOTABLE: f64 = 0.1;

    pub fn of(residual: &Clip) -> Self {
        Self {
            neighbours: neighbours(residual),
            spectrum: spectrum(residual),
        }
    }

    /// The neighbour that is most alike.
    pub fn worst(&self) -> f64 {
        let by_size = |a: &&f64, b: &&f64| a.abs().total_cmp(&b.abs());
        self.neighbours
            .iter()
            .max_by(by_size)
            .copied()
            .unwrap_or(0.0)
    }

    /// Whether neighbours say little about each other.
    pub fn is_white(&self) -> bool {
        self.worst().abs() < Self::NOTABLE
    }
}

fn neighbours(residual: &Clip) -> [f64; 3] {
    let shape = residual.shape();
    let data = residual.data();
    let mean = data.iter().map(|&v| f64::from(v)).sum::<f64>() / data.len() as f64;
    let centred: Vec<f64> = data.iter().map(|&v| f64::from(v) - mean).collect();
    let power = centred.iter().map(|v| v * v).sum::<f64>() / centred.len() as f64;
    let (width, frame) = (shape.width, shape.frame_len());
    let along = |lag: usize, has_next: &dyn Fn(usize) -> bool| {
        let places = (0..centred.len().saturating_sub(lag)).filter(|&i| has_next(i));
        let products = places.map(|i| centred[i] * centred[i + lag]);
        let (count, sum) = products.fold((0, 0.0), |(count, sum), v| (count + 1, sum + v));
        match count > 0 && power > 0.0 {
            true => (sum / f64::from(count) / power).clamp(-1.0, 1.0),
            false => 0.0,
        }
    };
    [
        along(1, &|i| (i + 1) % width != 0),
        along(width, &|i| i % frame + width < frame),
        along(frame, &|_| true),
    ]
}

fn spectrum(residual: &Clip) -> Vec<Option<f64>> {
    let shape = residual.shape();
    let (height, width) = (shape.height, shape.width);
    let mut planner = FftPlanner::<f64>::new();
    let (rows, columns) = (
        planner.plan_fft_forward(width),
        planner.plan_fft_forward(height),
    );
    let mut sums = vec![(0usize, 0.0); Whiteness::BANDS];
    let frequency = |k: usize, n: usize| k.min(n - k) as f64 / n as f64;
    for frame in residual.frames() {
        let values = frame.iter().map(|&v| Complex64::from(f64::from(v)));
        let mut plane: Vec<Complex64> = values.collect();
        rows.process(&mut plane);
        let mut column = vec![Complex64::default(); height];
        for x in 0..width {
            for (y, value) in column.iter_mut().enumerate() {
                *value = plane[y * width + x];
            }
            columns.process(&mut column);
            for (y, value) in column.iter().enumerate().skip(usize::from(x == 0)) {
                let radius = frequency(x, width).hypot(frequency(y, height));
                let band = (radius / 0.5 * Whiteness::BANDS as f64) as usize;
                // The corners of the plane, beyond 0.5, count in the mean only.
                if let Some((count, sum)) = sums.get_mut(band) {
                    *count += 1;
                    *sum += value.norm_sqr();
                }
            }
        }
    }
    let frames = residual.frames().map(|frame| {
        let n = frame.len() as f64;
        let (sum, squares) = frame.iter().fold((0.0, 0.0), |(sum, squares), &v| {
            let v = f64::from(v);
            (sum + v, squares + v * v)
        });
        // Parseval: without the mean, over all frequencies but the first.
        n * (squares - sum * sum / n) / (n - 1.0).max(1.0)
    });
    let mean = frames.sum::<f64>() / shape.frames as f64;
    let level =
        |(count, sum): (usize, f64)| (count > 0 && mean > 0.0).then(|| sum / count as f64 / mean);
    sums.into_iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;

    #[test]
    fn noise_is_white() {
        let residual = Noise::seeded(1).normal_clip(Shape::new(10, 64, 64));
        let found = Whiteness::of(&residual);
        assert!(found.is_white() && found.worst().abs() < 0.04, "{found:?}");
        let bands: Vec<f64> = found.spectrum.iter().flatten().copied().collect();
        assert!(bands.len() > 24);
        // The lowest bands hold a few frequencies only.
        assert!(
            bands[8..].iter().all(|v| (0.8..1.2).contains(v)),
            "{bands:?}"
        );
    }

    #[test]
    fn structure_is_not() {
        let shape = Shape::new(4, 32, 32);
        let wave = |i: usize| ((i % 32) as f32 / 16.0 * std::f32::consts::TAU).sin();
        let wave = (0..shape.len()).map(wave);
        let found = Whiteness::of(&Clip::new(shape, wave.collect()));
        assert!(!found.is_white() && found.neighbours[1] > 0.99, "{found:?}");
        let strongest = (0..Whiteness::BANDS)
            .max_by(|&a, &b| found.spectrum[a].partial_cmp(&found.spectrum[b]).unwrap());
        // Two waves in 32 pixels: 0.0625 cycles a pixel.
        assert_eq!(strongest, Some(4));
        let checks = (0..shape.len()).map(|i| if (i + i / 32) % 2 == 0 { 1.0 } else { -1.0 });
        let found = Whiteness::of(&Clip::new(shape, checks.collect()));
        assert!(found.neighbours[0] < -0.99);
    }

    #[test]
    fn nothing_left_is_white() {
        let found = Whiteness::of(&Clip::zeros(Shape::new(1, 1, 1)));
        assert!(found.is_white() && found.worst() == 0.0);
    }
}
