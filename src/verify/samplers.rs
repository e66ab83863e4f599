//! Whole runs of the published sampler: ten tasks, eight steps.

use super::{Check, Golden, Report, VerifyError, differences};
use crate::clip::Clip;
use crate::physics::zernike::MODES;
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
/// Range of signed video.
const SIGNED: f64 = 2.0;
/// Range of amplitudes.
const AMPLITUDES: f64 = 1.0;

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
    let array = |part: &str| format!("{task}.{part}");
    let mut solver = solver(golden, task, network)?;
    for step in 0..STEPS {
        if step + 1 == STEPS && golden.has(&array("x_t")) {
            let inputs = golden.clips(&array("x_t"))?;
            let expected = inputs.get(step).ok_or_else(|| {
                golden.misshapen(&array("x_t"), format!("one clip for each of {STEPS} steps"))
            })?;
            let what = format!("sampler {task}: x_t before the last step");
            report(video(what, SIGNED, expected, solver.state()));
        }
        solver.step()?;
        for (_, expected) in recorded.iter().filter(|(at, _)| *at == step) {
            let what = format!("sampler {task}: x0 after {} of {STEPS} steps", step + 1);
            report(video(what, SIGNED, expected, solver.signed_estimate()));
        }
    }
    if golden.has(&array("output")) {
        // The estimate is cut to the range of amplitudes.
        let expected = golden.clip(&array("output"))?.map(|u| u.clamp(0.0, 1.0));
        let what = format!("sampler {task}: output");
        report(video(what, AMPLITUDES, &expected, &solver.estimate()));
    }
    final_parameters(golden, task, &solver, report)
}

/// Compares pixel by pixel: the largest difference as a share of `range`, after pixels
/// across the clamp, if they are few enough, are left out.
fn video(mut what: String, range: f64, expected: &Clip, found: &Clip) -> Check {
    let off: Vec<f64> = differences(expected.data(), found.data())
        .iter()
        .map(|difference| difference / range)
        .collect();
    let beyond = off.iter().take_while(|&&share| share > TOLERANCE).count();
    let most = (LEFT_OUT * off.len() as f64) as usize;
    let left_out = if beyond <= most { beyond } else { 0 };
    if left_out > 0 {
        let pixels = off.len();
        what += &format!(", {left_out} of {pixels} pixels across the clamp left out");
    }
    Check {
        what,
        error: off[left_out],
        tolerance: TOLERANCE,
    }
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
            let dist_mm = golden.scalar("real.dist_m")? * 1e3;
            Box::new(scatter(Optics::REAL, dist_mm.into(), open())?)
        }
        "zernike" => Box::new(ZernikeBlur::new(shape, vec![0.0; MODES.len()])?),
        _ => Box::new(ZernikeBlur::new(
            shape,
            vec![0.0; MODES.len() * shape.frames],
        )?),
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
    let noise = golden.clips("noise")?;
    // x_T, and the noise of every step but the last.
    if noise.len() < STEPS || noise.iter().any(|clip| clip.shape() != shape) {
        return Err(golden.misshapen("noise", format!("{STEPS} clips of {shape}")));
    }
    let mut noise = noise.into_iter();
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
    let unknown = |net: &str, first: usize, outputs: usize, output: Output, rate: f32| {
        let array = |name: &str| format!("{task}.{net}.{name}");
        let [fc1, weight, fc2] = ["fc1.bias", "fc2.weight", "fc2.bias"].map(array);
        let hidden = golden.values(&fc1)?.len();
        if hidden == 0 {
            return Err(golden.missing(&fc1));
        }
        for (name, count) in [(&fc2, outputs), (&weight, hidden * outputs)] {
            if golden.values(name)?.len() != count {
                return Err(golden.misshapen(name, format!("{count} numbers")));
            }
        }
        let network = Mapping::new(
            output,
            rate,
            golden.values(&fc1)?,
            golden.values(&weight)?,
            golden.values(&fc2)?,
        );
        Ok(Unknown { first, network })
    };
    let elu = |net, first, shift| unknown(net, first, frames, Output::Elu { shift }, 1e-3);
    let distance = |first| elu("net_dist", first, 2.5);
    let sigma = |first, shift| elu("net_sigma", first, shift);
    let zernike = |count| unknown("net_zernike", 0, count, Output::PiTanh, 1e-2);
    Ok(match task {
        "blind_sigma" => vec![sigma(frames, 1.0)?],
        "blind_dist" => vec![distance(0)?],
        "blind_full" => vec![distance(0)?, sigma(frames, 0.5)?],
        // One distance for the clip comes before the widths.
        "real" => vec![sigma(1, 1.0)?],
        "zernike" => vec![zernike(MODES.len())?],
        "zernike_varying" => vec![zernike(MODES.len() * frames)?],
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
            let kept = values.iter().enumerate();
            let kept = kept.filter(|(i, _)| i % MODES.len() != 0);
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
    let psf = format!("{task}.psf_final");
    if golden.has(&psf) {
        let coefficients_rad = table.iter().map(|p| p.value).collect();
        let aberrated = ZernikeBlur::new(solver.model().shape(), coefficients_rad)?;
        let found: Vec<f32> = aberrated.psfs().flatten().copied().collect();
        let what = format!("sampler {task}: final point spread function");
        report(Check::relative(
            what,
            golden.values(&psf)?,
            &found,
            TOLERANCE,
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    #[test]
    fn few_pixels_across_the_clamp_are_left_out_and_the_largest_of_the_rest_told() {
        let expected = Clip::zeros(Shape::new(1, 100, 200));
        let check = |off: &[f32]| {
            let mut found = expected.clone();
            found.data_mut()[..off.len()].copy_from_slice(off);
            video("x0".into(), SIGNED, &expected, &found)
        };
        let whole = check(&[1e-3, -1.5e-3]);
        assert!((whole.error - 7.5e-4).abs() < 1e-9 && whole.what == "x0");
        let two_out = check(&[1.0, 1e-3, -0.5]);
        assert!((two_out.error - 5e-4).abs() < 1e-9, "{two_out:?}");
        assert!(two_out.what.contains("2 of 20000 pixels"), "{two_out:?}");
        let three_out = check(&[1.0, 0.7, -0.5]);
        assert_eq!(three_out.error, 0.5);
        assert!(!check(&[f32::NAN]).passed());
    }
}
