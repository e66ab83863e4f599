use super::*;
use crate::clip::Shape;
use crate::metrics::psnr;
use crate::physics::{Dehaze, Inpaint, Optics, Scatter};
use crate::prior::{BlockMatching, PriorError, Turned, Tv};
use crate::scenes::Scene;
use crate::solver::{Changing, Instant, InstantConfig, Quantisation, TimedChange};

/// A denoiser that knows what there is: pixels of N(0.5, 0.1), each for itself.
struct Gaussian;

impl Gaussian {
    const SPREAD: f64 = 0.1;
}

impl Denoiser for Gaussian {
    fn name(&self) -> &str {
        "gaussian"
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        let share = Self::SPREAD.powi(2) / (Self::SPREAD.powi(2) + sigma * sigma);
        Ok(noisy.map(|v| 0.5 + share as f32 * (v - 0.5)))
    }

    fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
        Ok(())
    }

    fn is_network(&self) -> bool {
        true
    }
}

const SHAPE: Shape = Shape::new(5, 32, 28);

fn scatter(dist_mm: f64) -> Box<dyn ForwardModel> {
    Box::new(Scatter::new(SHAPE, Optics::SYNTHETIC, dist_mm, 0.7).unwrap())
}

/// What an 8-bit camera records of a scene at 3 mm.
fn recorded(scene: &Clip) -> Measurement {
    let levels = |v: f32| (v.clamp(0.0, 1.0) * 255.0).floor() / 255.0;
    let values = scatter(3.0).apply(scene).map(levels);
    Measurement::quantised(values, 255, Quantisation::Floor)
}

fn instant(model: Box<dyn ForwardModel>, measurement: &Measurement) -> Box<dyn Solver> {
    let config = InstantConfig {
        iterations: 120,
        ..InstantConfig::for_noise(measurement.rounding())
    };
    Box::new(Instant::new(model, measurement.clone(), config).unwrap())
}

fn fast(measurement: &Measurement, change: impl FnOnce(&mut FastConfig)) -> Fast {
    let mut config = FastConfig {
        rounds: 6,
        pulls: vec![0.5],
        ..FastConfig::for_noise(measurement.rounding())
    };
    change(&mut config);
    let first = instant(scatter(3.0), measurement);
    let blocks = Box::new(Turned::new(Box::new(BlockMatching::one_stage())));
    Fast::new(
        first,
        scatter(3.0),
        measurement.clone(),
        vec![blocks],
        config,
    )
    .unwrap()
}

fn finish(solver: &mut Fast) -> Progress {
    let mut progress = solver.step().unwrap();
    while !progress.is_finished() {
        let next = solver.step().unwrap();
        assert_eq!(next.done, progress.done + 1);
        progress = next;
    }
    progress
}

fn db(a: &Clip, b: &Clip) -> f64 {
    psnr(a.data(), b.data())
}

#[test]
fn it_gains_on_what_it_starts_from() {
    let scene = Scene::Leaves.render(SHAPE, 3);
    let measurement = recorded(&scene);
    let mut first = instant(scatter(3.0), &measurement);
    while !first.step().unwrap().is_finished() {}
    let mut solver = fast(&measurement, |_| ());
    let progress = finish(&mut solver);
    let (before, after) = (
        db(&first.estimate(), &scene),
        db(&solver.estimate(), &scene),
    );
    assert!(after > before + 1.0, "{before} {after}");
    // Half a level, rounding's standard deviation being 0.29 of one.
    assert!(progress.residual_rms < 0.5 / 255.0);
}

#[test]
fn data_without_noise_are_met_to_the_floor() {
    let scene = Scene::Walker.render(SHAPE, 3);
    let measurement = Measurement::exact(scatter(3.0).apply(&scene));
    let progress = finish(&mut fast(&measurement, |c| c.rounds = 10));
    assert!(progress.residual_rms < 1e-4, "{}", progress.residual_rms);
}

/// Few conjugate-gradient iterations go a small part of the way.
#[test]
fn momentum_goes_farther_in_as_many_rounds() {
    let scene = Scene::Leaves.render(SHAPE, 3);
    let measurement = recorded(&scene);
    let reached = |momentum: f64| {
        let mut solver = fast(&measurement, |c| {
            c.momentum = momentum;
            c.iterations = 5;
        });
        finish(&mut solver);
        db(&solver.estimate(), &scene)
    };
    let (without, with) = (reached(0.0), reached(0.6));
    assert!(with > without + 0.2, "{without} {with}");
}

#[test]
fn trials_choose_a_pull_before_the_rounds_that_count() {
    let measurement = recorded(&Scene::Shapes.render(SHAPE, 3));
    let mut solver = fast(&measurement, |c| c.pulls = vec![0.25, 0.5, 1.0]);
    assert_eq!(solver.prior(), None);
    finish(&mut solver);
    let (name, pull) = solver.prior().unwrap();
    assert_eq!(name, "blocks");
    assert!(solver.notes()[0].contains("blocks"));
    assert!(solver.config().pulls.contains(&pull));
    // The trials leave no trace but the choice.
    let mut same = fast(&measurement, |c| c.pulls = vec![pull]);
    finish(&mut same);
    assert_eq!(solver.estimate(), same.estimate());
}

#[test]
fn a_seed_gives_one_video_and_others_give_others() {
    let measurement = recorded(&Scene::Walker.render(SHAPE, 1));
    let run = |seed: Option<u64>| {
        let mut solver = fast(&measurement, |c| {
            c.seed = seed;
            c.rounds = 3;
        });
        let rms = finish(&mut solver).residual_rms;
        (solver.estimate(), rms)
    };
    let (best, _) = run(None);
    let (sample, rms) = run(Some(4));
    assert_eq!(best, run(None).0);
    assert_eq!(sample, run(Some(4)).0);
    let (other, _) = run(Some(5));
    assert_ne!(sample, other);
    assert_ne!(sample, best);
    // A sample explains the data as well as noise lets it.
    assert!(rms < 3.0 * measurement.rounding(), "{rms}");
}

#[test]
fn a_wrong_distance_is_put_right() {
    let scene = Scene::Leaves.render(SHAPE, 8);
    let measurement = recorded(&scene);
    let config = FastConfig {
        rounds: 8,
        pulls: vec![0.5],
        free: vec![Free {
            index: 0,
            min: 2.5,
            max: 10.0,
        }],
        ..FastConfig::for_noise(measurement.rounding())
    };
    let first = instant(scatter(3.1), &measurement);
    let mut solver = Fast::new(
        first,
        scatter(3.1),
        measurement,
        vec![Box::new(Tv::default())],
        config,
    )
    .unwrap();
    finish(&mut solver);
    let found = solver.model().parameters()[0].value;
    assert!((found - 3.0).abs() < 0.02, "{found}");
}

/// A model that knows its regularised inverse, and one that keeps it to itself.
struct Half(bool);

impl ForwardModel for Half {
    fn name(&self) -> &'static str {
        "half"
    }

    fn boxed(&self) -> Box<dyn ForwardModel> {
        Box::new(Self { ..*self })
    }

    fn shape(&self) -> Shape {
        SHAPE
    }

    fn parameters(&self) -> Vec<crate::physics::Parameter> {
        Vec::new()
    }

    fn set_parameters(&mut self, _: &[f64]) -> Result<(), crate::physics::PhysicsError> {
        Ok(())
    }

    fn linearise(&self, amplitude: &Clip) -> crate::physics::Linearised<'_> {
        crate::physics::Linearised {
            measurement: amplitude.map(|u| 0.5 * u),
            pushforward: Box::new(|du: &Clip| du.map(|u| 0.5 * u)),
            pullback: Box::new(|v: &Clip, _| crate::physics::Gradient {
                video: v.map(|v| 0.5 * v),
                parameters: Vec::new(),
            }),
        }
    }

    fn exact_data_step(&self, z: &Clip, y: &Clip, weight: f64) -> Option<Clip> {
        let weight = weight as f32;
        let best = |z: f32, y: f32| (0.5 * y + weight * z) / (0.25 + weight);
        self.0.then(|| z.zip(y, best))
    }
}

#[test]
fn a_closed_form_is_used_and_agrees_with_iterations() {
    let scene = Scene::Walker.render(SHAPE, 3);
    let noise = Noise::seeded(1).normal_clip(SHAPE);
    let values = scene.zip(&noise, |s, n| 0.5 * s + 0.02 * n);
    let measurement = Measurement::exact(values);
    let run = |exact: bool| {
        let config = FastConfig {
            rounds: 4,
            pulls: vec![0.5],
            ..FastConfig::for_noise(0.02)
        };
        let first = instant(Box::new(Half(exact)), &measurement);
        let model = Box::new(Half(exact));
        let mut solver = Fast::new(
            first,
            model,
            measurement.clone(),
            vec![Box::new(Tv::default())],
            config,
        )
        .unwrap();
        let total = finish(&mut solver).total;
        (solver.estimate(), total)
    };
    let ((exact, few), (iterated, many)) = (run(true), run(false));
    assert_eq!(few, 120 + 4 * 2);
    assert_eq!(many, 120 + 4 * 5);
    let worst = exact.data().iter().zip(iterated.data());
    assert!(worst.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) < 1e-3);
}

#[test]
fn every_step_shows_a_video_in_range() {
    let measurement = recorded(&Scene::Walker.render(SHAPE, 3));
    let mut solver = fast(&measurement, |c| c.rounds = 2);
    let mut seen = 0;
    while !solver.step().unwrap().is_finished() {
        let video = solver.estimate();
        assert!(video.data().iter().all(|v| (0.0..=1.0).contains(v)));
        seen += 1;
    }
    assert_eq!(
        (seen + 1, solver.steps_done()),
        (120 + 2 * 5, solver.total_steps())
    );
    let last = (solver.estimate(), solver.steps_done());
    solver.step().unwrap();
    assert_eq!((solver.estimate(), solver.steps_done()), last);
}

struct Fails;

impl Denoiser for Fails {
    fn name(&self) -> &str {
        "fails"
    }

    fn denoise(&mut self, _: &Clip, _: f64) -> Result<Clip, PriorError> {
        Err(PriorError::Device("gone".into()))
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        match shape == SHAPE {
            true => Ok(()),
            false => Err(PriorError::Device("wrong shape".into())),
        }
    }
}

#[test]
fn a_step_that_fails_changes_nothing() {
    let measurement = Measurement::exact(Clip::filled(SHAPE, 0.4));
    let model = || Box::new(Dehaze::new(SHAPE).unwrap());
    let config = FastConfig::for_noise(0.01);
    let first = instant(model(), &measurement);
    let mut solver = Fast::new(first, model(), measurement, vec![Box::new(Fails)], config).unwrap();
    for _ in 0..120 {
        solver.step().unwrap();
    }
    let before = solver.estimate();
    assert!(matches!(solver.step(), Err(SolverError::Prior(_))));
    assert_eq!((solver.estimate(), solver.steps_done()), (before, 120));
}

#[test]
fn bad_input_is_refused() {
    let measurement = Measurement::exact(Clip::filled(SHAPE, 0.4));
    let with = |change: &dyn Fn(&mut FastConfig)| {
        let mut config = FastConfig::for_noise(0.01);
        change(&mut config);
        let first = instant(scatter(3.0), &measurement);
        let tv: Vec<Box<dyn Denoiser>> = vec![Box::new(Tv::default())];
        let made = Fast::new(first, scatter(3.0), measurement.clone(), tv, config);
        made.err().map(|e| e.to_string())
    };
    assert_eq!(with(&|_| ()), None);
    assert!(with(&|c| c.rounds = 0).unwrap().contains("rounds"));
    assert!(
        with(&|c| c.last_sigma = f64::NAN)
            .unwrap()
            .contains("last round")
    );
    assert!(with(&|c| c.pulls = vec![-1.0]).unwrap().contains("pull"));
    for pulls in [vec![], vec![0.5, 1.0], vec![0.5, 2.0, 1.0]] {
        assert!(with(&|c| c.pulls = pulls.clone()).unwrap().contains("rise"));
    }
    assert!(with(&|c| c.share = Some(1.5)).unwrap().contains("between"));
    assert!(with(&|c| c.momentum = -0.1).unwrap().contains("momentum"));
    let free = |index, min, max| vec![Free { index, min, max }];
    assert!(
        with(&|c| c.free = free(9, 0.0, 1.0))
            .unwrap()
            .contains("fewer")
    );
    assert!(
        with(&|c| c.free = free(0, 5.0, 1.0))
            .unwrap()
            .contains("rise")
    );
    let other = Measurement::exact(Clip::zeros(Shape::new(2, 8, 8)));
    let first = instant(scatter(3.0), &measurement);
    let config = FastConfig::for_noise(0.01);
    let made = Fast::new(
        first,
        scatter(3.0),
        other,
        vec![Box::new(Tv::default())],
        config,
    );
    assert!(matches!(made, Err(SolverError::Shape { .. })));
}

/// Takes everything for grey.
struct Grey;

impl Denoiser for Grey {
    fn name(&self) -> &str {
        "grey"
    }

    fn denoise(&mut self, noisy: &Clip, _: f64) -> Result<Clip, PriorError> {
        Ok(noisy.map(|_| 0.5))
    }

    fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
        Ok(())
    }
}

/// Another denoiser, in the part of a network.
struct Network<D>(D);

impl<D: Denoiser> Denoiser for Network<D> {
    fn name(&self) -> &str {
        "network"
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        self.0.denoise(noisy, sigma)
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        self.0.check_shape(shape)
    }

    fn is_network(&self) -> bool {
        true
    }
}

#[test]
fn trials_choose_the_prior_that_fits() {
    let measurement = recorded(&Scene::Walker.render(SHAPE, 3));
    let config = FastConfig {
        rounds: 4,
        pulls: vec![0.5],
        ..FastConfig::for_noise(measurement.rounding())
    };
    let first = instant(scatter(3.0), &measurement);
    let both: Vec<Box<dyn Denoiser>> = vec![Box::new(Grey), Box::new(Tv::default())];
    let mut solver = Fast::new(first, scatter(3.0), measurement, both, config).unwrap();
    finish(&mut solver);
    assert_eq!(solver.prior(), Some(("tv", 0.5)));
}

#[test]
fn a_network_has_rounds_of_its_own() {
    let measurement = recorded(&Scene::Walker.render(SHAPE, 3));
    let solver = |first: Box<dyn Denoiser>, second: Box<dyn Denoiser>| {
        let both = vec![first, second];
        let config = FastConfig {
            rounds: 3,
            network_rounds: 5,
            pulls: vec![0.5],
            ..FastConfig::for_noise(measurement.rounding())
        };
        let first = instant(scatter(3.0), &measurement);
        Fast::new(first, scatter(3.0), measurement.clone(), both, config).unwrap()
    };
    let steps = |first, second| {
        let mut solver = solver(first, second);
        let expected = solver.total_steps();
        let progress = finish(&mut solver);
        assert_eq!(progress.done, progress.total);
        let chosen = solver.prior().unwrap().0.to_owned();
        (chosen, expected, progress.total)
    };
    // Both trials have one round, of five steps.
    let (most, fewer) = (120 + 2 * 5 + 5 * 5, 120 + 2 * 5 + 3 * 5);
    let tv = Tv::default;
    let chosen = steps(Box::new(Network(Grey)), Box::new(tv()));
    assert_eq!(chosen, ("tv".into(), most, fewer));
    let chosen = steps(Box::new(Grey), Box::new(Network(tv())));
    assert_eq!(chosen, ("network".into(), most, most));

    // A change for a step that no longer comes is not passed over in silence.
    let late = TimedChange {
        step: most - 1,
        change: Change::Sigma(0.8),
    };
    let shrinking = Box::new(solver(Box::new(Network(Grey)), Box::new(tv())));
    let mut changing = Changing::new(shrinking, vec![late]).unwrap();
    let refused = (0..most).find_map(|_| changing.step().err());
    assert!(refused.unwrap().to_string().contains("last step"));
    assert_eq!(changing.steps_done(), 120 + 2 * 5);
}

#[test]
fn how_far_trials_are_believed_concerns_formulas_only() {
    let measurement = recorded(&Scene::Leaves.render(SHAPE, 3));
    let share = |prior: Box<dyn Denoiser>| {
        let config = FastConfig {
            rounds: 3,
            network_rounds: 3,
            pulls: vec![0.5],
            belief: 0.0,
            ..FastConfig::for_noise(measurement.rounding())
        };
        let first = instant(scatter(3.0), &measurement);
        let data = measurement.clone();
        let solver = Fast::new(first, scatter(3.0), data, vec![prior], config).unwrap();
        let starter: Starter = Box::new(|model, data| Ok(instant(model, &data)));
        let mut solver = solver.rehearsing(starter).unwrap();
        finish(&mut solver);
        solver.share()
    };
    assert_eq!(share(Box::<Tv>::default()), 0.5);
    assert!((share(Box::new(Gaussian)) - 0.5).abs() > 0.01);
}

#[test]
fn rounds_that_mislead_are_not_trusted() {
    let scene = Scene::Leaves.render(SHAPE, 3);
    let measurement = recorded(&scene);
    let starter = || -> Starter { Box::new(|model, data| Ok(instant(model, &data))) };
    let run = |prior: Box<dyn Denoiser>| {
        let config = FastConfig {
            rounds: 6,
            pulls: vec![0.5],
            // The two rounds of its trial are too few for it.
            momentum: 0.0,
            ..FastConfig::for_noise(measurement.rounding())
        };
        let first = instant(scatter(3.0), &measurement);
        let data = measurement.clone();
        let solver = Fast::new(first, scatter(3.0), data, vec![prior], config).unwrap();
        let mut solver = solver.rehearsing(starter()).unwrap();
        assert_eq!(solver.total_steps(), 120 + 120 + (2 + 6) * 5);
        finish(&mut solver);
        (solver.share(), db(&solver.estimate(), &scene))
    };
    let mut first = instant(scatter(3.0), &measurement);
    while !first.step().unwrap().is_finished() {}
    let before = db(&first.estimate(), &scene);
    let (share, after) = run(Box::new(Grey));
    assert!(
        share < 0.1 && after > before - 0.4,
        "{share}: {before} {after}"
    );
    let (share, after) = run(Box::new(BlockMatching::one_stage()));
    assert!(
        share > 0.5 && after > before + 0.5,
        "{share}: {before} {after}"
    );
}

#[test]
fn a_given_share_is_kept() {
    let measurement = recorded(&Scene::Walker.render(SHAPE, 3));
    let ends = [0.0, 0.5, 1.0].map(|share| {
        let mut solver = fast(&measurement, |c| {
            c.rounds = 2;
            c.share = Some(share);
        });
        finish(&mut solver);
        assert_eq!(solver.share(), share);
        solver.estimate()
    });
    let mean = ends[0].zip(&ends[2], |a, b| 0.5 * (a + b));
    let worst = mean.zip(&ends[1], |a, b| (a - b).abs()).range().1;
    assert!(ends[0] != ends[2] && worst < 1e-6, "{worst}");
}

#[test]
fn places_are_left_out_of_all_frames_and_pixels_of_one() {
    let places = known_in_trials(SHAPE, LeftOut::Places);
    let pixels = known_in_trials(SHAPE, LeftOut::Pixels);
    let left = |clip: &Clip| clip.data().iter().filter(|&&k| k == 0.0).count();
    assert_eq!(left(&places), 45 * SHAPE.frames);
    assert_eq!(left(&pixels), 224);
    assert_eq!(places.frame(0), places.frame(4));
    assert_ne!(pixels.frame(0), pixels.frame(4));
}

/// Where the posterior is a formula, draws have its mean and its spread.
#[test]
fn draws_follow_the_posterior() {
    let truth = Noise::seeded(9).normal_clip(SHAPE).map(|n| 0.5 + 0.1 * n);
    let mut mask = Inpaint::random_mask(SHAPE, 0.5, &mut Noise::seeded(1));
    // Where the data say nothing at all.
    mask.frame_mut(2).fill(0.0);
    let noise = 0.05;
    let model = Inpaint::new(SHAPE, mask.clone()).unwrap();
    let recorded = model.apply(&truth);
    let errors = Noise::seeded(2).normal_clip(SHAPE);
    let recorded = recorded.zip(&errors, |y, n| y + noise * n);
    let recorded = recorded.zip(&mask, |y, m| m * y);
    let measurement = Measurement::exact(recorded.clone());
    let first = InstantConfig {
        iterations: 1,
        ..InstantConfig::for_noise(0.05)
    };
    let draw = |seed| {
        let config = FastConfig::for_closed_form(&model, f64::from(noise)).drawing(seed);
        let first = Instant::new(model.boxed(), measurement.clone(), first.clone()).unwrap();
        let denoisers: Vec<Box<dyn Denoiser>> = vec![Box::new(Gaussian)];
        let measurement = measurement.clone();
        let mut solver = Fast::new(
            Box::new(first),
            model.boxed(),
            measurement,
            denoisers,
            config,
        )
        .unwrap();
        finish(&mut solver);
        assert_eq!(solver.evaluations(), 100);
        solver.estimate()
    };
    let estimate = draw(3);
    // Of a measured pixel the posterior's precision is the sum of both.
    let (prior, data) = (Gaussian::SPREAD.powi(-2), f64::from(noise).powi(-2));
    for (measured, precision) in [(0.0, prior), (1.0, prior + data)] {
        let values = estimate.data().iter().zip(recorded.data()).zip(mask.data());
        let errors = values
            .filter(|&(_, &m)| m == measured)
            .map(|((&x, &y), _)| {
                let evidence = 0.5 * prior + f64::from(measured) * data * f64::from(y);
                (f64::from(x) - evidence / precision) * precision.sqrt()
            });
        let errors: Vec<f64> = errors.collect();
        let count = errors.len() as f64;
        let mean = errors.iter().sum::<f64>() / count;
        let variance = errors.iter().map(|e| e * e).sum::<f64>() / count;
        assert!(mean.abs() < 4.0 / count.sqrt(), "{measured}: {mean}");
        assert!(
            (variance.sqrt() - 1.0).abs() < 0.06,
            "{measured}: {variance}"
        );
    }
    assert_ne!(estimate, draw(4));
}
