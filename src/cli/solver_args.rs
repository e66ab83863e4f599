//! The method and its settings as flags, shared by `reconstruct` and `score`.

use std::path::PathBuf;

use clap::ValueEnum;

use super::checkpoint;
use super::error::bad_input;
use super::quantity::Budget;
use crate::device::DeviceRequest;
use crate::run::NetworkChoice;
use crate::run::plan::{self, DEFAULT_BUDGET, Method, Mix, Physics, PriorChoice, Settings, Task};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodName {
    /// Instant or fast, whichever suits the task and --budget; says which and why
    Auto,
    /// Seconds, no network: formulas and closed forms
    Instant,
    /// Half a minute: a denoiser in the loop, started from the instant method's result
    Fast,
    /// The published sampler with the authors' trained network: hours without a GPU
    Reference,
}

/// For measurements of what is best.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MixName {
    Alone,
    Formulas,
}

impl From<MixName> for Mix {
    fn from(name: MixName) -> Self {
        match name {
            MixName::Alone => Self::Alone,
            MixName::Formulas => Self::WithFormulas,
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Method")]
pub struct SolverArgs {
    /// How to reconstruct [default: the method whose settings are given, else auto]
    #[arg(long, value_enum)]
    pub method: Option<MethodName>,

    /// What is known of video: none (nothing learned: the better of the next two), tv (total
    /// variation), blocks (block matching in space and time), embedded (the small network
    /// inside), or a trained network's file: a published checkpoint or a compact network
    /// [default: fast with a known aberration: embedded; reference: as --checkpoint; else none]
    #[arg(long, value_name = "embedded|none|tv|blocks|FILE")]
    pub prior: Option<PriorChoice>,

    /// fast: one of the many videos that explain the measurement, drawn by --seed from a learned
    /// prior, in place of the best answer [prior: embedded]
    #[arg(long)]
    pub sample: bool,

    /// fast, compact networks: alone, or averaged with formulas
    #[arg(long, value_enum, hide = true)]
    pub mix: Option<MixName>,

    /// auto: the time the run may take, as in 30s or 5min [default: 2min]
    #[arg(long, value_name = "TIME")]
    pub budget: Option<Budget>,

    /// instant, known parameters: iterations [default: 500; 200 where there is a closed form]
    #[arg(long, value_name = "N")]
    pub iterations: Option<usize>,

    /// reference: the trained network, as --prior FILE [default: results/model-100.1.pt, from
    /// 128 pixels on results/model-100.2.pt; embedded where that is not there]
    #[arg(long, value_name = "FILE", conflicts_with = "prior")]
    pub checkpoint: Option<PathBuf>,

    /// reference: steps, evenly spread over the published 1000 [default: 1000]
    #[arg(long, value_name = "N")]
    pub steps: Option<usize>,

    /// reference: multiplies the published guidance [default: 1]
    #[arg(long, value_name = "G", allow_negative_numbers = true)]
    pub guidance: Option<f64>,

    /// Where networks compute: auto, cpu, gpu, gpu:N or software [default: auto]
    #[arg(long, value_name = "DEVICE")]
    pub device: Option<DeviceRequest>,

    /// Of everything that is drawn: masks, and the noise of samplers
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

impl SolverArgs {
    /// The settings of a run, and why its method was chosen where the program chose it.
    pub fn settings(&self, physics: &Physics) -> anyhow::Result<(Settings, Option<String>)> {
        let (method, chosen) = match self.method() {
            MethodName::Instant => (Method::Instant, None),
            MethodName::Fast => (Method::Fast, None),
            MethodName::Reference => (Method::Reference, None),
            MethodName::Auto => {
                let budget = self.budget.map_or(DEFAULT_BUDGET, |budget| budget.0);
                let slowness = plan::slowness(physics.shape());
                let choice = plan::choose(physics, self.prior.as_ref(), budget, slowness);
                (choice.method, Some((choice.prior, choice.why)))
            }
        };
        let (usual, why) = chosen.unzip();
        let usual = || {
            usual.unwrap_or_else(|| plan::usual_prior(method, Task::of(physics), physics.name()))
        };
        let (prior, instead_of) = self.prior(method, physics, usual)?;
        let settings = Settings {
            instead_of,
            mix: self.mix.map_or_else(Mix::default, Mix::from),
            sample: self.sample,
            iterations: self.iterations,
            steps: self.steps,
            guidance: self.guidance,
            device: self.device.unwrap_or_default(),
            seed: self.seed,
            ..Settings::new(method, prior)
        };
        Ok((settings, why))
    }

    /// The prior of a run by `method`, and the published checkpoint that it stands in for.
    fn prior(
        &self,
        method: Method,
        physics: &Physics,
        usual: impl FnOnce() -> PriorChoice,
    ) -> anyhow::Result<(PriorChoice, Option<PathBuf>)> {
        let found = match (&self.prior, &self.checkpoint) {
            (Some(PriorChoice::Network(network)), _) => checkpoint::named(network.clone())?,
            (Some(unlearned), _) => return Ok((unlearned.clone(), None)),
            (None, Some(file)) => checkpoint::named(NetworkChoice::File(file.clone()))?,
            (None, None) if method == Method::Reference => {
                checkpoint::published_or_embedded(checkpoint::published(physics.shape()))
            }
            (None, None) if self.sample => checkpoint::named(NetworkChoice::Embedded)?,
            (None, None) => return Ok((usual(), None)),
        };
        Ok((PriorChoice::Network(found.network), found.instead_of))
    }

    /// The method asked for, by name or by its settings.
    fn method(&self) -> MethodName {
        let reference = self.checkpoint.is_some() || self.steps.is_some();
        match self.method {
            Some(method) => method,
            None if self.iterations.is_some() => MethodName::Instant,
            None if self.sample => MethodName::Fast,
            None if reference || self.guidance.is_some() => MethodName::Reference,
            None => MethodName::Auto,
        }
    }

    /// Settings of another method are mistakes, not decoration.
    ///
    /// # Errors
    /// Names the flag and the method it belongs to.
    pub fn check_belong(&self) -> anyhow::Result<()> {
        use MethodName::{Auto, Fast, Instant, Reference};
        let given = [
            ("--iterations", self.iterations.is_some(), &[Instant][..]),
            ("--sample", self.sample, &[Fast]),
            ("--mix", self.mix.is_some(), &[Fast]),
            ("--budget", self.budget.is_some(), &[Auto]),
            ("--checkpoint", self.checkpoint.is_some(), &[Reference]),
            ("--steps", self.steps.is_some(), &[Reference]),
            ("--guidance", self.guidance.is_some(), &[Reference]),
            ("--device", self.device.is_some(), &[Reference, Fast, Auto]),
        ];
        for (flag, present, belongs) in given {
            if present && !belongs.contains(&self.method()) {
                let name = |m: MethodName| m.to_possible_value().map(|v| v.get_name().to_owned());
                return Err(bad_input!(
                    "{flag} is a setting of --method {}, not of {}",
                    name(belongs[0]).unwrap_or_default(),
                    name(self.method()).unwrap_or_default()
                ));
            }
        }
        Ok(())
    }
}
