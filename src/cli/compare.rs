//! `vdps compare`: how close a clip is to its target.

use std::path::PathBuf;

use serde::Serialize;

use super::input_args::InputArgs;
use super::output;
use crate::metrics::Quality;
use crate::run::FileRecord;

#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The clip to score
    pub clip: PathBuf,

    /// The clip it should be
    pub target: PathBuf,

    /// Print JSON, and nothing else to standard output
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub input_args: InputArgs,
}

#[derive(Serialize)]
struct Comparison {
    clip: FileRecord,
    target: FileRecord,
    #[serde(flatten)]
    quality: Quality,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let (clip, clip_record) = args.input_args.open(&args.clip)?;
    let (target, target_record) = args.input_args.open(&args.target)?;
    let quality = Quality::of(&clip.clip, &target.clip)?;
    if args.json {
        let comparison = Comparison {
            clip: clip_record,
            target: target_record,
            quality,
        };
        output::print_json(&comparison)?;
    } else {
        output::print(&table(&quality))?;
    }
    Ok(())
}

fn table(quality: &Quality) -> String {
    let db = |psnr: Option<f64>| psnr.map_or("equal".into(), |v| format!("{v:.2}"));
    let share = |ssim: Option<f64>| ssim.map_or("-".into(), |v| format!("{v:.4}"));
    let row = |name: &str, psnr, ssim| format!("{name:>6}  {:>7}  {:>7}\n", db(psnr), share(ssim));
    let mut text = format!("{:>6}  {:>7}  {:>7}\n", "frame", "PSNR dB", "SSIM");
    for (index, frame) in quality.frames.iter().enumerate() {
        text += &row(&index.to_string(), frame.psnr_db, frame.ssim);
    }
    text += &row("clip", quality.psnr_db, quality.ssim);
    text += &format!(
        "fitted  {:>7}  (gain {:.4}, offset {:+.4})\n",
        db(quality.fitted_psnr_db),
        quality.fitted_gain,
        quality.fitted_offset
    );
    text
}
