//! The small golden networks, forward and backward.

use super::{Check, Extent, Golden, Report, VerifyError};
use crate::device::Kind;
use crate::prior::{NetworkPrior, Prior};

/// Compares the noise estimate and its gradient: cases `a` (10x32x32) and `b` (4x16x16).
pub fn network(
    name: &str,
    prior: &NetworkPrior,
    golden: &Golden,
    extent: Extent,
    report: Report,
) -> Result<(), VerifyError> {
    // GPUs may round square roots, exponentials and sums less exactly.
    let tolerance = match prior.device().kind {
        Kind::Cpu => 2e-5,
        _ => 1e-4,
    };
    let cases: &[&str] = match extent {
        Extent::Small => &["b"],
        Extent::Full => &["a", "b"],
    };
    for case in cases {
        let clip = |part: &str| golden.clip(&format!("{case}.{part}"));
        let t = golden.values(&format!("{case}.t"))?[0] as usize;
        let x = clip("x")?;
        let (eps, pullback) = prior.predict_with_pullback(&x, t)?;
        let gradient = pullback(&clip("cotangent")?)?;
        let of = format!("network {name}, {} at t = {t}", x.shape());
        for (what, expected, found) in [
            ("noise estimate", "eps", eps),
            ("gradient", "grad_x", gradient),
        ] {
            let expected = clip(expected)?;
            let what = format!("{of}: {what}");
            report(Check::relative(
                what,
                expected.data(),
                found.data(),
                tolerance,
            ));
        }
    }
    Ok(())
}
