//! `vdps bench`: how fast this device is.

use std::time::Instant;

use serde_json::{Value, json};

use super::{bench_ui, output};
use crate::clip::{Clip, Shape};
use crate::device::{self, ComputeDevice, DeviceRequest};
use crate::noise::Noise;
use crate::physics::{Blur, Dehaze, ForwardModel, Inpaint, Optics, Scatter, ZernikeBlur};
use crate::prior::compact::{EMBEDDED_FILE, Network};
use crate::prior::{NetworkPrior, Prior, Schedule, UNet, UNetConfig};
use crate::run::{Learned, NetworkChoice, check_memory, peak_memory_bytes};
use crate::solver::{self, InstantConfig, Measurement, Reference, ReferenceConfig, Solver, Weight};

/// Time a network evaluation, a guided step and every forward model on this device.
///
/// The network has the published configuration (59 M parameters) and random weights, so no
/// checkpoint is needed; the small one inside is timed on the processor as well. --prior times
/// another one in their place. Times are medians; the first run of each is left out.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,

    /// auto, cpu, gpu, gpu:N or software
    #[arg(long, default_value_t)]
    device: DeviceRequest,
    /// The network to time: the small one inside, or a file's
    #[arg(long, value_name = "embedded|FILE", conflicts_with = "dim")]
    prior: Option<NetworkChoice>,
    /// Channels of the network's first level; the published networks have 128
    #[arg(long, default_value_t = 128, value_parser = clap::value_parser!(u16).range(8..=512))]
    dim: u16,
    /// Rows and columns of the clip of ten frames
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(8..=512))]
    size: u16,
    /// Timed runs of each
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    Ui(bench_ui::Args),
}

/// One thing that was timed.
struct Timing {
    what: String,
    seconds: f64,
}

pub fn run(args: Args) -> anyhow::Result<()> {
    if let Some(What::Ui(args)) = args.what {
        return bench_ui::run(args);
    }
    let shape = Shape::new(10, args.size.into(), args.size.into());
    let network = Timed::new(&args, shape)?;
    let device = &network.device;
    let mut timings = Vec::new();
    if !args.json {
        output::print(&format!("{device} ({}), {shape}\n", device.why))?;
    }
    let mut record = |what: String, seconds: f64| {
        if !args.json {
            // What cannot be written ends the listing, not the measurement.
            output::print(&format!("{:9.2} ms  {what}\n", seconds * 1e3)).ok();
        }
        timings.push(Timing { what, seconds });
    };
    for (what, model) in models(shape)? {
        let u = Clip::filled(shape, 0.5);
        let seconds = median(args.runs, || {
            let linearised = model.linearise(&u);
            (linearised.pullback)(&linearised.measurement, true);
            Ok(())
        })?;
        record(format!("{what}: measurement and gradients"), seconds);
    }
    record(
        "instant solver: one iteration".into(),
        instant_step(shape, args.runs)?,
    );
    let (flops, description) = (network.flops, network.prior.describe());
    time_network(
        "network",
        network.prior,
        flops,
        shape,
        args.runs,
        &mut record,
    )?;
    if args.prior.is_none() {
        let load = median(args.runs, || {
            Network::from_safetensors(EMBEDDED_FILE)?;
            Ok(())
        })?;
        record("embedded network: loading".into(), load);
        let embedded = Learned::embedded(DeviceRequest::Cpu)?.prior();
        time_network(
            "embedded network",
            embedded,
            None,
            shape,
            args.runs,
            &mut record,
        )?;
    }
    let peak = peak_memory_bytes();
    if args.json {
        let rows: Vec<Value> = timings
            .iter()
            .map(|timing| json!({ "what": timing.what, "seconds": timing.seconds }))
            .collect();
        let report = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "device": device.to_string(),
            "kind": device.kind.to_string(),
            "why": device.why,
            "shape": shape,
            "network": description,
            "network_flops": flops,
            "timings": rows,
            "peak_memory_bytes": peak,
        });
        output::print_json(&report)
    } else {
        let mut text = format!("{description}\n");
        if let Some(bytes) = peak {
            let gib = bytes as f64 / (1u64 << 30) as f64;
            text += &format!("peak memory of the process: {gib:.2} GiB\n");
        }
        output::print(&text)
    }
}

fn models(shape: Shape) -> anyhow::Result<Vec<(&'static str, Box<dyn ForwardModel>)>> {
    let frames = |value: f64| vec![value; shape.frames];
    let mask = Inpaint::random_mask(shape, 0.5, &mut Noise::seeded(0));
    let optics = Optics::SYNTHETIC;
    Ok(vec![
        (
            "scatter, known",
            Box::new(Scatter::new(shape, optics, 5.0, 1.0)?),
        ),
        (
            "scatter, per frame",
            Box::new(Scatter::new(shape, optics, frames(5.0), frames(1.0))?),
        ),
        (
            "blur",
            Box::new(Blur::new(shape, Blur::PUBLISHED_SIGMA_PX)?),
        ),
        ("dehaze", Box::new(Dehaze::new(shape)?)),
        ("inpaint", Box::new(Inpaint::new(shape, mask)?)),
        (
            "zernike, static",
            Box::new(ZernikeBlur::new(shape, vec![0.5; 10])?),
        ),
        (
            "zernike, varying",
            Box::new(ZernikeBlur::new(shape, vec![0.5; 10 * shape.frames])?),
        ),
    ])
}

fn instant_step(shape: Shape, runs: u16) -> anyhow::Result<f64> {
    let model = Scatter::new(shape, Optics::SYNTHETIC, 5.0, 1.0)?;
    let measurement = Measurement::exact(Clip::filled(shape, 0.25));
    let config = InstantConfig {
        iterations: usize::from(runs) + 1,
        ..InstantConfig::for_noise(1e-3)
    };
    let mut solver = solver::Instant::new(Box::new(model), measurement, config)?;
    median(runs, || {
        solver.step()?;
        Ok(())
    })
}

/// The network that is timed.
struct Timed {
    prior: Box<dyn Prior>,
    device: ComputeDevice,
    /// Of one evaluation, where they are known.
    flops: Option<u64>,
}

impl Timed {
    fn new(args: &Args, shape: Shape) -> anyhow::Result<Self> {
        if let Some(choice) = &args.prior {
            let learned = choice.open(args.device)?;
            learned.check(shape)?;
            return Ok(Self {
                prior: learned.prior(),
                device: learned.device().clone(),
                flops: None,
            });
        }
        let config = UNetConfig {
            dim: args.dim.into(),
            ..UNetConfig::published_ucf()
        };
        config.check_shape(shape)?;
        let device = device::open(args.device)?;
        let prior = NetworkPrior::new(UNet::random(&config, 0, device.burn()), device.clone());
        check_memory(&prior, shape, &device)?;
        Ok(Self {
            prior: Box::new(prior),
            device,
            flops: Some(config.flops_estimate(shape)),
        })
    }
}

fn time_network(
    name: &str,
    prior: Box<dyn Prior>,
    flops: Option<u64>,
    shape: Shape,
    runs: u16,
    record: &mut dyn FnMut(String, f64),
) -> anyhow::Result<()> {
    let x = Noise::seeded(0).normal_clip(shape);
    let evaluation = median(runs, || {
        prior.predict(&x, 500)?;
        Ok(())
    })?;
    let of = match flops {
        Some(flops) => format!(" of {:.1} GFLOP", flops as f64 / 1e9),
        None => String::new(),
    };
    record(format!("{name}: one evaluation{of}"), evaluation);

    let mut noise = Noise::seeded(1);
    let mut guided = Reference::new(
        prior,
        Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS),
        Box::new(Scatter::new(shape, Optics::SYNTHETIC, 5.0, 1.0)?),
        Measurement::exact(Clip::filled(shape, 0.25)),
        ReferenceConfig::published(Weight::SineSquared),
        Vec::new(),
        Box::new(move |shape| noise.normal_clip(shape)),
    )?;
    let step = median(runs, || {
        guided.step()?;
        Ok(())
    })?;
    record(
        format!("{name}: guided step: evaluation, measurement, gradient"),
        step,
    );
    Ok(())
}

/// The median time of `runs` runs after one that is not counted.
fn median(runs: u16, mut work: impl FnMut() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    work()?;
    let mut seconds = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        work()?;
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    Ok(seconds[seconds.len() / 2])
}
