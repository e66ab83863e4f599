//! Whole runs of the published sampler: ten tasks, eight steps.

use super::{Check, Golden, Report, VerifyError, differences};
use crate::clip::Clip;
use crate::physics::{Blur, Dehaze, ForwardModel, Inpaint, Optics, PerFrame, Scatter, ZernikeBlur};
use crate::prior::{NetworkPrior, Schedule};
use crate::solver::{
    Mapping, Measurement, Output, Reference, ReferenceConfig, Solver, Unknown, Weight,
};

/// Relative to the range of the data.
const TOLERANCE: f64 = 1e-3;
/// Pixels left out of a comparison of estimates, as a share: one in 10 000.
///
/// x0 is clamped to [-1, 1], and the guidance passes only what the clamp did not change. A
/// pixel within rounding of the edge may fall on either side in single precision, and then
/// differs by more than rounding. In the 4 million pixels recorded, single precision moves
/// a handful.
const LEFT_OUT: f64 = 1e-4;
const STEPS: usize = 8;

const TASKS: [&str; 10] = [
    "known",
    "blur",
    "dehaze",
    "inpaint",
    "blind_sigma",
    "blind_dist",
    "blind_full",
    "real",
    "zernike",
    "zernike_varying",
];

/// Runs every task that is recorded. `network` gives the network anew for each task.
pub fn samplers(
    golden: &Golden,
    network: &dyn Fn() -> Result<NetworkPrior, VerifyError>,
    report: Report,
) -> Result<(), VerifyError> {
    let mut ran = 0;
    for task in TASKS {
        if !recorded_estimates(golden, task)?.is_empty() {
            sampler(golden, task, network()?, report)?;
            ran += 1;
        }
    }
    match ran {
        0 => Err(golden.missing("known.x0_hat")),
        _ => Ok(()),
    }
}

/// Runs one task and compares its x0 estimates and final parameters.
///
/// # Errors
/// A task that is not recorded, or a device that fails.
pub fn sampler(
    golden: &Golden,
    task: &str,
    network: NetworkPrior,
    report: Report,
) -> Result<(), VerifyError> {
    let recorded = recorded_estimates(golden, task)?;
    if recorded.is_empty() {
        return Err(golden.missing(&format!("{task}.x0_hat")));
    }
    let mut solver = solver(golden, task, network)?;
    for step in 0..STEPS {
        solver.step()?;
        for (_, expected) in recorded.iter().filter(|(at, _)| *at == step) {
            let off = differences(expected.data(), solver.signed_estimate().data());
            // Video in [-1, 1] has a range of 2.
            let of_range = |i: usize| off.get(i).map_or(f64::INFINITY, |d| d / 2.0);
            let beyond = (0..off.len())
                .take_while(|&i| of_range(i) > TOLERANCE)
                .count();
            let left_out = (LEFT_OUT * off.len() as f64) as usize;
            let mut what = format!("sampler {task}: x0 after {} of {STEPS} steps", step + 1);
            if (1..=left_out).contains(&beyond) {
                what += &format!(
                    ", {beyond} of {} pixels across the clamp left out",
                    off.len()
                );
            }
            report(Check {
                what,
                error: of_range(left_out),
                tolerance: TOLERANCE,
            });
        }
    }
    final_parameters(golden, task, &solver, report)
}

/// Estimates by step: all of them in one array, or some in arrays of their own.
fn recorded_estimates(golden: &Golden, task: &str) -> Result<Vec<(usize, Clip)>, VerifyError> {
    let all = format!("{task}.x0_hat");
    if golden.has(&all) {
        return Ok(golden.clips(&all)?.into_iter().enumerate().collect());
    }
    let single = |step: usize| format!("{all}.{step}");
    (0..STEPS)
        .filter(|&step| golden.has(&single(step)))
        .map(|step| Ok((step, golden.clip(&single(step))?)))
        .collect()
}

fn solver(golden: &Golden, task: &str, network: NetworkPrior) -> Result<Reference, VerifyError> {
    let clean = golden.clip("clean")?;
    let shape = clean.shape();
    let array = |part: &str| format!("{task}.{part}");
    // Where networks hold the parameters these are overwritten before the first step.
    let open = || PerFrame::Frames(vec![1.0; shape.frames]);
    let scatter = |optics, dist_mm: PerFrame, sigma_px: PerFrame| {
        Scatter::new(shape, optics, dist_mm, sigma_px)
    };
    let known = |part: &str| golden.doubles(&array(part)).map(PerFrame::Frames);
    let synthetic = Optics::SYNTHETIC;
    let model: Box<dyn ForwardModel> = match task {
        "known" => Box::new(scatter(synthetic, 5.0.into(), 1.0.into())?),
        "blur" => Box::new(Blur::new(shape, Blur::PUBLISHED_SIGMA_PX)?),
        "dehaze" => Box::new(Dehaze::new(shape)?),
        "inpaint" => Box::new(Inpaint::new(shape, golden.clip("inpaint.mask")?)?),
        "blind_sigma" => Box::new(scatter(synthetic, known("dist")?, open())?),
        "blind_dist" => Box::new(scatter(synthetic, open(), known("sigma")?)?),
        "blind_full" => Box::new(scatter(synthetic, open(), open())?),
        "real" => {
            let dist_mm = golden.doubles("real.dist_m")?[0] * 1e3;
            Box::new(scatter(Optics::REAL, dist_mm.into(), open())?)
        }
        "zernike" => Box::new(ZernikeBlur::new(shape, vec![0.0; 10])?),
        _ => Box::new(ZernikeBlur::new(shape, vec![0.0; 10 * shape.frames])?),
    };
    let signed = clean.map(|u| 2.0 * u - 1.0);
    let measurement = match golden.has(&array("measurement")) {
        true => golden.clip(&array("measurement"))?,
        false => model.linearise_signed(&signed).measurement,
    };
    let weight = match task {
        "known" | "blur" | "dehaze" | "inpaint" => Weight::SineSquared,
        "zernike" | "zernike_varying" => Weight::Constant(0.1),
        _ => Weight::Constant(0.2),
    };
    let mut noise = golden.clips("noise")?.into_iter();
    Ok(Reference::new(
        Box::new(network),
        Schedule::cosine(STEPS),
        model,
        Measurement::exact(measurement),
        ReferenceConfig::published(weight),
        unknowns(golden, task, shape.frames)?,
        Box::new(move |_| noise.next().expect("a draw for each step")),
    )?)
}

fn unknowns(golden: &Golden, task: &str, frames: usize) -> Result<Vec<Unknown>, VerifyError> {
    let unknown = |net: &str, first: usize, output: Output, rate: f32| {
        let part = |name: &str| golden.values(&format!("{task}.{net}.{name}"));
        let network = Mapping::new(
            output,
            rate,
            part("fc1.bias")?,
            part("fc2.weight")?,
            part("fc2.bias")?,
        );
        Ok::<_, VerifyError>(Unknown { first, network })
    };
    let distance = |first| unknown("net_dist", first, Output::Elu { shift: 2.5 }, 1e-3);
    let sigma = |first, shift| unknown("net_sigma", first, Output::Elu { shift }, 1e-3);
    Ok(match task {
        "blind_sigma" => vec![sigma(frames, 1.0)?],
        "blind_dist" => vec![distance(0)?],
        "blind_full" => vec![distance(0)?, sigma(frames, 0.5)?],
        // One distance for the clip comes before the widths.
        "real" => vec![sigma(1, 1.0)?],
        "zernike" | "zernike_varying" => vec![unknown("net_zernike", 0, Output::PiTanh, 1e-2)?],
        _ => Vec::new(),
    })
}

fn final_parameters(
    golden: &Golden,
    task: &str,
    solver: &Reference,
    report: Report,
) -> Result<(), VerifyError> {
    let table = solver.model().parameters();
    let named = |wanted: &str| -> Vec<f32> {
        let rows = table.iter().filter(|p| p.name == wanted);
        rows.map(|p| p.value as f32).collect()
    };
    for (part, name) in [("dist_final", "distance"), ("sigma_final", "sigma")] {
        if golden.has(&format!("{task}.{part}")) {
            let expected = golden.values(&format!("{task}.{part}"))?;
            let what = format!("sampler {task}: final {name}");
            report(Check::relative(what, expected, &named(name), TOLERANCE));
        }
    }
    let coefficients = format!("{task}.coeffs_final");
    if golden.has(&coefficients) {
        // The gradient of piston is rounding noise, which Adam amplifies.
        let without_piston = |values: &[f32]| -> Vec<f32> {
            let kept = values.iter().enumerate().filter(|(i, _)| i % 10 != 0);
            kept.map(|(_, &v)| v).collect()
        };
        let expected = without_piston(golden.values(&coefficients)?);
        let found: Vec<f32> = table.iter().map(|p| p.value as f32).collect();
        let what = format!("sampler {task}: final coefficients");
        report(Check::relative(
            what,
            &expected,
            &without_piston(&found),
            TOLERANCE,
        ));
    }
    Ok(())
}
