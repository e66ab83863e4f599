//! `vdps sample`: video that the prior alone makes up.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use super::error::{Interrupted, bad_input};
use super::progress::ProgressReport;
use super::{checkpoint, interrupt, output};
use crate::clip::Shape;
use crate::device::DeviceRequest;
use crate::display::sheet::{contact_sheet, side_by_side};
use crate::media::{self, WriteOptions};
use crate::noise::Noise;
use crate::prior::{Sampler, Schedule};
use crate::run::NetworkChoice;

/// Draw video from a learned prior, with no measurement: what it takes for likely
///
/// The published sampler without guidance. Writes a contact sheet, a row for each sample and a
/// column for each frame, and the same as an animation beside it (FILE.gif).
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The small network inside, or a file's: a published checkpoint or a compact network
    #[arg(long, value_name = "embedded|FILE", default_value = "embedded")]
    pub prior: NetworkChoice,

    /// How many samples
    #[arg(long, value_name = "N", default_value = "4")]
    pub count: NonZeroUsize,

    /// Of the first sample; the next ones have the next seeds
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,

    /// Diffusion steps, spread over the 1000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub steps: usize,

    /// Frames of a sample
    #[arg(long, value_name = "N", default_value = "10")]
    pub frames: NonZeroUsize,

    /// Rows and columns of a sample
    #[arg(long, value_name = "N", default_value = "64")]
    pub size: NonZeroUsize,

    /// Where the network computes: auto, cpu, gpu, gpu:N or software
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: DeviceRequest,

    /// The contact sheet
    #[arg(long, value_name = "FILE.png", default_value = "results/samples.png")]
    pub out: PathBuf,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if args.out.extension().is_none_or(|ending| ending != "png") {
        return Err(bad_input!(
            "--out {} is no name of a PNG file: let it end in .png",
            args.out.display()
        ));
    }
    let schedule = Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS).respaced(args.steps)?;
    let shape = Shape::new(args.frames.get(), args.size.get(), args.size.get());
    let learned = checkpoint::named(args.prior.clone())?
        .network
        .open(args.device)?;
    learned.check(shape)?;
    let description = learned.record().description.clone();
    eprintln!("prior: {description}");
    let cancel = interrupt::watch()?;
    let total = args.count.get() * args.steps;
    let mut report = ProgressReport::new("sampling", total, None);
    let mut samples = Vec::new();
    for (index, seed) in (0..args.count.get()).zip(args.seed..) {
        let noise = Noise::seeded(seed);
        let mut sampler = Sampler::new(learned.prior(), schedule.clone(), shape, noise)?;
        for step in 0..args.steps {
            if cancel.load(Ordering::SeqCst) {
                report.finish();
                return Err(Interrupted("nothing was written".into()).into());
            }
            sampler.step()?;
            let at = format!("sample {} of {}", index + 1, args.count);
            report.advance(index * args.steps + step + 1, &at);
        }
        samples.push(sampler.estimate());
    }
    report.finish();
    let animation = args.out.with_extension("gif");
    let options = WriteOptions::default();
    media::save(&args.out, &contact_sheet(&samples), &options)?;
    media::save(&animation, &side_by_side(&samples), &options)?;
    output::print(&format!(
        "{} of {shape} from {description} in {} steps each: {}, {}\n",
        match args.count.get() {
            1 => "1 sample".to_owned(),
            count => format!("{count} samples"),
        },
        args.steps,
        args.out.display(),
        animation.display()
    ))
}
