use super::*;
use crate::clip::Shape;
use crate::noise::Noise;
use crate::physics::{Optics, PerFrame, Unit, effective_width_px};
use crate::solver::Quantisation;

/// A soft ground with a bright patch that stands, and one that moves two pixels a frame.
fn scene(shape: Shape) -> Clip {
    let data = (0..shape.len()).map(|i| {
        let (t, at) = (i / shape.frame_len(), i % shape.frame_len());
        let (y, x) = ((at / shape.width) as f64, (at % shape.width) as f64);
        let (h, w) = (shape.height as f64, shape.width as f64);
        let ground = 0.3 + 0.1 * y / h;
        let stands = y > 0.55 * h && y < 0.8 * h && x > 0.2 * w && x < 0.5 * w;
        let left = 0.3 * w + 2.0 * t as f64;
        let moves = y > 0.2 * h && y < 0.4 * h && x > left && x < left + 0.25 * w;
        match (stands, moves) {
            (true, _) => 0.8,
            (_, true) => 0.65,
            _ => ground as f32,
        }
    });
    Clip::new(shape, data.collect())
}

fn search(shape: Shape, per_frame: bool) -> ScatterSearch {
    ScatterSearch {
        shape,
        optics: Optics::SYNTHETIC,
        dist_mm: Sought::Within { min: 2.5, max: 6.0 },
        sigma_px: Sought::Within { min: 0.5, max: 1.5 },
        per_frame,
    }
}

fn measured(clip: &Clip, dist: PerFrame, sigma: PerFrame) -> Clip {
    let model = Scatter::new(clip.shape(), Optics::SYNTHETIC, dist, sigma).unwrap();
    model.apply(clip)
}

fn quantised(clip: &Clip) -> Measurement {
    let levels = clip.map(|v| (255.0 * v.clamp(0.0, 1.0)).floor() / 255.0);
    Measurement::quantised(levels, 255, Quantisation::Floor)
}

fn quick(noise: f64) -> BlindConfig {
    BlindConfig {
        joint_iterations: 250,
        repair_iterations: 100,
        polish_iterations: 100,
        stiff_iterations: 60,
        ..BlindConfig::for_noise(noise)
    }
}

fn solved(search: ScatterSearch, measurement: Measurement, config: BlindConfig) -> BlindScatter {
    let mut solver = BlindScatter::new(search, measurement, config).unwrap();
    let mut before = 0;
    while solver.steps_done() < solver.total_steps() {
        solver.step().unwrap();
        assert!(solver.steps_done() > before && solver.steps_done() <= solver.total_steps());
        before = solver.steps_done();
    }
    solver
}

#[test]
fn distances_and_widths_of_every_frame_are_found() {
    let shape = Shape::new(4, 31, 36);
    let clip = scene(shape);
    let (dist, sigma) = (vec![3.1, 5.4, 4.2, 2.9], vec![0.9, 1.2, 0.8, 1.1]);
    let y = measured(&clip, dist.clone().into(), sigma.clone().into());
    let measurement = quantised(&y);
    let config = quick(measurement.rounding());
    let solver = solved(search(shape, true), measurement.clone(), config.clone());
    let findings = solver.findings();
    assert_eq!(findings.len(), 8);
    for (f, truth) in findings.iter().zip(&dist) {
        let row = &f.parameter;
        assert_eq!((row.unit, row.min, row.max), (Unit::Millimetre, 2.5, 6.0));
        assert!((row.value - truth).abs() < 0.05, "{f:?}");
        let (low, high) = f.interval.unwrap();
        assert!(
            low <= row.value && row.value <= high && high - low < 0.2,
            "{f:?}"
        );
        assert!(f.doubts.is_empty(), "{f:?}");
    }
    for (f, &truth) in findings[4..].iter().zip(&sigma) {
        let width = effective_width_px(f.parameter.value);
        assert!((width - effective_width_px(truth)).abs() < 0.05, "{f:?}");
    }
    let values: Vec<f64> = solver
        .model()
        .parameters()
        .iter()
        .map(|p| p.value)
        .collect();
    let found: Vec<f64> = findings.iter().map(|f| f.parameter.value).collect();
    assert_eq!(values, found);
    assert!(crate::metrics::psnr(solver.estimate().data(), clip.data()) > 33.0);
    let again = solved(search(shape, true), measurement, config);
    assert_eq!(again.estimate(), solver.estimate());
    assert_eq!(again.findings(), findings);
}

#[test]
fn one_value_for_the_clip_and_one_frame_work_too() {
    for (frames, per_frame) in [(3, false), (1, true)] {
        let shape = Shape::new(frames, 30, 28);
        let y = measured(&scene(shape), 4.4.into(), 1.1.into());
        let measurement = quantised(&y);
        let config = quick(measurement.rounding());
        let findings = solved(search(shape, per_frame), measurement, config).findings();
        assert_eq!(findings.len(), 2);
        assert!(
            (findings[0].parameter.value - 4.4).abs() < 0.1,
            "{findings:?}"
        );
    }
}

#[test]
fn what_is_known_stays() {
    let shape = Shape::new(2, 24, 24);
    let y = measured(&scene(shape), vec![3.0, 5.0].into(), 1.1.into());
    let known = ScatterSearch {
        dist_mm: Sought::Known(vec![3.0, 5.0].into()),
        ..search(shape, false)
    };
    let solver = solved(known.clone(), Measurement::exact(y.clone()), quick(1e-3));
    let rows = solver.model().parameters();
    assert_eq!((rows[0].value, rows[1].value), (3.0, 5.0));
    assert_eq!(solver.findings().len(), 1);
    let all = ScatterSearch {
        sigma_px: Sought::Known(1.1.into()),
        ..known
    };
    let solver = solved(all, Measurement::exact(y), quick(1e-3));
    assert!((solver.model().parameters()[2].value - 1.1).abs() < 1e-12);
    assert!(solver.findings().is_empty());
}

#[test]
fn noise_free_data_is_explained_to_the_noise_floor() {
    let shape = Shape::new(3, 32, 32);
    let clip = scene(shape);
    let y = measured(
        &clip,
        vec![3.1, 5.4, 4.2].into(),
        vec![0.8, 0.9, 1.2].into(),
    );
    let measurement = Measurement::exact(y.clone());
    let solver = solved(
        search(shape, true),
        measurement,
        BlindConfig::for_noise(0.0),
    );
    let residual = solver
        .model()
        .apply(&solver.estimate())
        .zip(&y, |p, y| p - y);
    let residual = rms(residual.data());
    assert!(residual < NOISE_FLOOR, "{residual}");
}

#[test]
fn data_that_no_scene_explains_is_doubted() {
    let shape = Shape::new(2, 24, 24);
    let noise = Noise::seeded(3).normal_clip(shape).map(|v| 0.5 + 0.3 * v);
    let solver = solved(search(shape, true), Measurement::exact(noise), quick(1e-3));
    for f in solver.findings() {
        assert!(
            f.doubts.iter().any(|d| d.contains("not explained")),
            "{f:?}"
        );
    }
}

#[test]
fn bad_input_is_refused_with_advice() {
    let shape = Shape::new(2, 8, 8);
    let start = |change: fn(&mut ScatterSearch)| {
        let mut search = search(shape, true);
        change(&mut search);
        let measurement = Measurement::exact(Clip::filled(shape, 0.5));
        match BlindScatter::new(search, measurement, quick(1e-3)) {
            Ok(_) => panic!("accepted"),
            Err(error) => error.to_string(),
        }
    };
    let message = start(|s| s.dist_mm = Sought::Within { min: 5.0, max: 2.0 });
    assert!(
        message.contains("5..2 mm") && message.contains("smaller end"),
        "{message}"
    );
    let message = start(|s| {
        s.sigma_px = Sought::Within {
            min: -1.0,
            max: 2.0,
        }
    });
    assert!(message.contains("sigma is -1 px"), "{message}");
    let message = start(|s| {
        s.dist_mm = Sought::Within {
            min: 1.0,
            max: f64::NAN,
        }
    });
    assert!(message.contains("distance is NaN"), "{message}");
    let message = start(|s| s.dist_mm = Sought::Known(vec![1.0; 3].into()));
    assert!(
        message.contains("3 values") && message.contains("2 (one a frame)"),
        "{message}"
    );
    let message = start(|s| s.shape = Shape::new(2, 8, 9));
    assert!(message.contains("2x8x9"), "{message}");
    let mut infinite = Clip::filled(shape, 0.5);
    infinite.data_mut()[3] = f32::INFINITY;
    let measurement = Measurement::exact(infinite);
    let mut solver = BlindScatter::new(search(shape, true), measurement, quick(1e-3)).unwrap();
    let error = loop {
        match solver.step() {
            Ok(_) => assert!(solver.steps_done() < solver.total_steps()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, SolverError::Diverged { .. }), "{error}");
}
