//! Live physics: what the sliders mean for the estimate that is shown.

use std::sync::Arc;

use super::{Setup, Studio};
use crate::clip::Clip;
use crate::worker::{LiveClips, LiveRequest};

/// Live physics at the sliders' values.
#[derive(Default)]
pub(super) struct Probe {
    pub asked: u64,
    /// The last answer that was shown.
    pub answered: u64,
    /// What was asked about last.
    pub about: Option<About>,
    pub clips: Option<LiveClips>,
    pub error: Option<String>,
    /// Whether the panes show the sliders' values, or what a run found.
    pub shown: bool,
    /// Whether the true video is measured in place of the estimate.
    pub of_truth: bool,
}

/// What the sliders are tried on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Estimate,
    Truth,
    /// Made from the measurement, where there is no estimate yet.
    FirstGuess,
}

/// What a question is about.
#[derive(PartialEq)]
pub(super) struct About {
    setup: Setup,
    frame: usize,
    estimate: Option<Same>,
    recorded: Same,
}

/// A clip that is the same only where it is the very same; held, so that no other can take its
/// place in memory.
#[derive(Clone, Debug)]
pub(super) struct Same(pub Arc<Clip>);

impl PartialEq for Same {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Studio {
    /// What the live view measures.
    pub(super) fn subject(&self) -> Subject {
        let has_truth = self
            .source
            .as_ref()
            .is_some_and(|source| source.truth.is_some());
        match (self.probe.of_truth && has_truth, self.estimate()) {
            (true, _) => Subject::Truth,
            (false, Some(_)) => Subject::Estimate,
            (false, None) => Subject::FirstGuess,
        }
    }

    /// Asks the live thread what the sliders mean, once they or the estimate have changed.
    pub(super) fn ask_live(&mut self) {
        let Some(source) = &self.source else {
            return;
        };
        let estimate = match self.subject() {
            Subject::Truth => source.truth.clone(),
            Subject::Estimate => self.estimate().cloned(),
            Subject::FirstGuess => None,
        };
        let setup = &self.kept.setup;
        let about = About {
            setup: setup.clone(),
            // Of values that serve the clip every frame has the same.
            frame: if setup.differs_by_frame() {
                self.frame()
            } else {
                0
            },
            estimate: estimate.clone().map(Same),
            recorded: Same(source.recorded.clone()),
        };
        if self.probe.about.as_ref() == Some(&about) {
            return;
        }
        if let Some(before) = &self.probe.about
            && before.setup != about.setup
        {
            self.probe.shown = true;
        }
        self.probe.asked += 1;
        let (setup, shape) = (self.kept.setup.clone(), source.recorded.shape());
        let (file_um, frame) = (source.pixel_pitch_um, about.frame);
        let cut = source.cut.read();
        self.live.ask(LiveRequest {
            id: self.probe.asked,
            exposure: setup.exposure(),
            model: Box::new(move || setup.live_model(shape, file_um, frame, &cut)),
            estimate,
            measurement: source.measurement.clone(),
        });
        self.probe.about = Some(about);
    }
}
