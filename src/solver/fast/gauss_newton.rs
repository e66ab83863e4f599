//! The data step: Gauss and Newton's, by conjugate gradients, a few iterations at a time.

use super::config::Free;
use crate::clip::Clip;
use crate::physics::{ForwardModel, PhysicsError, dot};

/// Minimises ||r + S (J dx + P dp)||^2 + weight ||x + dx - z||^2 over a change dx of the video
/// and dp of the free parameters, J and P being the Jacobians at x and r the residual there.
///
/// S is 0 where a saturated pixel bounds nothing and 1 elsewhere. Each parameter is scaled so
/// that its column of P has norm 1, which makes it one more variable of the same kind.
pub(super) struct GaussNewton {
    base: Clip,
    values: Vec<f64>,
    slope: Clip,
    weight: f32,
    columns: Vec<Column>,
    /// dx, then the scaled dp; the other two alike.
    change: Vec<f32>,
    residual: Vec<f32>,
    direction: Vec<f32>,
    energy: f64,
    first_energy: f64,
}

/// How the measurement changes with one parameter.
struct Column {
    free: Free,
    data: Vec<f32>,
    /// The parameter's change for a step of 1.
    scale: f64,
}

/// Conjugate gradients in single precision gain nothing below this share of the first energy.
const ENOUGH: f64 = 1e-12;
/// Difference of parameters for their columns, as a share of their range.
const DIFFERENCE: f64 = 1e-5;
/// Largest difference, in the parameter's unit.
const LARGEST_DIFFERENCE: f64 = 1e-4;

impl GaussNewton {
    /// At video `x`, whose measurement is `predicted` and misses the data by `misfit`, pulled
    /// to `z`; `slope` is S.
    ///
    /// # Errors
    /// A forward model that refuses values within its own bounds.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        model: &mut dyn ForwardModel,
        x: &Clip,
        predicted: &Clip,
        slope: Clip,
        misfit: Clip,
        z: Clip,
        weight: f64,
        free: &[Free],
    ) -> Result<Self, PhysicsError> {
        let values: Vec<f64> = model.parameters().iter().map(|p| p.value).collect();
        let columns = columns(model, x, predicted, &slope, &values, free)?;
        let weight = weight as f32;
        let misfit = misfit.zip(&slope, |r, s| r * s);
        let pulled = (model.linearise(x).pullback)(&misfit, false).video;
        let mut residual: Vec<f32> = pulled
            .data()
            .iter()
            .zip(z.data().iter().zip(x.data()))
            .map(|(g, (z, x))| weight * (z - x) - g)
            .collect();
        residual.extend(columns.iter().map(|c| -dot(&c.data, misfit.data()) as f32));
        Ok(Self {
            energy: dot(&residual, &residual),
            first_energy: dot(&residual, &residual),
            change: vec![0.0; residual.len()],
            direction: residual.clone(),
            residual,
            base: x.clone(),
            values,
            slope,
            weight,
            columns,
        })
    }

    pub fn iterate(&mut self, model: &dyn ForwardModel, count: usize) {
        let linearised = model.linearise(&self.base);
        let n = self.base.shape().len();
        for _ in 0..count {
            let enough = self.energy <= ENOUGH * self.first_energy;
            if enough || self.energy <= f64::MIN_POSITIVE {
                return;
            }
            let video = Clip::new(self.base.shape(), self.direction[..n].to_vec());
            let mut pushed = (linearised.pushforward)(&video).zip(&self.slope, |p, s| p * s);
            for (column, &by) in self.columns.iter().zip(&self.direction[n..]) {
                add(pushed.data_mut(), &column.data, by);
            }
            let pulled = (linearised.pullback)(&pushed.zip(&self.slope, |p, s| p * s), false);
            let mut normal = pulled.video.into_data();
            add(&mut normal, &self.direction[..n], self.weight);
            let columns = self.columns.iter();
            normal.extend(columns.map(|c| dot(&c.data, pushed.data()) as f32));
            let step = (self.energy / dot(&self.direction, &normal)) as f32;
            add(&mut self.change, &self.direction, step);
            add(&mut self.residual, &normal, -step);
            let energy = dot(&self.residual, &self.residual);
            let turn = (energy / self.energy) as f32;
            self.energy = energy;
            for (d, r) in self.direction.iter_mut().zip(&self.residual) {
                *d = r + turn * *d;
            }
        }
    }

    /// The video reached, in [0, 1].
    pub fn video(&self) -> Clip {
        let mut video = self.base.clone();
        for (v, d) in video.data_mut().iter_mut().zip(&self.change) {
            *v = (*v + d).clamp(0.0, 1.0);
        }
        video
    }

    /// The parameter values reached, within their ranges.
    pub fn values(&self) -> Vec<f64> {
        let mut values = self.values.clone();
        let changes = &self.change[self.base.shape().len()..];
        for (column, &change) in self.columns.iter().zip(changes) {
            let Free { index, min, max } = column.free;
            let value = self.values[index] + column.scale * f64::from(change);
            values[index] = value.clamp(min, max);
        }
        values
    }
}

fn columns(
    model: &mut dyn ForwardModel,
    base: &Clip,
    predicted: &Clip,
    slope: &Clip,
    values: &[f64],
    free: &[Free],
) -> Result<Vec<Column>, PhysicsError> {
    let mut columns = Vec::with_capacity(free.len());
    for &free in free {
        let size = (DIFFERENCE * (free.max - free.min)).min(LARGEST_DIFFERENCE);
        let by = match values[free.index] + size > free.max {
            true => -size,
            false => size,
        };
        let mut moved = values.to_vec();
        moved[free.index] += by;
        model.set_parameters(&moved)?;
        let change = model.apply(base).zip(predicted, |m, p| m - p);
        let data = change.zip(slope, |c, s| c * s).into_data();
        let norm = dot(&data, &data).sqrt();
        if norm > 0.0 {
            columns.push(Column {
                free,
                data: data.iter().map(|v| (f64::from(*v) / norm) as f32).collect(),
                scale: by / norm,
            });
        }
    }
    if !free.is_empty() {
        model.set_parameters(values)?;
    }
    Ok(columns)
}

fn add(to: &mut [f32], from: &[f32], times: f32) {
    for (t, f) in to.iter_mut().zip(from) {
        *t += times * f;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;
    use crate::physics::{Optics, Scatter};

    /// At the minimum of a least-squares problem its gradient, computed anew, is zero.
    #[test]
    fn iterations_end_at_the_minimum() {
        let shape = Shape::new(2, 8, 10);
        let mut model = Scatter::new(shape, Optics::SYNTHETIC, vec![3.0, 4.0], 0.7).unwrap();
        let draw = |scale: f32, seed| {
            Noise::seeded(seed)
                .normal_clip(shape)
                .map(|v| 0.5 + scale * v)
        };
        let (x, z, y) = (draw(0.1, 1), draw(0.1, 2), draw(0.1, 3));
        let mut slope = Clip::filled(shape, 1.0);
        slope.data_mut()[7] = 0.0;
        let free: Vec<Free> = (0..2)
            .map(|index| Free {
                index,
                min: 0.0,
                max: 10.0,
            })
            .collect();
        let predicted = model.apply(&x);
        let misfit = predicted.zip(&y, |p, y| p - y);
        let weight = 0.1;
        let mut step = GaussNewton::new(
            &mut model,
            &x,
            &predicted,
            slope.clone(),
            misfit.clone(),
            z.clone(),
            weight,
            &free,
        )
        .unwrap();
        let before = step.energy;
        step.iterate(&model, 200);
        assert!(step.energy < 1e-8 * before);
        let change = Clip::new(shape, step.change[..shape.len()].to_vec());
        let linearised = model.linearise(&x);
        let mut left = (linearised.pushforward)(&change).zip(&misfit, |p, m| p + m);
        for (column, &by) in step.columns.iter().zip(&step.change[shape.len()..]) {
            add(left.data_mut(), &column.data, by);
        }
        let left = left.zip(&slope, |l, s| l * s);
        let gradient = (linearised.pullback)(&left, true);
        let reach = x.zip(&change, |x, d| x + d);
        let pull = reach.zip(&z, |x, z| weight as f32 * (x - z));
        let video = gradient.video.zip(&pull, |g, p| g + p);
        assert!(dot(video.data(), video.data()).sqrt() < 1e-3);
        // In units of each parameter's column.
        for (column, slope) in step.columns.iter().zip(&gradient.parameters) {
            assert!((slope * column.scale).abs() < 1e-3);
        }
        let moved = step.values();
        assert!(moved[0] != 3.0 && moved[1] != 4.0 && moved[2] == 0.7);
    }
}
