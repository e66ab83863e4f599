//! The table of forward models: finite differences, linearity, odd sizes, bad input.

use vdps::clip::{Clip, Shape};
use vdps::noise::Noise;
use vdps::physics::{
    Blur, Dehaze, ForwardModel, Inpaint, Optics, PerFrame, PhysicsError, Scatter, ZernikeBlur,
};

/// Every model at a size that is odd, rectangular and no power of two.
fn odd_models() -> Vec<Box<dyn ForwardModel>> {
    let shape = Shape::new(3, 21, 34);
    let optics = Optics::SYNTHETIC;
    let mask = Inpaint::random_mask(shape, 0.5, &mut Noise::seeded(2));
    let mut noise = Noise::seeded(3);
    let mut coefficients = |count: usize| (0..count).map(|_| 2.0 * noise.normal()).collect();
    vec![
        Box::new(Scatter::new(shape, optics, 4.0, 1.1).unwrap()),
        Box::new(Scatter::new(shape, optics, vec![2.5, 4.0, 9.0], vec![0.4, 1.1, 1.8]).unwrap()),
        Box::new(Scatter::new(shape, Optics::REAL, 10.0, vec![0.7, 1.1, 1.3]).unwrap()),
        Box::new(Blur::new(shape, 3.1).unwrap()),
        Box::new(Dehaze::new(shape).unwrap()),
        Box::new(Inpaint::new(shape, mask).unwrap()),
        Box::new(ZernikeBlur::new(shape, coefficients(10)).unwrap()),
        Box::new(ZernikeBlur::new(shape, coefficients(30)).unwrap()),
    ]
}

fn inner(a: &Clip, b: &Clip) -> f64 {
    let products = a.data().iter().zip(b.data());
    products.map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

/// The largest difference, relative to the largest expected value.
fn worst(expected: &[f32], found: &[f32]) -> f64 {
    let differences = expected.iter().zip(found);
    let worst = differences.fold(0.0, |m, (e, f)| f64::from((e - f).abs()).max(m));
    worst / expected.iter().fold(0.0, |m, e| f64::from(e.abs()).max(m))
}

fn scene(shape: Shape, seed: u64) -> Clip {
    let mut noise = Noise::seeded(seed);
    let data = (0..shape.len())
        .map(|_| noise.uniform(0.1, 0.9) as f32)
        .collect();
    Clip::new(shape, data)
}

#[test]
fn gradients_agree_with_finite_differences() {
    for mut model in odd_models() {
        let shape = model.shape();
        let (u, v) = (scene(shape, 5), Noise::seeded(6).normal_clip(shape));
        let direction = Noise::seeded(7).normal_clip(shape);
        let linearised = model.linearise(&u);
        let gradient = (linearised.pullback)(&v, true);
        let pushed = inner(&v, &(linearised.pushforward)(&direction));
        drop(linearised);

        let step = 1e-2;
        let moved = |by: f32| u.zip(&direction, |u, d| u + by * d);
        let plus = inner(&v, &model.apply(&moved(step)));
        let minus = inner(&v, &model.apply(&moved(-step)));
        // Every model is at most quadratic in u, so central differences are exact.
        let slope = (plus - minus) / (2.0 * f64::from(step));
        let analytic = inner(&gradient.video, &direction);
        let scale = slope.abs().max(1.0);
        let name = model.name();
        assert!(
            (slope - analytic).abs() < 2e-3 * scale,
            "{name}: video {analytic} against {slope}"
        );
        assert!(
            (pushed - analytic).abs() < 1e-4 * scale,
            "{name}: pushed {pushed}, pulled {analytic}"
        );

        let values: Vec<f64> = model.parameters().iter().map(|p| p.value).collect();
        for i in 0..values.len() {
            let mut at = |by: f64| {
                let mut moved = values.clone();
                moved[i] += by;
                model.set_parameters(&moved).unwrap();
                inner(&v, &model.apply(&u))
            };
            let step = 2e-3;
            let slope = (at(step) - at(-step)) / (2.0 * step);
            let analytic = gradient.parameters[i];
            assert!(
                (slope - analytic).abs() < 1e-2 * slope.abs().max(1.0),
                "{name}: parameter {i} {analytic} against {slope}"
            );
        }
    }
}

#[test]
fn gradients_of_signed_video_agree_with_finite_differences() {
    for model in odd_models() {
        let shape = model.shape();
        let inside = scene(shape, 10).map(|u| 2.0 * u - 1.0);
        // Every fifth value lies outside [-1, 1], where most models see a constant.
        let mut x = inside.clone();
        for (i, v) in x.data_mut().iter_mut().enumerate().step_by(5) {
            *v += if i % 2 == 0 { 2.0 } else { -2.0 };
        }
        let v = Noise::seeded(11).normal_clip(shape);
        let direction = Noise::seeded(12).normal_clip(shape);
        let gradient = (model.linearise_signed(&x).pullback)(&v, false).video;
        let step = 1e-2;
        let at = |by: f32| {
            let moved = x.zip(&direction, |x, d| x + by * d);
            inner(&v, &model.linearise_signed(&moved).measurement)
        };
        let slope = (at(step) - at(-step)) / (2.0 * f64::from(step));
        let analytic = inner(&gradient, &direction);
        assert!(
            (slope - analytic).abs() < 2e-3 * slope.abs().max(1.0),
            "{}: {analytic} against {slope}",
            model.name()
        );
    }
}

#[test]
fn affine_models_are_affine() {
    for model in odd_models() {
        let shape = model.shape();
        let (a, b) = (scene(shape, 8), scene(shape, 9));
        let middle = model.apply(&a.zip(&b, |a, b| 0.25 * a + 0.75 * b));
        let (ya, yb) = (model.apply(&a), model.apply(&b));
        let mixed = ya.zip(&yb, |a, b| 0.25 * a + 0.75 * b);
        let error = worst(mixed.data(), middle.data());
        assert_eq!(
            error < 1e-5,
            model.is_affine(),
            "{}: {error:.1e}",
            model.name()
        );
    }
}

#[test]
fn tables_name_units_bounds_and_indices() {
    let shape = Shape::new(2, 8, 8);
    let scatter = Scatter::new(shape, Optics::SYNTHETIC, vec![5.0, 6.0], 1.0).unwrap();
    let table = scatter.parameters();
    let rows: Vec<_> = table
        .iter()
        .map(|p| (p.name.as_str(), p.frame, p.unit.symbol(), p.value))
        .collect();
    let expected = [
        ("distance", Some(0), "mm", 5.0),
        ("distance", Some(1), "mm", 6.0),
        ("sigma", None, "px", 1.0),
    ];
    assert_eq!(rows, expected);
    let mut coefficients = vec![0.0; 10];
    coefficients[4] = std::f64::consts::PI;
    let zernike = ZernikeBlur::new(shape, coefficients).unwrap();
    let defocus = &zernike.parameters()[4];
    let aberration = defocus.zernike.unwrap();
    assert_eq!((aberration.mode.n, aberration.mode.m), (2, 0));
    assert_eq!((aberration.osa, aberration.noll), (4, 4));
    assert_eq!(aberration.waves, 0.5);
    assert!((aberration.rms_rad - std::f64::consts::PI / 3f64.sqrt()).abs() < 1e-12);
    assert_eq!(defocus.unit.symbol(), "rad");
}

#[test]
fn bad_parameters_are_refused_and_change_nothing() {
    let shape = Shape::new(4, 8, 8);
    let optics = Optics::SYNTHETIC;
    let refused = |dist: PerFrame, sigma: PerFrame| Scatter::new(shape, optics, dist, sigma).err();
    let text = |e: Option<PhysicsError>| e.expect("an error").to_string();
    assert!(text(refused(PerFrame::Clip(-1.0), 1.0.into())).contains("distance is -1 mm"));
    assert!(text(refused(PerFrame::Clip(f64::NAN), 1.0.into())).contains("distance is NaN mm"));
    assert!(text(refused(5.0.into(), vec![1.0; 3].into())).contains("1 or 4"));
    assert!(matches!(
        Scatter::new(Shape::new(0, 8, 8), optics, 5.0, 1.0),
        Err(PhysicsError::Empty)
    ));
    let pixels = Optics {
        pitch_um: 0.0,
        ..optics
    };
    assert!(Scatter::new(shape, pixels, 5.0, 1.0).is_err());
    assert!(ZernikeBlur::new(shape, vec![0.0; 11]).is_err());
    let grey = Inpaint::new(shape, Clip::filled(shape, 0.5)).err();
    assert!(text(grey).contains("the mask holds the value 0.5"));
    assert!(Inpaint::new(shape, Clip::filled(Shape::new(1, 8, 8), 1.0)).is_ok());
    assert!(Inpaint::new(shape, Clip::filled(Shape::new(2, 8, 8), 1.0)).is_err());

    let mut model = Scatter::new(shape, optics, 5.0, 1.0).unwrap();
    assert!(model.set_parameters(&[6.0, f64::INFINITY]).is_err());
    assert_eq!(model.parameters()[0].value, 5.0);
}

#[test]
fn distances_beyond_the_aliasing_limit_are_warned_about() {
    let shape = Shape::new(1, 64, 64);
    let near = Scatter::new(shape, Optics::SYNTHETIC, 15.0, 1.0).unwrap();
    assert!(near.warnings().is_empty());
    let far = Scatter::new(shape, Optics::SYNTHETIC, 16.0, 1.0).unwrap();
    assert!(far.warnings()[0].contains("beyond 15.4 mm"));
}

#[test]
fn free_space_keeps_a_uniform_field() {
    let shape = Shape::new(1, 9, 12);
    let model = Scatter::new(shape, Optics::SYNTHETIC, 7.0, 0.0).unwrap();
    let y = model.apply(&Clip::filled(shape, 0.5));
    assert!(y.data().iter().all(|v| (v - 0.25).abs() < 1e-5));
}
