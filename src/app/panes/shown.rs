//! What panes can show, and with which colours.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Studio;
use crate::app::probe::Subject;
use crate::clip::Clip;
use crate::display::{ColourMap, Contrast, Layer, Look, Quantity, Range, Transform, signed_range};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Shown {
    Measurement,
    Estimate,
    Remeasured,
    Residual,
    Truth,
    /// An estimate put aside, to compare others with.
    Pinned,
    /// Standard deviation over the estimates of several seeds.
    Spread,
}

impl Shown {
    pub const ALL: [Self; 7] = [
        Self::Measurement,
        Self::Estimate,
        Self::Remeasured,
        Self::Residual,
        Self::Truth,
        Self::Pinned,
        Self::Spread,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Self::Measurement => "Measurement",
            Self::Estimate => "Estimate x0",
            Self::Remeasured => "Re-measured A(x0)",
            Self::Residual => "Residual A(x0) - y",
            Self::Truth => "True video",
            Self::Pinned => "Pinned estimate",
            Self::Spread => "Spread over seeds",
        }
    }

    /// What its values are.
    pub fn quantity(self) -> Quantity {
        match self {
            Self::Measurement | Self::Remeasured => Quantity::Intensity,
            Self::Residual => Quantity::Difference,
            Self::Estimate | Self::Truth | Self::Pinned => Quantity::Amplitude,
            Self::Spread => Quantity::Deviation,
        }
    }

    /// What a pane says that has nothing to show.
    pub fn missing(self) -> &'static str {
        match self {
            Self::Truth => "No true video is open (File, Open its true video).",
            Self::Estimate => {
                "No estimate yet: until a run has one, A of a first guess or of the true video is shown."
            }
            Self::Pinned => "Nothing is pinned (Runs, Pin this estimate).",
            Self::Spread => "Run again with another seed: what differs shows here.",
            _ => "Nothing yet.",
        }
    }
}

/// The range of a clip's colours, found once: of the measured clips, of the estimated ones, of
/// their spread, and of those re-measured in another unit than was recorded.
#[derive(Default)]
pub struct Ranges([Option<Found>; 4]);

struct Found {
    /// Held, so that no other clip can take its place in memory.
    clip: Arc<Clip>,
    contrast: Contrast,
    transform: Transform,
    range: Range,
}

impl Ranges {
    fn of(
        &mut self,
        group: usize,
        clip: &Arc<Clip>,
        contrast: Contrast,
        transform: Transform,
    ) -> Range {
        let place = &mut self.0[group];
        if let Some(found) = place
            && Arc::ptr_eq(&found.clip, clip)
            && found.contrast == contrast
            && found.transform == transform
        {
            return found.range;
        }
        let range = contrast.range(clip, transform);
        *place = Some(Found {
            clip: clip.clone(),
            contrast,
            transform,
            range,
        });
        range
    }
}

impl Studio {
    /// The clip of a pane.
    pub(in crate::app) fn clip(&self, shown: Shown) -> Option<Arc<Clip>> {
        let source = self.source.as_ref()?;
        let preview = self.runs.shown().and_then(|run| run.shown());
        match shown {
            Shown::Measurement => Some(source.recorded.clone()),
            Shown::Estimate => Some(preview?.estimate.clone()),
            Shown::Truth => source.truth.clone(),
            Shown::Pinned => Some(self.pinned.as_ref()?.clip.clone()),
            Shown::Spread => self.trust.spread.clone(),
            Shown::Remeasured | Shown::Residual => {
                let probe = self.probe.clips.as_ref().filter(|_| self.is_probed());
                let (predicted, residual) = match (probe, preview) {
                    (Some(probe), _) => (&probe.predicted, &probe.residual),
                    (None, Some(preview)) => (&preview.predicted, &preview.residual),
                    (None, None) => return None,
                };
                Some(match shown {
                    Shown::Remeasured => predicted.clone(),
                    _ => residual.clone(),
                })
            }
        }
    }

    /// Whether what is re-measured is at the sliders' values.
    pub(in crate::app) fn is_probed(&self) -> bool {
        self.probe.shown || self.subject() != Subject::Estimate
    }

    /// Of the residual that the panes show.
    pub(in crate::app) fn residual_rms(&self) -> Option<f64> {
        match self.probe.clips.as_ref().filter(|_| self.is_probed()) {
            Some(probe) => Some(probe.residual_rms),
            None => Some(self.runs.shown()?.shown()?.residual_rms),
        }
    }

    /// A frame of a clip with the colours of its pane.
    pub(in crate::app) fn layer(&mut self, shown: Shown, frame: usize) -> Option<Layer> {
        let clip = self.clip(shown)?;
        let look = self.look(shown, &clip);
        Some(Layer {
            frame: frame.min(clip.shape().frames - 1),
            clip,
            look,
        })
    }

    pub(in crate::app) fn look(&mut self, shown: Shown, clip: &Arc<Clip>) -> Look {
        let view = &self.kept.view;
        let own = shown.quantity();
        let transform = own.shown_as(view.values.of(own));
        if shown == Shown::Residual {
            let high = view.residual_end;
            let range = match high > 0.0 {
                true => Range { low: -high, high },
                false => signed_range(self.residual_rms().unwrap_or(f64::NAN)),
            };
            return Look {
                map: ColourMap::Diverging,
                range,
                transform,
            };
        }
        // Clips that are compared have one scale, and going back through a run leaves it alone.
        let newest = self.runs.shown().and_then(|run| run.history.last());
        let source = self.source.as_ref();
        let (group, reference) = match shown {
            Shown::Estimate | Shown::Truth | Shown::Pinned => {
                let truth = source.and_then(|source| source.truth.as_ref());
                (1, truth.or(newest.map(|preview| &preview.estimate)))
            }
            Shown::Spread => (2, None),
            // Gain and offset are taken out of it.
            Shown::Remeasured if self.kept.setup.is_exposed() => (3, None),
            Shown::Measurement | Shown::Remeasured | Shown::Residual => {
                (0, source.map(|source| &source.recorded))
            }
        };
        let (contrast, map) = (view.contrast(), view.map);
        let reference = reference.unwrap_or(clip);
        Look {
            map,
            range: self.panes.ranges.of(group, reference, contrast, transform),
            transform,
        }
    }
}
