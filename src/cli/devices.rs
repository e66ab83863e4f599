//! `vdps devices`: what computes here, and why.

use super::output;
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
        return output::print_json(&report);
    }
    let mut text = String::new();
    for row in &found {
        let (name, kind, backend, driver) = (&row.name, row.kind, &row.backend, &row.driver);
        let request = request(row);
        text += &format!("{request:<10} {name} ({kind}, {backend}) {driver}\n");
    }
    output::print(&format!("{text}chosen: {chosen}: {}\n", chosen.why))
}
