//! `vdps verify`: does this device compute the published method?

use std::path::PathBuf;

use super::output;
use crate::device::{self, DeviceRequest};
use crate::verify::{Check, Extent, builtin, directory, sensible_extent};

/// Compare the chosen device with golden numbers of the published method.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Check against a folder of golden files instead of the built-in numbers
    #[arg(long, value_name = "DIR")]
    golden: Option<PathBuf>,
    /// auto, cpu, gpu, gpu:N or software (a software Vulkan driver)
    #[arg(long, default_value_t)]
    device: DeviceRequest,
    /// Forward models and the smallest network case only (always so on software devices)
    #[arg(long)]
    small: bool,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let device = device::open(args.device)?;
    let extent = match args.small {
        true => Extent::Small,
        false => sensible_extent(&device),
    };
    let mut checks: Vec<Check> = Vec::new();
    if !args.json {
        output::print(&format!("device: {device} ({})\n", device.why))?;
    }
    let report = &mut |check: Check| {
        if !args.json {
            let verdict = if check.passed() { "ok  " } else { "FAIL" };
            let (error, tolerance) = (check.error, check.tolerance);
            let what = &check.what;
            let line = format!("{verdict} {error:8.1e} of {tolerance:.0e}  {what}\n");
            // What cannot be written ends the listing, not the check.
            output::print(&line).ok();
        }
        checks.push(check);
    };
    match &args.golden {
        Some(dir) => directory(dir, &device, extent, report)?,
        None => builtin(&device, extent, report)?,
    }
    let failed = checks.iter().filter(|check| !check.passed()).count();
    if args.json {
        let rows: Vec<_> = checks
            .iter()
            .map(|check| {
                serde_json::json!({
                    "what": check.what,
                    "error": check.error,
                    "tolerance": check.tolerance,
                    "passed": check.passed(),
                })
            })
            .collect();
        let report = serde_json::json!({
            "device": device.to_string(),
            "why": device.why,
            "checks": rows,
            "failed": failed,
        });
        output::print_json(&report)?;
    } else {
        let extent = match extent {
            Extent::Small => " (small cases only)",
            Extent::Full => "",
        };
        let count = checks.len();
        output::print(&format!("{count} checks{extent}, {failed} failed\n"))?;
    }
    anyhow::ensure!(
        failed == 0,
        "{device} does not compute the published method: {failed} of {} checks failed; \
         use `--device cpu`, or update the graphics driver",
        checks.len()
    );
    Ok(())
}
