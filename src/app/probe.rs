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
}

/// What a question is about; clips by their places in memory.
#[derive(PartialEq)]
pub(super) struct About {
    setup: Setup,
    frame: usize,
    estimate: usize,
    recorded: usize,
}

impl Studio {
    /// Asks the live thread what the sliders mean, once they or the estimate have changed.
    pub(super) fn ask_live(&mut self) {
        let Some(source) = &self.source else {
            return;
        };
        let estimate = self.estimate().cloned();
        let mark = |clip: &Arc<Clip>| Arc::as_ptr(clip).addr();
        let setup = &self.kept.setup;
        let about = About {
            setup: setup.clone(),
            // Of values that serve the clip every frame has the same.
            frame: if setup.differs_by_frame() {
                self.frame()
            } else {
                0
            },
            estimate: estimate.as_ref().map_or(0, mark),
            recorded: mark(&source.recorded),
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
        self.live.ask(LiveRequest {
            id: self.probe.asked,
            exposure: setup.exposure(),
            model: Box::new(move || setup.live_model(shape, file_um, frame)),
            estimate,
            measurement: source.measurement.clone(),
        });
        self.probe.about = Some(about);
    }
}
