//! `vdps train`: a prior from one's own footage.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::error::{Interrupted, bad_input};
use super::interrupt;
use crate::device::{self, DeviceRequest};
use crate::prior::compact::Network;
use crate::prior::{UNet, Weights, WeightsError};
use crate::run::available_bytes;
use crate::train::data::{self, Pool};
use crate::train::{
    CompactLearner, CompactTensorLearner, Config, Learner, NetworkConfig, PublishedLearner,
    Trainer, Training,
};

/// Train a prior on footage of your own
///
/// CONFIG.toml names the footage, the network and how it is taught: docs/training.md. A training
/// that was stopped, or killed, goes on where it was when the same command is given again.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// What is trained, on what, and how
    #[arg(value_name = "CONFIG.toml")]
    pub config: PathBuf,

    /// Make the clips that training draws from, and stop: downloads, reads and cuts the footage
    #[arg(long)]
    pub prepare: bool,

    /// Folder of the state, the network and the curve [default: results/training/NAME, by the
    /// configuration's name]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,

    /// Where the network learns: cpu, gpu, gpu:N or auto [default: compact networks on the cpu, the
    /// published one as auto]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceRequest>,

    /// Stop after so many steps in all; the rate falls as if there were more
    #[arg(long, value_name = "N")]
    pub until: Option<usize>,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let config = Config::load(&args.config).map_err(|error| bad_input!("{error}"))?;
    let base = args.config.parent().unwrap_or(Path::new(""));
    if args.prepare {
        return prepare(&config, base);
    }
    let out = args.out.clone().unwrap_or_else(|| {
        let name = args.config.file_stem().unwrap_or_default();
        Path::new("results/training").join(name)
    });
    train(&config, base, &out, &args)
}

fn prepare(config: &Config, base: &Path) -> anyhow::Result<()> {
    let description = config.data.as_ref().ok_or_else(|| {
        bad_input!("there is no [data] in the configuration, so there is nothing to prepare")
    })?;
    let prepared = data::prepare(description, base, &tell)?;
    println!("{}", prepared.train.display());
    println!("{}", prepared.validation.display());
    Ok(())
}

fn tell(progress: data::Progress) {
    match progress {
        data::Progress::Fetching(url) => eprintln!("fetching {url}"),
        data::Progress::Unpacking(path) => eprintln!("unpacking {}", path.display()),
        data::Progress::Reading(path) => eprintln!("reading {}", path.display()),
        data::Progress::Warning(text) => eprintln!("warning: {text}"),
        data::Progress::Clips { done, total } => eprintln!("{done} of {total} clips"),
    }
}

/// The files of clips, prepared or named.
fn pools(config: &Config, base: &Path) -> anyhow::Result<[Pool; 2]> {
    let folder = config.data.as_ref().map(|data| base.join(&data.folder));
    let training = &config.training;
    let named = [&training.clips, &training.validation];
    let mut pools = Vec::new();
    for (named, file) in named.into_iter().zip(["train.npy", "validation.npy"]) {
        let path = match (named, &folder) {
            (Some(path), _) => base.join(path),
            (None, Some(folder)) => folder.join(file),
            (None, None) => {
                return Err(bad_input!(
                    "the configuration has neither [data] nor training.clips and \
                     training.validation: name the clips to learn from"
                ));
            }
        };
        if !path.exists() {
            return Err(bad_input!(
                "{} is not there yet: make it with `vdps train --prepare`",
                path.display()
            ));
        }
        pools.push(Pool::open(&path)?);
    }
    let mut pools = pools.into_iter();
    let mut next = || pools.next().expect("two pools");
    Ok([next(), next()])
}

/// The network to be taught, on its device: compact networks learn on the processor unless a GPU is
/// asked for, the published one wherever is best.
fn learner(
    config: &Config,
    base: &Path,
    request: Option<DeviceRequest>,
) -> anyhow::Result<Box<dyn Learner>> {
    let Training { seed, start, .. } = &config.training;
    let start = start.as_ref().map(|path| base.join(path));
    let weights = start.as_ref().map(|path| Weights::load(path));
    let weights = weights
        .transpose()
        .map_err(|error| bad_input!("training.start: {error}"))?;
    let unfit = |error: WeightsError| bad_input!("training.start: {error}");
    if let NetworkConfig::Compact { .. } = config.network {
        let known = weights.as_ref().map(Network::from_weights);
        let known = known.transpose().map_err(unfit)?;
        let found = known.as_ref().map(Network::config);
        let sizes = config.network.compact(found.as_ref());
        let sizes = sizes.expect("a compact network has such sizes");
        if let Some(found) = found.filter(|found| *found != sizes) {
            return Err(bad_input!(
                "training.start holds a compact network of other sizes than [network]: widths {:?}, \
                 {} blocks; leave out network.widths and network.blocks to take these over",
                found.widths,
                found.blocks
            ));
        }
        let network = known.unwrap_or_else(|| Network::random(&sizes, *seed));
        return Ok(match request {
            None | Some(DeviceRequest::Cpu) => Box::new(CompactLearner::new(network)),
            Some(request) => {
                let device = device::open(request)?;
                Box::new(CompactTensorLearner::new(network, device))
            }
        });
    }
    let sizes = config
        .network
        .published()
        .expect("a network of one kind or the other");
    let row = match &weights {
        Some(weights) => {
            let (found, row) = UNet::row(weights).map_err(unfit)?;
            if found != sizes {
                return Err(bad_input!(
                    "training.start holds a network of other sizes than [network]: dim {}, \
                     multipliers {:?}, {} heads of {}",
                    found.dim,
                    found.multipliers,
                    found.heads,
                    found.temporal_head_dim
                ));
            }
            row
        }
        None => UNet::random_row(&sizes, *seed),
    };
    let device = device::open(request.unwrap_or_default())?;
    Ok(Box::new(PublishedLearner::new(sizes, row, device)))
}

fn train(config: &Config, base: &Path, out: &Path, args: &Args) -> anyhow::Result<()> {
    let [clips, validation] = pools(config, base)?;
    let learner = learner(config, base, args.device)?;
    check_size(
        &*learner,
        &config.training,
        clips.shape().len() * clips.len(),
    )?;
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let interrupted = interrupt::watch()?;
    eprintln!(
        "{} on {} clips of {}, validated on {}; everything goes to {}",
        learner.describe(),
        clips.len(),
        clips.shape(),
        validation.len(),
        out.display()
    );
    let training = &config.training;
    let mut trainer = Trainer::new(learner, &config.network, training, &clips, &validation, out)?;
    let last = args.until.unwrap_or(usize::MAX).min(training.steps);
    if trainer.step() > 0 {
        eprintln!("going on after step {}", trainer.step());
    }
    let mut report = Report::new(trainer.step(), last);
    while trainer.step() < last {
        if interrupted.load(std::sync::atomic::Ordering::SeqCst) {
            trainer.save()?;
            report.bar.finish_and_clear();
            return Err(Interrupted(format!(
                "stopped after step {}; the same command goes on",
                trainer.step()
            ))
            .into());
        }
        let point = trainer.advance()?;
        report.update(&trainer);
        if let Some(point) = point {
            let levels: Vec<String> = point.psnr_db.iter().map(|p| format!("{p:.2}")).collect();
            report.say(&format!(
                "step {}: {} dB at noise 10, 25, 50, 100",
                point.step,
                levels.join(" / ")
            ));
        }
    }
    trainer.save()?;
    report.bar.finish_and_clear();
    println!("{}", out.display());
    Ok(())
}

/// Whether the machine can hold it.
fn check_size(learner: &dyn Learner, training: &Training, pool: usize) -> anyhow::Result<()> {
    let shapes = training.crops.iter().map(|crop| {
        let [frames, height, width] = crop.shape;
        crate::clip::Shape::new(frames, height, width)
    });
    let clip = shapes.map(|shape| learner.memory_bytes(shape)).max();
    let at_once = training.batch.min(rayon::current_num_threads());
    let gradients = 4 * learner.parameters().len() * (training.batch + 5);
    let needed = clip.unwrap_or(0) * at_once as u64 + (gradients + pool) as u64;
    match available_bytes() {
        Some(available) if needed > available => Err(bad_input!(
            "this training takes about {} MiB of memory, and {} MiB are free: make training.batch, \
             training.crops or the pool of clips smaller",
            needed >> 20,
            available >> 20
        )),
        _ => Ok(()),
    }
}

/// A bar on a terminal, a line now and then elsewhere.
struct Report {
    bar: ProgressBar,
    first: usize,
    last: usize,
    started: Instant,
    told: Instant,
}

const LINE_EVERY: Duration = Duration::from_secs(30);

impl Report {
    fn new(first: usize, last: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(last as u64), ProgressDrawTarget::stderr());
        let style = "{prefix} {wide_bar} {pos}/{len}  {msg}  {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is fixed"));
        bar.set_prefix("training");
        bar.set_position(first as u64);
        bar.reset_eta();
        let now = Instant::now();
        Self {
            bar,
            first,
            last,
            started: now,
            told: now,
        }
    }

    fn update(&mut self, trainer: &Trainer) {
        let loss = trainer.curve().recent_loss().unwrap_or(f64::NAN);
        self.bar.set_position(trainer.step() as u64);
        self.bar.set_message(format!("loss {loss:.4}"));
        if self.bar.is_hidden() && self.told.elapsed() >= LINE_EVERY {
            self.told = Instant::now();
            let done = trainer.step() - self.first;
            let each = self.started.elapsed() / done.max(1) as u32;
            let left = each * (self.last - trainer.step()) as u32;
            let left = Duration::from_secs(left.as_secs());
            eprintln!(
                "training: step {} of {}, loss {loss:.4}, {each:.0?} a step, about {} left",
                trainer.step(),
                self.last,
                humantime::format_duration(left)
            );
        }
    }

    fn say(&self, line: &str) {
        if self.bar.is_hidden() {
            eprintln!("{line}");
        } else {
            self.bar.println(line);
        }
    }
}
