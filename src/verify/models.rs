//! Forward models: measurements and gradients of video and parameters.

use super::{Check, Golden, Report, VerifyError};
use crate::clip::Shape;
use crate::physics::{Blur, Dehaze, ForwardModel, Inpaint, Optics, Scatter, ZernikeBlur};

/// Relative to the largest value; published single-precision arithmetic is ten times worse.
const TOLERANCE: f64 = 1e-4;

const NAMES: [&str; 10] = [
    "scatter_known_d5_s0.5",
    "scatter_known_d5_s1",
    "scatter_known_d10_s2",
    "scatter_blind",
    "scatter_real",
    "zernike",
    "zernike_varying",
    "blur",
    "dehaze",
    "inpaint",
];

/// Compares every forward model. Gradients of parameters are compared where they are recorded.
pub fn forward_models(golden: &Golden, report: Report) -> Result<(), VerifyError> {
    for name in NAMES {
        let array = |part: &str| format!("{name}.{part}");
        let x = golden.clip(&array("x"))?;
        let model = model(name, golden, x.shape())?;
        let signed = model.linearise_signed(&x);
        let gradient = (signed.pullback)(&golden.clip_of(&array("cotangent"), x.shape())?, true);
        let parameters: Vec<f32> = gradient.parameters.iter().map(|&g| g as f32).collect();
        let mut compare = |what: &str, part: &str, found: &[f32]| {
            let expected = golden.values(&array(part))?;
            // Widths come last in the table of parameters, distances and coefficients first.
            let found = match part {
                "grad_sigma" => &found[found.len().saturating_sub(expected.len())..],
                _ => &found[..expected.len().min(found.len())],
            };
            report(Check::relative(
                format!("{name}: {what}"),
                expected,
                found,
                TOLERANCE,
            ));
            Ok::<(), VerifyError>(())
        };
        compare("measurement", "y", signed.measurement.data())?;
        compare("gradient of the video", "grad_x", gradient.video.data())?;
        for (what, part) in [
            ("gradient of the distance", "grad_dist"),
            ("gradient of the width", "grad_sigma"),
            ("gradient of the coefficients", "grad_coeffs"),
        ] {
            if golden.has(&array(part)) {
                compare(what, part, &parameters)?;
            }
        }
        if golden.has(&array("psf")) {
            let aberrated = ZernikeBlur::new(x.shape(), golden.doubles(&array("coeffs"))?)?;
            let psfs: Vec<f32> = aberrated.psfs().flatten().copied().collect();
            compare("point spread function", "psf", &psfs)?;
        }
        if golden.has(&array("basis")) {
            let pupil = crate::physics::zernike::Pupil::new();
            let basis: Vec<f32> = pupil.basis().iter().flatten().map(|&z| z as f32).collect();
            compare("Zernike polynomials", "basis", &basis)?;
        }
    }
    Ok(())
}

fn model(name: &str, golden: &Golden, shape: Shape) -> Result<Box<dyn ForwardModel>, VerifyError> {
    let values = |part: &str| golden.doubles(&format!("{name}.{part}"));
    let known =
        |dist_mm: f64, sigma_px: f64| Scatter::new(shape, Optics::SYNTHETIC, dist_mm, sigma_px);
    Ok(match name {
        "scatter_known_d5_s0.5" => Box::new(known(5.0, 0.5)?),
        "scatter_known_d5_s1" => Box::new(known(5.0, 1.0)?),
        "scatter_known_d10_s2" => Box::new(known(10.0, 2.0)?),
        "scatter_blind" => {
            let (dist_mm, sigma_px) = (values("dist")?, values("sigma")?);
            Box::new(Scatter::new(shape, Optics::SYNTHETIC, dist_mm, sigma_px)?)
        }
        "scatter_real" => {
            let dist_mm = golden.scalar("scatter_real.dist_m")? * 1e3;
            Box::new(Scatter::new(
                shape,
                Optics::REAL,
                dist_mm,
                values("sigma")?,
            )?)
        }
        "blur" => Box::new(Blur::new(shape, Blur::PUBLISHED_SIGMA_PX)?),
        "dehaze" => Box::new(Dehaze::new(shape)?),
        "inpaint" => Box::new(Inpaint::new(shape, golden.clip("inpaint.mask")?)?),
        _ => Box::new(ZernikeBlur::new(shape, values("coeffs")?)?),
    })
}
