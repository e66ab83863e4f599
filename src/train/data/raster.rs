//! One frame's values made fewer.

use crate::media::FrameSize;

/// Each new pixel the mean of the area it covers.
///
/// `to` is no larger than `from` in either direction.
pub fn averaged(values: &[f32], from: FrameSize, to: FrameSize) -> Vec<f32> {
    if from == to {
        return values.to_vec();
    }
    let columns = shares(from.width, to.width);
    let rows = shares(from.height, to.height);
    let mut narrow = Vec::with_capacity(from.height * to.width);
    for row in values.chunks_exact(from.width) {
        narrow.extend(columns.iter().map(|share| share.of(|i| row[i])));
    }
    let mut out = vec![0.0; to.height * to.width];
    for (share, out) in rows.iter().zip(out.chunks_exact_mut(to.width)) {
        for (row, weight) in share.weighted() {
            let from = &narrow[row * to.width..][..to.width];
            out.iter_mut().zip(from).for_each(|(o, v)| *o += weight * v);
        }
    }
    out
}

/// Each new pixel read between the four old ones around its centre, which keeps the edges, and
/// the jaggedness, of what is many times larger.
pub fn sampled(values: &[f32], from: FrameSize, to: FrameSize) -> Vec<f32> {
    let place = |i: usize, from: usize, to: usize| {
        let at = (i as f32 + 0.5) * from as f32 / to as f32 - 0.5;
        let at = at.clamp(0.0, (from - 1) as f32);
        let near = (at as usize).min(from.saturating_sub(2));
        (near, (near + 1).min(from - 1), at - near as f32)
    };
    let columns: Vec<_> = (0..to.width)
        .map(|i| place(i, from.width, to.width))
        .collect();
    let mut out = Vec::with_capacity(to.height * to.width);
    for i in 0..to.height {
        let (upper, lower, down) = place(i, from.height, to.height);
        let row = |row: usize| &values[row * from.width..][..from.width];
        let (upper, lower) = (row(upper), row(lower));
        out.extend(columns.iter().map(|&(left, right, across)| {
            let above = upper[left] + across * (upper[right] - upper[left]);
            let below = lower[left] + across * (lower[right] - lower[left]);
            above + down * (below - above)
        }));
    }
    out
}

/// What one new pixel covers along one direction.
struct Share {
    first: usize,
    /// How many old pixels it touches.
    count: usize,
    /// Weights of the first, of those between, and of the last.
    weights: [f32; 3],
}

impl Share {
    fn weighted(&self) -> impl Iterator<Item = (usize, f32)> {
        let last = self.count - 1;
        let [head, middle, tail] = self.weights;
        (0..self.count).map(move |i| {
            let weight = match i {
                0 => head,
                i if i == last => tail,
                _ => middle,
            };
            (self.first + i, weight)
        })
    }

    fn of(&self, value: impl Fn(usize) -> f32) -> f32 {
        self.weighted().map(|(i, weight)| weight * value(i)).sum()
    }
}

fn shares(from: usize, to: usize) -> Vec<Share> {
    let length = from as f64 / to as f64;
    let share = |i: usize| {
        let (start, end) = (i as f64 * length, (i + 1) as f64 * length);
        let first = (start + 1e-9) as usize;
        let count = ((end - 1e-9).ceil() as usize).min(from) - first;
        let weight = |covered: f64| (covered / length) as f32;
        let weights = if count == 1 {
            [1.0; 3]
        } else {
            let tail = end - (first + count - 1) as f64;
            [(first + 1) as f64 - start, 1.0, tail].map(weight)
        };
        Share {
            first,
            count,
            weights,
        }
    };
    (0..to).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_averaged_and_keep_the_mean() {
        let values: Vec<f32> = (0..6 * 9).map(|i| ((i * 7) % 11) as f32).collect();
        let from = FrameSize::new(6, 9);
        let halves = averaged(&values, from, FrameSize::new(3, 3));
        let first: f32 = [0, 1].iter().flat_map(|r| &values[r * 9..][..3]).sum();
        assert!((halves[0] - first / 6.0).abs() < 1e-5);
        for to in [FrameSize::new(4, 7), FrameSize::new(1, 1), from] {
            let reduced = averaged(&values, from, to);
            let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
            assert_eq!(reduced.len(), to.height * to.width);
            assert!((mean(&reduced) - mean(&values)).abs() < 1e-4, "{to}");
        }
    }

    #[test]
    fn sampling_reads_between_pixels() {
        let ramp: Vec<f32> = (0..8).map(|i| i as f32).collect();
        let to = FrameSize::new(1, 4);
        let found = sampled(&ramp, FrameSize::new(1, 8), to);
        assert_eq!(found, [0.5, 2.5, 4.5, 6.5]);
        assert_eq!(
            sampled(&ramp, FrameSize::new(1, 8), FrameSize::new(1, 8)),
            ramp
        );
    }
}
