//! Which method and which prior a run gets where the user leaves them open.

use std::time::{Duration, Instant as Clock};

use super::prior::PriorChoice;
use super::problem::Physics;
use crate::clip::{Clip, Shape};
use crate::physics::{ForwardModel, Optics, Scatter};
use crate::run::NetworkChoice;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Formulas and closed forms only.
    Instant,
    /// Plug-and-play: a denoiser in the loop, started from the instant method's result.
    Fast,
    /// The published diffusion sampler.
    Reference,
}

impl Method {
    /// The name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instant => "instant",
            Self::Fast => "fast",
            Self::Reference => "reference",
        }
    }
}

/// A method with its prior, and why they were chosen.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice {
    pub method: Method,
    /// The one that was named, if any, else what the time allows.
    pub prior: PriorChoice,
    /// One sentence.
    pub why: String,
}

/// The prior of a run for which the user names a method and no prior.
///
/// `model` is the forward model's name.
pub fn usual_prior(method: Method, task: Task, model: &str) -> PriorChoice {
    match (method, task, model) {
        // It samples from a learned prior or not at all.
        (Method::Reference, ..) => PriorChoice::Network(NetworkChoice::Embedded),
        // There it hardly ever lost. Behind layers the formulas are nearly as close in half the time.
        (Method::Fast, Task::Known, "zernike" | "blur") => {
            PriorChoice::Network(NetworkChoice::Embedded)
        }
        (Method::Fast | Method::Instant, ..) => PriorChoice::None,
    }
}

/// How the fast method uses a compact network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mix {
    Alone,
    /// Its mean with two-stage block matching and the edge prior, a third each: the three err in
    /// different places.
    #[default]
    WithFormulas,
}

/// The time a run may take where the user names none.
pub const DEFAULT_BUDGET: Duration = Duration::from_secs(120);

/// Chooses between instant and fast, with the embedded prior or without, by the task and the time
/// they would take here.
///
/// The published sampler is never chosen: on every published clip the other two come closer to
/// the target in a hundredth of its time. `prior` is the one that was named; `slowness` is
/// [`slowness`] of the clip's shape.
pub fn choose(
    physics: &Physics,
    prior: Option<&PriorChoice>,
    budget: Duration,
    slowness: f64,
) -> Choice {
    let of = |method: Method, why: String| Choice {
        method,
        prior: prior.cloned().unwrap_or(PriorChoice::None),
        why,
    };
    if matches!(prior, Some(PriorChoice::Blocks | PriorChoice::Network(_))) {
        return of(Method::Fast, "the prior that was named is for it".into());
    }
    if physics.name() == "dehaze" {
        return of(
            Method::Instant,
            "haze inverts exactly, pixel by pixel: no prior could add to that".into(),
        );
    }
    if matches!(physics, Physics::Capture(_)) {
        return of(
            Method::Instant,
            "a real capture's model is an approximation, which the fast method would trust to \
             the noise"
                .into(),
        );
    }
    if matches!(physics, Physics::Scatter(_)) {
        return of(
            Method::Instant,
            "for an unknown layer it already averages two priors over all frames, and the fast \
             method's rounds gain nothing on the mean of the benchmark"
                .into(),
        );
    }
    if prior == Some(&PriorChoice::Tv) && physics.is_known() {
        return of(
            Method::Instant,
            "total variation is the instant method's prior, which it minimises exactly".into(),
        );
    }
    let seconds = |method, prior: &_| Task::of(physics).nominal_s(method, prior) * slowness;
    let budget_s = budget.as_secs_f64();
    let instant_s = seconds(Method::Instant, &PriorChoice::None);
    let priors = match prior {
        Some(prior) => vec![prior.clone()],
        None => vec![
            usual_prior(Method::Fast, Task::of(physics), physics.name()),
            PriorChoice::None,
        ],
    };
    let timed = priors.into_iter().map(|p| (seconds(Method::Fast, &p), p));
    let (within, beyond): (Vec<_>, Vec<_>) = timed.partition(|(fast_s, _)| *fast_s <= budget_s);
    if let Some((fast_s, prior)) = within.into_iter().next() {
        let why = format!(
            "about {fast_s:.0} s here, within {budget_s:.0} s, and closer than the instant \
             method's {instant_s:.0} s"
        );
        return Choice {
            prior,
            ..of(Method::Fast, why)
        };
    }
    let fast_s = beyond.last().map_or(f64::INFINITY, |(fast_s, _)| *fast_s);
    of(
        Method::Instant,
        format!(
            "the fast method would take about {fast_s:.0} s here, more than {budget_s:.0} s; \
             instant takes about {instant_s:.0} s"
        ),
    )
}

/// What has to be found out, as far as it decides how long that takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    Known,
    Scatter,
    Capture,
    Aberration { varying: bool },
}

impl Task {
    pub fn of(physics: &Physics) -> Self {
        match physics {
            Physics::Known(_) => Self::Known,
            Physics::Scatter(_) => Self::Scatter,
            Physics::Capture(_) => Self::Capture,
            Physics::Aberration(unknown) => Self::Aberration {
                varying: unknown.varying.is_some(),
            },
        }
    }

    /// Seconds of a 10x64x64 clip on two cores of a server of 2025 (docs/performance.md), the
    /// reference method with the published network; [`slowness`] times as long here.
    pub fn nominal_s(self, method: Method, prior: &PriorChoice) -> f64 {
        let instant = match self {
            Self::Known => 0.8,
            Self::Scatter => 3.0,
            Self::Capture => 2.5,
            Self::Aberration { varying: true } => 20.0,
            Self::Aberration { varying: false } => 46.0,
        };
        match method {
            Method::Instant => instant,
            Method::Fast => match prior {
                PriorChoice::Network(_) => instant + 30.0,
                _ => instant + 15.0,
            },
            Method::Reference => 5400.0,
        }
    }
}

/// How much longer this machine takes for clips of this shape than the nominal one for
/// 10x64x64: measured on a few evaluations of the scatter model.
pub fn slowness(shape: Shape) -> f64 {
    /// Of the nominal machine, with its gradient.
    const NOMINAL_MS: f64 = 0.7;
    let Ok(model) = Scatter::new(shape, Optics::SYNTHETIC, 5.0, 1.0) else {
        return 1.0;
    };
    let clip = Clip::filled(shape, 0.5);
    let once = || {
        let started = Clock::now();
        let linearised = model.linearise(&clip);
        (linearised.pullback)(&clip, false);
        started.elapsed().as_secs_f64() * 1e3
    };
    // The best of several: other programs only ever slow one down.
    let best = (0..8).map(|_| once()).fold(f64::INFINITY, f64::min);
    best / NOMINAL_MS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::physics::zernike::MODES;
    use crate::physics::{Dehaze, ZernikeBlur};

    #[test]
    fn the_budget_and_the_machine_decide() {
        let shape = Shape::new(1, 8, 8);
        let scatter = || {
            let model = Scatter::new(shape, Optics::SYNTHETIC, 5.0, 1.0).unwrap();
            Physics::Known(Box::new(model))
        };
        let choice = |physics: Physics, prior: Option<PriorChoice>, budget_s, slowness| {
            let budget = Duration::from_secs(budget_s);
            choose(&physics, prior.as_ref(), budget, slowness)
        };
        let method = |physics: Physics, prior: Option<PriorChoice>, budget_s, slowness| {
            choice(physics, prior, budget_s, slowness).method
        };
        let learned = |budget_s, slowness| {
            let model = ZernikeBlur::new(shape, vec![0.1; MODES.len()]).unwrap();
            let known = Physics::Known(Box::new(model));
            let prior = choice(known, None, budget_s, slowness).prior;
            matches!(prior, PriorChoice::Network(_))
        };
        assert!(learned(120, 1.0) && !learned(20, 1.0) && !learned(120, 20.0));
        for unlearned in [None, Some(PriorChoice::None)] {
            let method =
                |budget_s, slowness| method(scatter(), unlearned.clone(), budget_s, slowness);
            assert_eq!(method(120, 1.0), Method::Fast);
            assert_eq!(method(5, 1.0), Method::Instant);
            assert_eq!(method(120, 20.0), Method::Instant);
        }
        let named = |prior, budget_s| method(scatter(), Some(prior), budget_s, 1.0);
        assert_eq!(named(PriorChoice::Tv, 120), Method::Instant);
        assert_eq!(named(PriorChoice::Blocks, 5), Method::Fast);
        let network = PriorChoice::Network(NetworkChoice::Embedded);
        assert_eq!(named(network, 5), Method::Fast);
        let haze = Physics::Known(Box::new(Dehaze::new(shape).unwrap()));
        assert_eq!(method(haze, None, 120, 1.0), Method::Instant);
    }

    #[test]
    fn every_method_can_use_the_prior_it_gets_where_none_is_named() {
        let learned = |method, task, model| {
            matches!(usual_prior(method, task, model), PriorChoice::Network(_))
        };
        assert!(learned(Method::Reference, Task::Scatter, "scatter"));
        assert!(learned(Method::Fast, Task::Known, "zernike"));
        assert!(learned(Method::Fast, Task::Known, "blur"));
        assert!(!learned(Method::Fast, Task::Known, "scatter"));
        assert!(!learned(Method::Instant, Task::Known, "zernike"));
    }

    #[test]
    fn slowness_grows_with_the_clip() {
        let (small, large) = (Shape::new(1, 16, 16), Shape::new(4, 128, 128));
        assert!(slowness(large) > slowness(small));
    }
}
