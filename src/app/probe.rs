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
    pub about: Option<(Setup, usize, usize)>,
    pub clips: Option<LiveClips>,
    pub error: Option<String>,
    /// Whether the panes show the sliders' values, or what a run found.
    pub shown: bool,
}

impl Studio {
    /// Asks the live thread what the sliders mean, once they or the estimate have changed.
    pub(super) fn ask_live(&mut self) {
        let Some(source) = &self.source else {
            return;
        };
        let estimate = self.estimate().cloned();
        let mark = |clip: &Arc<Clip>| Arc::as_ptr(clip).addr();
        let about = (
            self.kept.setup.clone(),
            estimate.as_ref().map_or(0, mark),
            mark(&source.recorded),
        );
        if self.probe.about.as_ref() == Some(&about) {
            return;
        }
        if let Some((setup, ..)) = &self.probe.about
            && *setup != about.0
        {
            self.probe.shown = true;
        }
        self.probe.asked += 1;
        let (setup, shape) = (self.kept.setup.clone(), source.recorded.shape());
        let file_um = source.pixel_pitch_um;
        self.live.ask(LiveRequest {
            id: self.probe.asked,
            fit_gain: setup.fit_gain && setup.can_fit_gain(),
            model: Box::new(move || Ok(setup.forward_model(shape, file_um)?)),
            estimate,
            measurement: source.measurement.clone(),
        });
        self.probe.about = Some(about);
    }
}
