//! `vdps devices`: what computes here, and why.

use std::io::Write;

use crate::device::{self, DeviceRequest};

/// List the devices of this machine, and which one `--device auto` chooses and why.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let found = device::list();
    let chosen = device::open(DeviceRequest::Auto)?;
    let mut out = std::io::stdout().lock();
    let request = |row: &device::Found| row.request.map(|r| r.to_string()).unwrap_or_default();
    if args.json {
        let rows: Vec<_> = found
            .iter()
            .map(|row| {
                serde_json::json!({
                    "name": row.name,
                    "kind": row.kind.to_string(),
                    "backend": row.backend,
                    "driver": row.driver,
                    "software": row.software,
                    "request": request(row),
                })
            })
            .collect();
        let report = serde_json::json!({
            "devices": rows,
            "chosen": chosen.to_string(),
            "why": chosen.why,
        });
        writeln!(out, "{report:#}")?;
        return Ok(());
    }
    for row in &found {
        let (name, kind, backend, driver) = (&row.name, row.kind, &row.backend, &row.driver);
        writeln!(
            out,
            "{:<10} {name} ({kind}, {backend}) {driver}",
            request(row)
        )?;
    }
    writeln!(out, "chosen: {chosen}: {}", chosen.why)?;
    Ok(())
}
