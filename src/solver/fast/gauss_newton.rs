//! The data step: Gauss and Newton's, by conjugate gradients, a few iterations at a time.

use crate::clip::Clip;
use crate::physics::{ForwardModel, PhysicsError, dot};
use crate::solver::Measurement;

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
}

/// How the measurement changes with one parameter.
struct Column {
    parameter: usize,
    data: Vec<f32>,
    /// The parameter's change for a step of 1.
    scale: f64,
}

/// Difference of parameters for their columns, as a share of their range.
const DIFFERENCE: f64 = 1e-5;
/// Largest difference, in the parameter's unit.
const LARGEST_DIFFERENCE: f64 = 1e-4;

impl GaussNewton {
    /// At video `base`, pulled to `z`; `known` is 0 for pixels of the measurement to leave out.
    pub fn new(
        model: &mut dyn ForwardModel,
        measurement: &Measurement,
        known: Option<&Clip>,
        base: Clip,
        z: &Clip,
        weight: f64,
        free: &[(usize, f64, f64)],
    ) -> Result<Self, PhysicsError> {
        let values: Vec<f64> = model.parameters().iter().map(|p| p.value).collect();
        let predicted = model.apply(&base);
        let mut slope = measurement.slope(&predicted);
        if let Some(known) = known {
            slope = slope.zip(known, |s, k| s * k);
        }
        let columns = columns(model, &base, &predicted, &slope, &values, free)?;
        let weight = weight as f32;
        let misfit = measurement.residual(&predicted).zip(&slope, |r, s| r * s);
        let pulled = (model.linearise(&base).pullback)(&misfit, false).video;
        let mut residual: Vec<f32> = pulled
            .data()
            .iter()
            .zip(z.data().iter().zip(base.data()))
            .map(|(g, (z, x))| weight * (z - x) - g)
            .collect();
        residual.extend(columns.iter().map(|c| -dot(&c.data, misfit.data()) as f32));
        Ok(Self {
            energy: dot(&residual, &residual),
            change: vec![0.0; residual.len()],
            direction: residual.clone(),
            residual,
            base,
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
            if self.energy <= f64::MIN_POSITIVE {
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

    /// The parameter values reached, within the ranges of `free`.
    pub fn values(&self, free: &[(usize, f64, f64)]) -> Vec<f64> {
        let mut values = self.values.clone();
        let changes = &self.change[self.base.shape().len()..];
        for (column, &change) in self.columns.iter().zip(changes) {
            let range = free.iter().find(|f| f.0 == column.parameter);
            let &(_, min, max) = range.expect("columns belong to free parameters");
            let value = self.values[column.parameter] + column.scale * f64::from(change);
            values[column.parameter] = value.clamp(min, max);
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
    free: &[(usize, f64, f64)],
) -> Result<Vec<Column>, PhysicsError> {
    let mut columns = Vec::with_capacity(free.len());
    for &(parameter, min, max) in free {
        let size = (DIFFERENCE * (max - min)).min(LARGEST_DIFFERENCE);
        let by = if values[parameter] + size > max { -size } else { size };
        let mut moved = values.to_vec();
        moved[parameter] += by;
        model.set_parameters(&moved)?;
        let change = model.apply(base).zip(predicted, |m, p| m - p);
        let data = change.zip(slope, |c, s| c * s).into_data();
        let norm = dot(&data, &data).sqrt();
        if norm > 0.0 {
            columns.push(Column {
                parameter,
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
