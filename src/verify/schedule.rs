//! The noise schedule against its golden buffers.

use super::{Check, Golden, Report, VerifyError};
use crate::prior::{Schedule, Step};

/// Single precision of the buffers.
const TOLERANCE: f64 = 1e-6;

pub fn schedule(golden: &Golden, report: Report) -> Result<(), VerifyError> {
    type Column = fn(&Step) -> f32;
    let columns: [(&str, Column); 5] = [
        ("sqrt_recip_alphas_cumprod", |s| s.sqrt_recip),
        ("sqrt_recipm1_alphas_cumprod", |s| s.sqrt_recipm1),
        ("posterior_mean_coef1", |s| s.c1),
        ("posterior_mean_coef2", |s| s.c2),
        ("posterior_log_variance_clipped", |s| s.log_variance),
    ];
    let schedule = Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS);
    for (name, of) in columns {
        let expected = golden.values(name)?;
        let found: Vec<f32> = schedule.steps().iter().map(of).collect();
        report(Check::relative(
            format!("schedule {name}"),
            expected,
            &found,
            TOLERANCE,
        ));
    }
    Ok(())
}
