//! Periodograms of a clip: the part that stays and the part that moves.

use std::f64::consts::PI;

use crate::clip::Clip;
use crate::physics::zernike::Transfer;

/// The periodogram of some of a clip's temporal components, on the grid of
/// [`Transfer`](crate::physics::zernike::Transfer).
pub struct Spectrum {
    /// Mean power over the components.
    pub power: Vec<f32>,
    /// How many independent components the mean stands for.
    pub freedom: f32,
    /// White noise in it, measured where the optics pass nothing.
    pub noise: f32,
}

/// The frequencies of a grid, in the order of a spectrum.
pub struct Grid {
    pub rows: usize,
    pub columns: usize,
    /// Cycles a pixel along columns and rows.
    pub u: Vec<f32>,
    pub v: Vec<f32>,
    pub radius: Vec<f32>,
    /// 1 for values that stand for themselves alone once mirror images are left out.
    pub weight: Vec<f32>,
}

/// Where the pupil passes nothing: its diameter is 31 of 64 samples.
pub const CUTOFF: f32 = 31.0 / 64.0;

impl Grid {
    pub fn new(rows: usize, columns: usize) -> Self {
        let half = columns / 2 + 1;
        let signed = |i: usize, n: usize| {
            let i = i as f32;
            let n = n as f32;
            if i > n / 2.0 { (i - n) / n } else { i / n }
        };
        let mut grid = Self {
            rows,
            columns,
            u: Vec::new(),
            v: Vec::new(),
            radius: Vec::new(),
            weight: Vec::new(),
        };
        for column in 0..half {
            for row in 0..rows {
                let (u, v) = (signed(column, columns), signed(row, rows));
                grid.u.push(u);
                grid.v.push(v);
                grid.radius.push(u.hypot(v));
                let end = column == 0 || column == half - 1;
                grid.weight.push(if end { 0.5 } else { 1.0 });
            }
        }
        grid
    }

    pub fn len(&self) -> usize {
        self.u.len()
    }

    /// A Hann window on the frame, row after row.
    pub fn window(&self) -> Vec<f32> {
        let hann = |i: usize, n: usize| {
            let s = (PI * (i as f64 + 0.5) / n as f64).sin();
            (s * s) as f32
        };
        (0..self.rows * self.columns)
            .map(|i| hann(i / self.columns, self.rows) * hann(i % self.columns, self.columns))
            .collect()
    }

    /// What a squared Hann window makes of a power spectrum: it mixes next neighbours.
    pub fn smooth(&self, power: &[f32]) -> Vec<f32> {
        let (rows, half) = (self.rows, self.columns / 2 + 1);
        let mut along = vec![0.0f32; power.len()];
        for (out, column) in along.chunks_exact_mut(rows).zip(power.chunks_exact(rows)) {
            for i in 0..rows {
                let before = column[if i == 0 { rows - 1 } else { i - 1 }];
                let after = column[if i + 1 == rows { 0 } else { i + 1 }];
                out[i] = (2.0 / 3.0) * column[i] + (1.0 / 6.0) * (before + after);
            }
        }
        let mut out = vec![0.0f32; power.len()];
        for column in 0..half {
            for i in 0..rows {
                // Beyond the ends lie the mirror images of the columns inside.
                let mirror = if i == 0 { 0 } else { rows - i };
                let at = |c: isize| {
                    if c < 0 {
                        along[rows + mirror]
                    } else if c as usize == half {
                        along[(half - 2) * rows + mirror]
                    } else {
                        along[c as usize * rows + i]
                    }
                };
                let c = column as isize;
                out[column * rows + i] =
                    (2.0 / 3.0) * at(c) + (1.0 / 6.0) * (at(c - 1) + at(c + 1));
            }
        }
        out
    }

    /// The adjoint of [`smooth`](Self::smooth).
    pub fn smooth_adjoint(&self, slope: &[f32]) -> Vec<f32> {
        let (rows, half) = (self.rows, self.columns / 2 + 1);
        let mut along = vec![0.0f32; slope.len()];
        for column in 0..half {
            for i in 0..rows {
                let mirror = if i == 0 { 0 } else { rows - i };
                let s = slope[column * rows + i];
                along[column * rows + i] += (2.0 / 3.0) * s;
                let side = (1.0 / 6.0) * s;
                match column {
                    0 => along[rows + mirror] += side,
                    _ => along[(column - 1) * rows + i] += side,
                }
                match column + 1 == half {
                    true => along[(half - 2) * rows + mirror] += side,
                    false => along[(column + 1) * rows + i] += side,
                }
            }
        }
        let mut out = vec![0.0f32; slope.len()];
        for (out, column) in out.chunks_exact_mut(rows).zip(along.chunks_exact(rows)) {
            for i in 0..rows {
                let before = column[if i == 0 { rows - 1 } else { i - 1 }];
                let after = column[if i + 1 == rows { 0 } else { i + 1 }];
                out[i] = (2.0 / 3.0) * column[i] + (1.0 / 6.0) * (before + after);
            }
        }
        out
    }
}

/// Component `k` of the orthonormal cosine transform over the frames.
pub fn temporal(clip: &Clip, k: usize) -> Vec<f32> {
    let frames = clip.shape().frames;
    let mut out = vec![0.0f32; clip.shape().frame_len()];
    let norm = if k == 0 { 1.0 } else { 2.0 } / frames as f64;
    for t in 0..frames {
        let angle = PI * k as f64 * (t as f64 + 0.5) / frames as f64;
        let share = (norm.sqrt() * angle.cos()) as f32;
        out.iter_mut()
            .zip(clip.frame(t))
            .for_each(|(o, v)| *o += share * v);
    }
    out
}

/// The spectrum of the temporal mean and, where anything moves above the noise, of the rest.
pub fn spectra(grid: &Grid, clip: &Clip) -> Vec<Spectrum> {
    let fft = Transfer::new(grid.rows, grid.columns);
    let frames = clip.shape().frames;
    let periodograms: Vec<Vec<f32>> = (0..frames)
        .map(|k| periodogram(&fft, grid, &temporal(clip, k)))
        .collect();
    let noise_of = |power: &[f32]| {
        let beyond = grid.radius.iter().zip(power);
        let beyond: Vec<f32> = beyond
            .filter(|(r, _)| **r > CUTOFF + 0.02)
            .map(|(_, p)| *p)
            .collect();
        (beyond.iter().sum::<f32>() / beyond.len() as f32).max(1e-12)
    };
    let mut out = Vec::new();
    let mean = periodograms[0].clone();
    out.push(Spectrum {
        noise: noise_of(&mean),
        power: mean,
        freedom: 1.0,
    });
    if frames > 1 {
        // Components count by how much of the moving power each holds.
        let inside = |p: &Vec<f32>| -> f64 {
            let terms = grid.radius.iter().zip(p);
            terms
                .filter(|(r, _)| (0.04..0.3).contains(*r))
                .map(|(_, p)| f64::from(*p))
                .sum()
        };
        let shares: Vec<f64> = periodograms[1..].iter().map(inside).collect();
        let total: f64 = shares.iter().sum();
        let squares: f64 = shares.iter().map(|s| s * s).sum();
        let mut sum = vec![0.0f32; grid.len()];
        for p in &periodograms[1..] {
            sum.iter_mut().zip(p).for_each(|(s, p)| *s += p);
        }
        let freedom = (total * total / squares.max(1e-30)).max(1.0) as f32;
        let noise = noise_of(&sum);
        let loud = inside(&sum)
            / grid
                .radius
                .iter()
                .filter(|r| (0.04..0.3).contains(*r))
                .count() as f64;
        if loud > 5.0 * f64::from(noise) {
            out.push(Spectrum {
                power: sum,
                freedom,
                noise,
            });
        }
    }
    out
}

fn periodogram(fft: &Transfer, grid: &Grid, picture: &[f32]) -> Vec<f32> {
    let (rows, columns) = (grid.rows, grid.columns);
    let window = grid.window();
    let total: f32 = window.iter().sum();
    let energy: f32 = window.iter().map(|w| w * w).sum();
    let mean = picture.iter().zip(&window).map(|(p, w)| p * w).sum::<f32>() / total;
    let tapered: Vec<f32> = picture
        .iter()
        .zip(&window)
        .map(|(p, w)| (p - mean) * w)
        .collect();
    let spectrum = fft.picture(&tapered, rows, columns);
    spectrum.iter().map(|s| s.norm_sqr() / energy).collect()
}
