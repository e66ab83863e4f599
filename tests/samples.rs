//! Samples with the embedded prior differ where the measurement leaves freedom, and agree where it
//! does not.

use vdps::clip::{Clip, Shape};
use vdps::device::DeviceRequest;
use vdps::metrics::{rms, spread};
use vdps::noise::Noise;
use vdps::physics::{Blur, ForwardModel, Inpaint};
use vdps::prior::compact::{EMBEDDED_FILE, Network};
use vdps::run::plan::{self, Method, Physics, PriorChoice, Problem, Settings};
use vdps::run::{Learned, NetworkChoice};
use vdps::scenes::Scene;
use vdps::solver::Measurement;

const SHAPE: Shape = Shape::new(4, 24, 24);
const NOISE: f32 = 0.01;

/// What seeds make of a measurement of a scene.
fn samples(method: Method, model: &dyn ForwardModel, mask: Option<&Clip>) -> Vec<Clip> {
    let scene = Scene::Leaves.render(SHAPE, 5);
    let errors = Noise::seeded(1).normal_clip(SHAPE);
    let measured = model.apply(&scene).zip(&errors, |y, n| y + NOISE * n);
    let measured = match mask {
        Some(mask) => measured.zip(mask, |y, m| y * m),
        None => measured,
    };
    let sample = |seed| {
        let prior = PriorChoice::Network(NetworkChoice::Embedded);
        let settings = Settings {
            sample: method == Method::Fast,
            steps: Some(30),
            device: DeviceRequest::Cpu,
            seed,
            ..Settings::new(method, prior)
        };
        let problem = Problem {
            physics: Physics::Known(model.boxed()),
            measurement: Measurement::exact(measured.clone()),
            noise: NOISE.into(),
            mask: mask.cloned(),
        };
        let mut prepared = plan::prepare(problem, &settings, Noise::seeded(seed)).unwrap();
        while !prepared.solver.step().unwrap().is_finished() {}
        prepared.solver.estimate()
    };
    (1..=3).map(sample).collect()
}

fn spread_of(samples: &[Clip], of: impl Fn(&Clip) -> Clip) -> Clip {
    let seen: Vec<Clip> = samples.iter().map(of).collect();
    spread(&seen.iter().collect::<Vec<_>>())
}

/// Rms over the pixels where `mask` is `value`.
fn rms_where(clip: &Clip, mask: &Clip, value: f32) -> f64 {
    let pairs = clip.data().iter().zip(mask.data());
    let chosen: Vec<f32> = pairs
        .filter(|&(_, &m)| m == value)
        .map(|(&v, _)| v)
        .collect();
    rms(&chosen)
}

/// A hole in every frame.
fn hole() -> Clip {
    let data = (0..SHAPE.len()).map(|i| {
        let (y, x) = (i / SHAPE.width % SHAPE.height, i % SHAPE.width);
        f32::from(u8::from(!((6..18).contains(&y) && (6..18).contains(&x))))
    });
    Clip::new(SHAPE, data.collect())
}

#[test]
fn fast_samples_differ_in_a_hole_and_agree_around_it() {
    let mask = hole();
    let model = Inpaint::new(SHAPE, mask.clone()).unwrap();
    let samples = samples(Method::Fast, &model, Some(&mask));
    let spread = spread_of(&samples, Clip::clone);
    let (inside, around) = (
        rms_where(&spread, &mask, 0.0),
        rms_where(&spread, &mask, 1.0),
    );
    assert!(around < 1.5 * f64::from(NOISE), "{around}");
    assert!(inside > 4.0 * around, "{inside} {around}");
}

#[test]
fn fast_samples_of_a_blurred_clip_differ_in_what_the_blur_took_away() {
    let model = Blur::new(SHAPE, 2.0).unwrap();
    let samples = samples(Method::Fast, &model, None);
    let kept = rms(spread_of(&samples, |u| model.apply(u)).data());
    let all = rms(spread_of(&samples, Clip::clone).data());
    assert!(kept < 1.5 * f64::from(NOISE), "{kept}");
    assert!(all > 2.0 * kept, "{all} {kept}");
}

#[test]
fn reference_samples_differ_in_a_hole_more_than_around_it() {
    let mask = hole();
    let model = Inpaint::new(SHAPE, mask.clone()).unwrap();
    let samples = samples(Method::Reference, &model, Some(&mask));
    let spread = spread_of(&samples, Clip::clone);
    let (inside, around) = (
        rms_where(&spread, &mask, 0.0),
        rms_where(&spread, &mask, 1.0),
    );
    assert!(inside > 1.5 * around, "{inside} {around}");
}

#[test]
fn the_embedded_prior_is_there_at_once() {
    let load = || {
        let started = std::time::Instant::now();
        Network::from_safetensors(EMBEDDED_FILE).unwrap();
        started.elapsed().as_secs_f64()
    };
    // The best of several: other programs only ever slow one down.
    let best = (0..3).map(|_| load()).fold(f64::INFINITY, f64::min);
    assert!(best < 0.3, "{best}");
    let learned = Learned::embedded(DeviceRequest::Auto).unwrap();
    assert!(learned.record().description.contains("compact network"));
}
