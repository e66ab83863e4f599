//! A capture by a real camera through a real layer.

mod spread;

use std::sync::Arc;

use rayon::prelude::*;

use self::spread::{Placement, Slopes, Spread};
use super::propagation::{Field, Propagator, Transfer};
use super::{
    ForwardModel, Gradient, Linearised, Optics, Parameter, PhysicsError, Unit, check_shape,
    check_values, dot,
};
use crate::clip::{Clip, Shape};

/// What lies beyond the scene's frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surround {
    /// Nothing: a display that ends with the frame.
    Dark,
    /// More of the same: a camera that sees a part of a larger scene.
    Same,
}

/// The values of a [`Capture`]'s parameters.
///
/// Recorded = offset + gain * spread(|propagated amplitude|^2).
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureState {
    /// Propagation distance in millimetres.
    pub dist_mm: f64,
    /// Width of the blur's core, in camera pixels.
    pub sigma_px: f64,
    /// Share of the light in the blur's halo, and the halo's width in camera pixels.
    pub halo: f64,
    pub halo_sigma_px: f64,
    /// From the centre of the camera's frame to that of the scene's, down and across, in
    /// camera pixels.
    pub shift_px: [f64; 2],
    /// By how much the scene's frame is longer than the camera's, down and across, in camera
    /// pixels.
    pub stretch_px: [f64; 2],
    /// What an intensity of 1 adds to a recorded value.
    pub gain: f64,
    /// The value recorded without light.
    pub offset: f64,
}

impl CaptureState {
    /// A pure Gaussian blur, the scene's frame on the camera's.
    pub fn plain(dist_mm: f64, sigma_px: f64, gain: f64, offset: f64) -> Self {
        Self {
            dist_mm,
            sigma_px,
            halo: 0.0,
            halo_sigma_px: 3.0,
            shift_px: [0.0; 2],
            stretch_px: [0.0; 2],
            gain,
            offset,
        }
    }

    fn values(&self) -> Vec<f64> {
        let mut values = vec![self.dist_mm, self.sigma_px, self.halo, self.halo_sigma_px];
        values.extend(self.shift_px);
        values.extend(self.stretch_px);
        values.extend([self.gain, self.offset]);
        values
    }

    fn from_values(values: &[f64]) -> Self {
        Self {
            dist_mm: values[0],
            sigma_px: values[1],
            halo: values[2],
            halo_sigma_px: values[3],
            shift_px: [values[4], values[5]],
            stretch_px: [values[6], values[7]],
            gain: values[8],
            offset: values[9],
        }
    }
}

/// y = offset + gain * spread(|propagate_d(u)|^2), in recorded units.
///
/// Beyond [`Scatter`](super::Scatter): a blur of two Gaussians, a core and a halo; the place
/// and size of the scene's frame on the camera, which is where a display's image ends; what
/// lies around that frame; gain and offset. Light is even: flat frames make it so.
#[derive(Clone)]
pub struct Capture {
    shape: Shape,
    surround: Surround,
    state: CaptureState,
    propagator: Propagator,
    transfer: Transfer,
    core: Blur2,
    halo: Blur2,
}

/// One Gaussian of the blur, down and across.
#[derive(Clone)]
struct Blur2 {
    down: Spread,
    across: Spread,
}

/// One frame on its way: what the products with the Jacobian need.
struct Frame {
    field: Field,
    intensity: Vec<f32>,
    /// Of the core and of the halo, before the gain.
    core: Vec<f32>,
    halo: Vec<f32>,
}

impl Capture {
    /// Scene pixels around the frame that are modelled, for light that reaches into it.
    const MARGIN: usize = 8;

    /// # Errors
    /// An empty shape, or values out of range.
    pub fn new(
        shape: Shape,
        optics: Optics,
        surround: Surround,
        state: CaptureState,
    ) -> Result<Self, PhysicsError> {
        check_shape(shape)?;
        optics.check()?;
        check_values(&table(&state), &state.values())?;
        let margin = 2 * Self::MARGIN;
        let propagator = Propagator::new(shape.height + margin, shape.width + margin, &optics);
        Ok(Self {
            transfer: propagator.transfer(state.dist_mm),
            core: Blur2::new(shape, &state, state.sigma_px),
            halo: Blur2::new(shape, &state, state.halo_sigma_px),
            shape,
            surround,
            state,
            propagator,
        })
    }

    pub fn state(&self) -> &CaptureState {
        &self.state
    }

    pub fn surround(&self) -> Surround {
        self.surround
    }

    /// The width of the whole blur: the root mean square along one axis, in camera pixels.
    pub fn blur_rms_px(&self) -> f64 {
        let s = &self.state;
        let core = (1.0 - s.halo) * s.sigma_px * s.sigma_px;
        (core + s.halo * s.halo_sigma_px * s.halo_sigma_px).sqrt()
    }

    fn canvas_width(&self) -> usize {
        self.shape.width + 2 * Self::MARGIN
    }

    /// The frame with its surround.
    fn embedded(&self, frame: &[f32]) -> Vec<f32> {
        let (h, w, m) = (self.shape.height, self.shape.width, Self::MARGIN);
        let width = self.canvas_width();
        let mut canvas = vec![0.0; (h + 2 * m) * width];
        for (y, row) in canvas.chunks_exact_mut(width).enumerate() {
            let inside = (m..m + h).contains(&y);
            if !inside && self.surround == Surround::Dark {
                continue;
            }
            let from = &frame[y.saturating_sub(m).min(h - 1) * w..][..w];
            row[m..m + w].copy_from_slice(from);
            if self.surround == Surround::Same {
                row[..m].fill(from[0]);
                row[m + w..].fill(from[w - 1]);
            }
        }
        canvas
    }

    /// The adjoint of [`embedded`](Self::embedded).
    fn gathered(&self, canvas: &[f32]) -> Vec<f32> {
        let (h, w, m) = (self.shape.height, self.shape.width, Self::MARGIN);
        let mut frame = vec![0.0; h * w];
        for (y, row) in canvas.chunks_exact(self.canvas_width()).enumerate() {
            let inside = (m..m + h).contains(&y);
            if !inside && self.surround == Surround::Dark {
                continue;
            }
            let to = &mut frame[y.saturating_sub(m).min(h - 1) * w..][..w];
            to.iter_mut().zip(&row[m..]).for_each(|(t, r)| *t += r);
            if self.surround == Surround::Same {
                to[0] += row[..m].iter().sum::<f32>();
                to[w - 1] += row[m + w..].iter().sum::<f32>();
            }
        }
        frame
    }

    fn propagated(&self, frame: &[f32]) -> Field {
        self.propagator
            .propagate(&self.embedded(frame), &self.transfer)
    }

    /// Core and halo in their shares, times the gain.
    fn exposed(&self, core: &[f32], halo: &[f32], offset: f64) -> Vec<f32> {
        let (gain, share) = (self.state.gain as f32, self.state.halo as f32);
        let offset = offset as f32;
        let pairs = core.iter().zip(halo);
        pairs
            .map(|(c, h)| offset + gain * (c + share * (h - c)))
            .collect()
    }
}

impl Blur2 {
    fn new(shape: Shape, state: &CaptureState, sigma_px: f64) -> Self {
        let along = |axis: usize, camera: usize| {
            let placement = Placement {
                shift_px: state.shift_px[axis],
                stretch_px: state.stretch_px[axis],
            };
            Spread::new(camera, Capture::MARGIN, placement, sigma_px)
        };
        Self {
            down: along(0, shape.height),
            across: along(1, shape.width),
        }
    }

    fn apply(&self, intensity: &[f32], width: usize) -> Vec<f32> {
        self.across.across(&self.down.down(intensity, width))
    }

    fn pull(&self, v: &[f32], width: usize) -> Vec<f32> {
        self.down.pull_down(&self.across.pull_across(v), width)
    }

    /// d <v, apply(intensity)> for each parameter, down and across.
    fn slopes(&self, intensity: &[f32], v: &[f32], width: usize) -> [Slopes; 2] {
        let pulled = self.across.pull_across(v);
        let down = self.down.slopes_down(intensity, &pulled, width);
        let across = self
            .across
            .slopes_across(&self.down.down(intensity, width), v);
        [down, across]
    }
}

/// The parameter table with the values of `state`.
fn table(state: &CaptureState) -> Vec<Parameter> {
    let rows = [
        ("distance", Unit::Millimetre, 0.0, 1000.0),
        ("sigma", Unit::Pixel, 0.1, 16.0),
        ("halo", Unit::None, 0.0, 1.0),
        ("halo sigma", Unit::Pixel, 0.1, 16.0),
        ("shift down", Unit::Pixel, -4.0, 4.0),
        ("shift across", Unit::Pixel, -4.0, 4.0),
        ("stretch down", Unit::Pixel, -4.0, 4.0),
        ("stretch across", Unit::Pixel, -4.0, 4.0),
        ("gain", Unit::None, 1e-6, 1e6),
        ("offset", Unit::None, -1e6, 1e6),
    ];
    let rows = rows.into_iter().zip(state.values());
    rows.map(|((name, unit, min, max), value)| Parameter {
        name: name.into(),
        frame: None,
        unit,
        value,
        min,
        max,
        zernike: None,
    })
    .collect()
}

impl ForwardModel for Capture {
    fn name(&self) -> &'static str {
        "capture"
    }

    fn boxed(&self) -> Box<dyn ForwardModel> {
        Box::new(self.clone())
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn parameters(&self) -> Vec<Parameter> {
        table(&self.state)
    }

    fn set_parameters(&mut self, values: &[f64]) -> Result<(), PhysicsError> {
        check_values(&self.parameters(), values)?;
        let state = CaptureState::from_values(values);
        if state.dist_mm != self.state.dist_mm {
            self.transfer = self.propagator.transfer(state.dist_mm);
        }
        self.core = Blur2::new(self.shape, &state, state.sigma_px);
        self.halo = Blur2::new(self.shape, &state, state.halo_sigma_px);
        self.state = state;
        Ok(())
    }

    fn linearise(&self, amplitude: &Clip) -> Linearised<'_> {
        assert_eq!(amplitude.shape(), self.shape);
        let width = self.canvas_width();
        let frames: Vec<Frame> = (0..self.shape.frames)
            .into_par_iter()
            .map(|f| {
                let field = self.propagated(amplitude.frame(f));
                let parts = field.a.iter().zip(&field.b);
                let intensity: Vec<f32> = parts.map(|(a, b)| a * a + b * b).collect();
                let core = self.core.apply(&intensity, width);
                let halo = self.halo.apply(&intensity, width);
                Frame {
                    field,
                    intensity,
                    core,
                    halo,
                }
            })
            .collect();
        let frames = Arc::new(frames);
        let exposed = |f: &Frame| self.exposed(&f.core, &f.halo, self.state.offset);
        let data: Vec<f32> = frames.iter().flat_map(exposed).collect();
        let passed = Arc::clone(&frames);
        let pushforward = move |du: &Clip| {
            let pushed: Vec<Vec<f32>> = passed
                .par_iter()
                .enumerate()
                .map(|(f, Frame { field, .. })| {
                    let change = self.propagated(du.frame(f));
                    let parts = field.a.iter().zip(&change.a);
                    let parts = parts.zip(field.b.iter().zip(&change.b));
                    let intensity: Vec<f32> = parts
                        .map(|((a, da), (b, db))| 2.0 * (a * da + b * db))
                        .collect();
                    let core = self.core.apply(&intensity, width);
                    let halo = self.halo.apply(&intensity, width);
                    self.exposed(&core, &halo, 0.0)
                })
                .collect();
            Clip::new(self.shape, pushed.concat())
        };
        let pullback = move |cotangent: &Clip, parameters: bool| {
            let pulled: Vec<(Vec<f32>, Vec<f64>)> = frames
                .par_iter()
                .enumerate()
                .map(|(f, frame)| self.pull(frame, cotangent.frame(f), parameters))
                .collect();
            let mut totals = vec![
                0.0;
                if parameters {
                    table(&self.state).len()
                } else {
                    0
                }
            ];
            for (_, slopes) in &pulled {
                totals.iter_mut().zip(slopes).for_each(|(t, s)| *t += s);
            }
            let video = pulled.into_iter().flat_map(|(v, _)| v).collect();
            Gradient {
                video: Clip::new(self.shape, video),
                parameters: totals,
            }
        };
        Linearised {
            measurement: Clip::new(self.shape, data),
            pushforward: Box::new(pushforward),
            pullback: Box::new(pullback),
        }
    }

    /// The recorded light, unpropagated, as an amplitude.
    fn first_guess(&self, measurement: &Clip) -> Clip {
        let (gain, offset) = (self.state.gain as f32, self.state.offset as f32);
        measurement.map(|y| ((y - offset) / gain).clamp(0.0, 1.0).sqrt())
    }

    fn is_affine(&self) -> bool {
        false
    }
}

impl Capture {
    /// The gradient of <v, recorded frame>.
    fn pull(&self, frame: &Frame, v: &[f32], parameters: bool) -> (Vec<f32>, Vec<f64>) {
        let width = self.canvas_width();
        let state = &self.state;
        let (gain, share) = (state.gain as f32, state.halo as f32);
        let lit: Vec<f32> = v.iter().map(|v| v * gain).collect();
        let times = |by: f32| -> Vec<f32> { lit.iter().map(|v| v * by).collect() };
        let (to_core, to_halo) = (times(1.0 - share), times(share));
        let mut through = self.core.pull(&to_core, width);
        let from_halo = self.halo.pull(&to_halo, width);
        through
            .iter_mut()
            .zip(&from_halo)
            .for_each(|(t, h)| *t += h);
        let part = |part: &[f32]| -> Vec<f32> {
            let pairs = part.iter().zip(&through);
            pairs.map(|(p, t)| 2.0 * p * t).collect()
        };
        let field = &frame.field;
        let spectra = self.propagator.cotangent(&part(&field.a), &part(&field.b));
        let canvas = self.propagator.pull_amplitude(&spectra, &self.transfer);
        let video = self.gathered(&canvas);
        if !parameters {
            return (video, Vec::new());
        }
        let core = self.core.slopes(&frame.intensity, &to_core, width);
        let halo = self.halo.slopes(&frame.intensity, &to_halo, width);
        let bare = self.exposed(&frame.core, &frame.halo, 0.0);
        let offset: f64 = v.iter().map(|&v| f64::from(v)).sum();
        let slopes = vec![
            self.propagator
                .pull_distance(field, &spectra, &self.transfer),
            core[0].sigma + core[1].sigma,
            dot(&lit, &frame.halo) - dot(&lit, &frame.core),
            halo[0].sigma + halo[1].sigma,
            core[0].shift + halo[0].shift,
            core[1].shift + halo[1].shift,
            core[0].stretch + halo[0].stretch,
            core[1].stretch + halo[1].stretch,
            dot(v, &bare) / state.gain,
            offset,
        ];
        (video, slopes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::Noise;

    const SHAPE: Shape = Shape::new(2, 18, 14);

    fn model(surround: Surround) -> Capture {
        let state = CaptureState {
            halo: 0.2,
            shift_px: [0.3, -0.4],
            stretch_px: [-0.8, 0.5],
            ..CaptureState::plain(9.0, 1.1, 0.4, -0.05)
        };
        Capture::new(SHAPE, Optics::REAL, surround, state).unwrap()
    }

    fn amplitude() -> Clip {
        let mut noise = Noise::seeded(3);
        let data = (0..SHAPE.len()).map(|_| noise.uniform(0.1, 0.9) as f32);
        Clip::new(SHAPE, data.collect())
    }

    #[test]
    fn gradients_agree_with_finite_differences() {
        for surround in [Surround::Dark, Surround::Same] {
            let mut model = model(surround);
            let (u, v) = (amplitude(), Noise::seeded(4).normal_clip(SHAPE));
            let du = Noise::seeded(5).normal_clip(SHAPE);
            let gradient = (model.linearise(&u).pullback)(&v, true);
            let moved = |by: f32| dot(v.data(), model.apply(&u.zip(&du, |u, d| u + by * d)).data());
            let slope = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            let analytic = dot(gradient.video.data(), du.data());
            assert!(
                (slope - analytic).abs() < 2e-3 * slope.abs(),
                "{slope} {analytic}"
            );
            let pushed = (model.linearise(&u).pushforward)(&du);
            let pushed = dot(pushed.data(), v.data());
            assert!((pushed - analytic).abs() < 1e-4 * pushed.abs());
            let rows = model.parameters();
            let values: Vec<f64> = rows.iter().map(|p| p.value).collect();
            for (k, row) in rows.iter().enumerate() {
                let step = if k == 0 { 1e-2 } else { 2e-3 };
                let mut at = |by: f64| {
                    let mut values = values.clone();
                    values[k] += by;
                    model.set_parameters(&values).unwrap();
                    dot(v.data(), model.apply(&u).data())
                };
                let slope = (at(step) - at(-step)) / (2.0 * step);
                let analytic = gradient.parameters[k];
                assert!(
                    (slope - analytic).abs() < 5e-3 * slope.abs().max(0.05),
                    "{}: {slope} {analytic}",
                    row.name
                );
            }
        }
    }

    #[test]
    fn a_dark_surround_halves_the_frames_edge_and_the_same_leaves_it() {
        let flat = Clip::filled(Shape::new(1, 40, 40), 0.5);
        for (surround, expected) in [(Surround::Dark, 0.5), (Surround::Same, 1.0)] {
            let state = CaptureState {
                // The frame's upper edge then falls on the centre of the first row.
                shift_px: [0.5, 0.0],
                ..CaptureState::plain(0.0, 1.0, 2.0, 0.1)
            };
            let model = Capture::new(flat.shape(), Optics::REAL, surround, state).unwrap();
            let recorded = model.apply(&flat);
            let (edge, middle) = (recorded.frame(0)[20], recorded.frame(0)[20 * 40 + 20]);
            assert!((middle - 0.6).abs() < 1e-4, "{middle}");
            assert!(((edge - 0.1) / 0.5 - expected).abs() < 1e-3, "{edge}");
        }
    }

    #[test]
    fn without_what_is_new_it_is_the_scattering_layer() {
        let shape = Shape::new(1, 48, 48);
        let mut noise = Noise::seeded(8);
        let data = (0..shape.len()).map(|_| noise.uniform(0.3, 0.7) as f32);
        let u = Clip::new(shape, data.collect());
        // The published kernel's own width is sigma (k - 1) / (k + 1) with k = 13; a box of
        // one pixel adds 1/12 to the square.
        let sigma: f64 = 2.0 * 12.0 / 14.0;
        let state = CaptureState::plain(6.0, (sigma * sigma - 1.0 / 12.0).sqrt(), 1.0, 0.0);
        let capture = Capture::new(shape, Optics::REAL, Surround::Same, state).unwrap();
        let scatter = super::super::Scatter::new(shape, Optics::REAL, 6.0, 2.0).unwrap();
        let (a, b) = (capture.apply(&u), scatter.apply(&u));
        for y in 8..40 {
            for x in 8..40 {
                let i = y * 48 + x;
                assert!((a.data()[i] - b.data()[i]).abs() < 4e-3);
            }
        }
    }

    #[test]
    fn values_out_of_range_are_refused() {
        let state = CaptureState::plain(9.0, 0.0, 1.0, 0.0);
        let built = Capture::new(SHAPE, Optics::REAL, Surround::Dark, state);
        assert!(built.err().unwrap().to_string().contains("sigma"));
        let mut model = model(Surround::Dark);
        let before = model.state().clone();
        assert!(model.set_parameters(&[1.0]).is_err());
        assert_eq!(model.state(), &before);
    }
}
