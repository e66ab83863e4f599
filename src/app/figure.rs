//! The panes as a figure, with what the run was in words.

use super::Studio;
use super::panes::PaneOf;
use crate::display::figure::{Figure, Panel};
use crate::display::{Scene, length, short};
use crate::physics::Parameter;

impl Studio {
    /// None where no pane has anything to show.
    pub(super) fn figure(&mut self) -> Option<Figure> {
        let (frame, seen) = (self.frame(), self.kept.view.window());
        let mut panels = Vec::new();
        for pane in self.visible() {
            let Some(layer) = self.layer(pane.left, frame) else {
                continue;
            };
            let beyond = match pane.right.map(|right| self.layer(right, frame)) {
                None => None,
                Some(Some(layer)) => Some((layer, self.kept.view.wipe)),
                // Nothing is there to wipe to.
                Some(None) => continue,
            };
            panels.push(Panel {
                title: self.panel_title(pane),
                scene: Scene {
                    layer,
                    beyond,
                    seen,
                },
            });
        }
        let source = self.source.as_ref()?;
        if panels.is_empty() {
            return None;
        }
        let pixel_um = self.pixel_um();
        let shape = source.recorded.shape();
        let about = format!(
            "frame {} of {}, {} x {} pixels, {} a pixel at the object",
            frame + 1,
            shape.frames,
            shape.height,
            shape.width,
            length(pixel_um)
        );
        Some(Figure {
            title: source.name(),
            columns: self.grid().1,
            panels,
            facts: [
                Some(about),
                self.parameters_in_words(frame),
                self.residual_in_words(),
            ]
            .into_iter()
            .flatten()
            .collect(),
            pixel_um,
            upscaling: self.kept.export.upscaling(),
        })
    }

    fn panel_title(&self, pane: PaneOf) -> String {
        let titles: Vec<String> = pane.shows().map(|shown| self.title(shown)).collect();
        titles.join(" | ")
    }

    /// The values that A was computed with, for a frame.
    fn parameters_in_words(&self, frame: usize) -> Option<String> {
        let setup = &self.kept.setup;
        let model = setup.model.label();
        let shown = self.runs.shown().and_then(|run| run.shown());
        let parameters = match shown.filter(|_| !self.is_probed()) {
            Some(preview) => preview.parameters.to_vec(),
            None => {
                let source = self.source.as_ref()?;
                let (shape, file_um) = (source.recorded.shape(), source.pixel_pitch_um);
                let cut = source.cut.read();
                setup
                    .live_model(shape, file_um, 0, &cut)
                    .ok()?
                    .model
                    .parameters()
            }
        };
        let of_frame = parameters
            .iter()
            .filter(|parameter| parameter.frame.is_none_or(|of| of == frame));
        let in_words = |parameter: &Parameter| {
            let value = short(parameter.value);
            format!("{} {value} {}", parameter.name, parameter.unit.symbol())
        };
        let values: Vec<String> = of_frame.map(in_words).collect();
        Some(match values.is_empty() {
            true => model.to_owned(),
            false => format!("{model}: {}", values.join(", ")),
        })
    }

    fn residual_in_words(&self) -> Option<String> {
        let mut text = format!("residual {:.5} rms", self.residual_rms()?);
        if let Some(preview) = self.runs.shown().and_then(|run| run.shown()) {
            if let Some(psnr) = preview.psnr_db {
                text += &format!(", estimate {psnr:.2} dB PSNR");
            }
            text += &format!(", step {}", preview.step);
        }
        Some(text)
    }
}
