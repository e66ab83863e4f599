//! The small golden networks, forward and backward.

use super::{Check, Extent, Golden, Report, VerifyError};
use crate::prior::{NetworkPrior, Prior};

/// Compares the noise estimate and its gradient: cases `a` (10x32x32) and `b` (4x16x16).
pub fn network(
    name: &str,
    prior: &NetworkPrior,
    golden: &Golden,
    extent: Extent,
    report: Report,
) -> Result<(), VerifyError> {
    let tolerance = prior.device().kind.network_tolerance();
    let cases: &[&str] = match extent {
        Extent::Small => &["b"],
        Extent::Full => &["a", "b"],
    };
    for case in cases {
        let clip = |part: &str| golden.clip(&format!("{case}.{part}"));
        let t = golden.scalar(&format!("{case}.t"))? as usize;
        let x = clip("x")?;
        let (eps, pullback) = prior.predict_with_pullback(&x, t)?;
        let gradient = pullback(&golden.clip_of(&format!("{case}.cotangent"), x.shape())?)?;
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
