//! A benchmark of our own: generated scenes through every forward model.

use super::case::{Case, Headline, Truth};
use super::error::ScoreError;
use super::folder::{CAPTURE_SIGMA_PX, drawn, problem, unknown_of};
use super::recording::{Recorded, Recording, truncated};
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use crate::physics::zernike::MODES;
use crate::physics::{
    Blur, Dehaze, ForwardModel, GaussianKernel, Inpaint, Optics, Scatter, ZernikeBlur,
};
use crate::run::Sensor;
use crate::run::plan::{AberrationUnknown, Physics};
use crate::scenes::{SHAPE, Scene};
use crate::solver::{ScatterSearch, Sought, Variation};

/// Ranges that scattering layers are drawn from: the published ones.
const DIST_MM: Sought = Sought::Within {
    min: 2.5,
    max: 10.0,
};
const SIGMA_PX: Sought = Sought::Within { min: 0.5, max: 2.0 };

/// What stands before the scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    ScatterKnown,
    /// One distance and one width for each frame.
    ScatterPerFrame,
    /// One of each for the clip.
    ScatterPerClip,
    Blur,
    /// Of unknown width.
    Dehaze,
    Inpaint,
    ZernikeKnown,
    ZernikeBlind,
    /// Ten unknown coefficients for each frame.
    ZernikeVarying,
    /// Like a real layer: see [`Builtin::capture`].
    Capture,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::ScatterKnown => "scatter",
            Self::ScatterPerFrame => "scatter, blind",
            Self::ScatterPerClip => "scatter, blind clip",
            Self::Blur => "blur",
            Self::Dehaze => "dehaze",
            Self::Inpaint => "inpaint",
            Self::ZernikeKnown => "zernike",
            Self::ZernikeBlind => "zernike, blind",
            Self::ZernikeVarying => "zernike, varying",
            Self::Capture => "capture",
        }
    }
}

/// Every case, in the order of the table. New ones go to the end: a case's place is part of its
/// seed.
const CASES: [(Kind, Scene, Recording); 47] = {
    use Kind::*;
    use Recording::*;
    use Scene::*;
    [
        (ScatterKnown, Room, Exact),
        (ScatterKnown, Room, EightBit),
        (ScatterKnown, Leaves, EightBit),
        (ScatterKnown, Pan, EightBit),
        (ScatterKnown, Water, EightBit),
        (ScatterKnown, Sky, EightBit),
        (ScatterKnown, Cells, EightBit),
        (ScatterKnown, Text, EightBit),
        (ScatterKnown, Room, Noisy),
        (ScatterKnown, Water, Noisy),
        (ScatterPerFrame, Room, Exact),
        (ScatterPerFrame, Room, EightBit),
        (ScatterPerFrame, Leaves, EightBit),
        (ScatterPerFrame, Objects, EightBit),
        (ScatterPerFrame, Pan, EightBit),
        (ScatterPerFrame, Water, EightBit),
        (ScatterPerFrame, Cells, EightBit),
        (ScatterPerFrame, Room, Noisy),
        (ScatterPerClip, Room, EightBit),
        (ScatterPerClip, Water, EightBit),
        (ScatterPerClip, Objects, Noisy),
        (Blur, Leaves, Exact),
        (Blur, Room, EightBit),
        (Blur, Water, Noisy),
        (Dehaze, Room, Exact),
        (Dehaze, Pan, EightBit),
        (Dehaze, Cells, Noisy),
        (Inpaint, Room, Exact),
        (Inpaint, Pan, Exact),
        (Inpaint, Water, EightBit),
        (Inpaint, Leaves, Noisy),
        (ZernikeKnown, Leaves, Exact),
        (ZernikeKnown, Room, EightBit),
        (ZernikeKnown, Water, Noisy),
        (ZernikeBlind, Room, Exact),
        (ZernikeBlind, Room, EightBit),
        (ZernikeBlind, Leaves, EightBit),
        (ZernikeBlind, Pan, EightBit),
        (ZernikeBlind, Objects, EightBit),
        (ZernikeBlind, Cells, EightBit),
        (ZernikeBlind, Room, Noisy),
        (ZernikeVarying, Leaves, Exact),
        (ZernikeVarying, Room, EightBit),
        (Capture, Room, EightBit),
        (Capture, Objects, EightBit),
        (Capture, Cells, EightBit),
        (Capture, Water, Noisy),
    ]
};

/// One case of the benchmark, not made yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Builtin {
    kind: Kind,
    scene: Scene,
    recording: Recording,
    shape: Shape,
    /// Of everything in it.
    seed: u64,
}

/// The benchmark: cases over all forward models, known and blind, exact, quantised and noisy,
/// still and moving, 10x64x64 each. The published numbers are those of seed 0; another seed
/// draws other scenes and parameters for the same list.
pub fn builtin(seed: u64) -> Vec<Builtin> {
    let cases = CASES.into_iter().zip(0..);
    cases
        .map(|((kind, scene, recording), place)| Builtin {
            kind,
            scene,
            recording,
            shape: SHAPE,
            // Far enough apart that no case's scene is another one's.
            seed: seed.wrapping_mul(1000).wrapping_add(place),
        })
        .collect()
}

impl Builtin {
    /// `scatter, blind: room, 8 bit`.
    pub fn name(&self) -> String {
        let (kind, recording) = (self.kind.name(), self.recording.name());
        format!("{kind}: {}, {recording}", self.scene)
    }

    pub fn task(&self) -> &'static str {
        self.kind.name()
    }

    /// Renders the scene and its measurement.
    ///
    /// # Errors
    /// None for the cases of the list; those of the forward models otherwise.
    pub fn case(&self) -> Result<Case, ScoreError> {
        let target = self.scene.render(self.shape, self.seed);
        // The scene's own draws must not be those of its parameters.
        let noise = &mut Noise::seeded(self.seed ^ (1 << 63));
        let (kind, recording) = (self.kind, self.recording);
        let known = |model: Box<dyn ForwardModel>, gain: f64| {
            let recorded = recording.record(&model.apply(&target), gain, self.seed)?;
            let made = problem(Physics::Known(model), recorded, None);
            Ok::<_, ScoreError>((made, Truth::default()))
        };
        let ((problem, bare), truth) = match kind {
            Kind::ScatterKnown => {
                let (dist_mm, sigma_px) = (drawn(&DIST_MM, 1, noise), drawn(&SIGMA_PX, 1, noise));
                let one = |values: crate::physics::PerFrame| values.as_slice()[0];
                let (dist_mm, sigma_px) = (one(dist_mm), one(sigma_px));
                let model = Scatter::new(self.shape, Optics::SYNTHETIC, dist_mm, sigma_px)?;
                known(Box::new(model), 1.0)?
            }
            Kind::ScatterPerFrame | Kind::ScatterPerClip => {
                let per_frame = kind == Kind::ScatterPerFrame;
                self.scatter(&target, per_frame, noise)?
            }
            Kind::Blur => known(
                Box::new(Blur::new(self.shape, Blur::PUBLISHED_SIGMA_PX)?),
                1.0,
            )?,
            Kind::Dehaze => known(Box::new(Dehaze::new(self.shape)?), 1.0)?,
            Kind::Inpaint => {
                let mask = Inpaint::random_mask(self.shape, 0.5, noise);
                let model = Inpaint::new(self.shape, mask.clone())?;
                let recorded = recording.record(&model.apply(&target), 1.0, self.seed)?;
                let physics = Physics::Known(Box::new(model));
                (problem(physics, recorded, Some(mask)), Truth::default())
            }
            Kind::ZernikeKnown => {
                let model = ZernikeBlur::new(self.shape, coefficients(1, noise))?;
                // Exposed so that nothing saturates.
                let gain = 0.95 / f64::from(model.apply(&target).range().1);
                known(Box::new(model), gain)?
            }
            Kind::ZernikeBlind | Kind::ZernikeVarying => self.zernike(&target, noise)?,
            Kind::Capture => self.capture(&target, noise)?,
        };
        Ok(Case {
            name: self.name(),
            task: kind.name().to_owned(),
            problem,
            target,
            bare,
            headline: match kind {
                Kind::ZernikeBlind | Kind::ZernikeVarying => Headline::Fitted,
                Kind::Capture => Headline::Aligned,
                _ => Headline::Psnr,
            },
            truth,
            rivals: Vec::new(),
        })
    }

    fn scatter(&self, target: &Clip, per_frame: bool, noise: &mut Noise) -> Made {
        let draws = if per_frame { self.shape.frames } else { 1 };
        let mut draw = |extent: &Sought| {
            let values = drawn(extent, draws, noise).as_slice().to_vec();
            if per_frame {
                values
            } else {
                vec![values[0]; self.shape.frames]
            }
        };
        let (dist_mm, sigma_px) = (draw(&DIST_MM), draw(&SIGMA_PX));
        let model = Scatter::new(self.shape, Optics::SYNTHETIC, dist_mm, sigma_px)?;
        let recorded = self
            .recording
            .record(&model.apply(target), 1.0, self.seed)?;
        let physics = Physics::Scatter(ScatterSearch {
            shape: self.shape,
            optics: Optics::SYNTHETIC,
            dist_mm: DIST_MM,
            sigma_px: SIGMA_PX,
            per_frame,
        });
        Ok((problem(physics, recorded, None), Truth::of(&model)))
    }

    /// An aberration drawn as the published one; where levels are recorded they fill the file,
    /// so that gain and offset are unknown.
    fn zernike(&self, target: &Clip, noise: &mut Noise) -> Made {
        let varying = self.kind == Kind::ZernikeVarying;
        let draws = if varying { self.shape.frames } else { 1 };
        let model = ZernikeBlur::new(self.shape, coefficients(draws, noise))?;
        let values = model.apply(target);
        let exact = self.recording == Recording::Exact;
        let recorded = match exact {
            true => Recorded::exact(values),
            false => Recorded::stretched(&values, self.recording.read_noise(), self.seed)?,
        };
        let physics = Physics::Aberration(AberrationUnknown {
            shape: self.shape,
            varying: varying.then_some(Variation::Free),
            fit_gain: !exact,
        });
        Ok((problem(physics, recorded, None), Truth::of(&model)))
    }

    /// What the published captures have and the forward model has not: the target is the
    /// displayed intensity, the layer's blur has a wide tail, the light falls off toward a side,
    /// and exposure and darkness are unknown, low and noisy.
    fn capture(&self, target: &Clip, noise: &mut Noise) -> Made {
        let dist_mm = noise.uniform(8.0, 20.0);
        let sigma_px = noise.uniform(0.8, 1.5);
        let model = Scatter::new(self.shape, Optics::REAL, dist_mm, sigma_px)?;
        let mut light = model.apply(&target.map(f32::sqrt));
        let tail = GaussianKernel::new(3.0);
        let slopes = [noise.uniform(-0.12, 0.12), noise.uniform(-0.12, 0.12)];
        let falloff = noise.uniform(0.0, 0.15);
        let gain = noise.uniform(0.2, 0.5);
        let offset = noise.uniform(0.01, 0.06);
        for frame in 0..self.shape.frames {
            let wide = tail.apply(light.frame(frame), self.shape.width);
            for (i, (v, wide)) in light.frame_mut(frame).iter_mut().zip(wide).enumerate() {
                let across = |i: usize, n: usize| 2.0 * (i as f64 + 0.5) / n as f64 - 1.0;
                let x = across(i % self.shape.width, self.shape.width);
                let y = across(i / self.shape.width, self.shape.height);
                let lamp = 1.0 + slopes[0] * x + slopes[1] * y - falloff * (x * x + y * y);
                let blurred = 0.85 * f64::from(*v) + 0.15 * f64::from(wide);
                *v = (gain * lamp * blurred + offset) as f32;
            }
        }
        let read_noise = self.recording.read_noise().max(0.5 / 255.0);
        let camera = Sensor {
            gain: 1.0,
            photons: None,
            read_noise,
        };
        let levels = truncated(&camera.expose(&light, self.seed)?);
        let mut recorded = Recorded::file(levels);
        recorded.noise = recorded.noise.hypot(read_noise);
        let (min, max) = CAPTURE_SIGMA_PX;
        // One in two has its distance given, as the published ones.
        let dist_extent = match noise.uniform(0.0, 1.0) < 0.5 {
            true => Sought::Known(dist_mm.into()),
            false => Sought::Within {
                min: 5.0,
                max: 30.0,
            },
        };
        let sigma_extent = Sought::Within { min, max };
        let mut truth = unknown_of(Truth::of(&model), &dist_extent, &sigma_extent);
        // A blur with a tail has no one width.
        truth.sigma_px.clear();
        let physics = Physics::Capture(ScatterSearch {
            shape: self.shape,
            optics: Optics::REAL,
            dist_mm: dist_extent,
            sigma_px: sigma_extent,
            per_frame: false,
        });
        Ok((problem(physics, recorded, None), truth))
    }
}

/// A problem with its picture, and its truth.
type Made = Result<((crate::run::plan::Problem, Clip), Truth), ScoreError>;

/// Ten coefficients for each draw, 2 N(0, 1) radians as in the published experiment.
fn coefficients(draws: usize, noise: &mut Noise) -> Vec<f64> {
    let count = MODES.len() * draws;
    (0..count).map(|_| 2.0 * noise.normal()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::rms;

    /// The benchmark at a size that tests can afford.
    fn small(seed: u64) -> Vec<Builtin> {
        let shape = Shape::new(3, 32, 32);
        let cases = builtin(seed).into_iter();
        cases.map(|case| Builtin { shape, ..case }).collect()
    }

    #[test]
    fn every_case_is_made_and_has_its_own_name_and_seed() {
        let cases = small(0);
        let mut names: Vec<String> = cases.iter().map(Builtin::name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), cases.len());
        for case in cases {
            let made = case.case().unwrap();
            assert_eq!(made.target.shape(), Shape::new(3, 32, 32));
            assert_eq!(made.problem.measurement.shape(), made.target.shape());
            assert!(
                made.problem
                    .measurement
                    .values()
                    .data()
                    .iter()
                    .all(|v| v.is_finite())
            );
            let blind = !made.problem.physics.is_known();
            if !blind {
                assert_eq!(made.truth, Truth::default(), "{}", made.name);
            } else if made.task != "capture" {
                assert_ne!(made.truth, Truth::default(), "{}", made.name);
            }
        }
    }

    /// The measurement of a known model is that of the target, up to its noise.
    #[test]
    fn the_truth_explains_the_measurement() {
        for case in small(3) {
            let made = case.case().unwrap();
            let Physics::Known(model) = &made.problem.physics else {
                continue;
            };
            let residual = made
                .problem
                .measurement
                .residual(&model.apply(&made.target));
            let bound = (1.3 * made.problem.noise).max(1e-6);
            assert!(
                rms(residual.data()) < bound,
                "{}: {}",
                made.name,
                rms(residual.data())
            );
        }
    }

    #[test]
    fn a_seed_repeats_and_another_does_not() {
        let measured = |seed: u64, place: usize| {
            let case = small(seed)[place].case().unwrap();
            case.problem.measurement.values().clone()
        };
        for place in [0, 17, 41, 46] {
            assert_eq!(measured(5, place), measured(5, place));
            assert_ne!(measured(5, place), measured(6, place));
        }
    }
}
