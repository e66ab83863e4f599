//! Forward models by name: the published experiments, and the user's own.

use eframe::egui::{self, Id, Modal, TextEdit};
use serde::{Deserialize, Serialize};

use crate::app::Studio;
use crate::app::setup::{Model, Setup, Varying};
use crate::physics::{Blur, Optics};

/// A forward model that the user has named.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preset {
    pub name: String,
    pub setup: Setup,
}

/// The window in which presets are named and deleted.
#[derive(Default)]
pub struct Manager {
    open: bool,
    /// Of the preset to be saved.
    name: String,
}

/// A published experiment.
struct Published {
    name: &'static str,
    about: &'static str,
    change: fn(&mut Setup),
}

const PUBLISHED: [Published; 10] = [
    Published {
        name: "Known layer",
        about: "Distance 5 mm, width 0.5 px, 8 um pixels (eval)",
        change: |setup| layer(setup, (5.0, 5.0), (0.5, 0.5)),
    },
    Published {
        name: "Layer of unknown width",
        about: "Distance 5 mm, width 0.5 to 1 px of each frame (eval-blind)",
        change: |setup| layer(setup, (5.0, 5.0), (0.5, 1.0)),
    },
    Published {
        name: "Unknown layer",
        about: "Distance 2.5 to 5 mm, width 0.5 to 1 px of each frame (eval-blind)",
        change: |setup| layer(setup, (2.5, 5.0), (0.5, 1.0)),
    },
    Published {
        name: "Real capture",
        about: "24 um pixels, 532 nm, magnification 1; width 0.5 to 2 px, gain and offset unknown \
                (eval-blind-real). Set the distance to the capture's",
        change: |setup| {
            layer(setup, (10.0, 10.0), (0.5, 2.0));
            setup.pitch_um = Some(Optics::REAL.pitch_um);
            setup.fit_gain = true;
        },
    },
    Published {
        name: "Known aberration",
        about: "Ten Zernike coefficients, all zero to begin with",
        change: |setup| aberration(setup, false, Varying::No),
    },
    Published {
        name: "Unknown aberration",
        about: "One for the clip (eval-blind-zernike)",
        change: |setup| aberration(setup, true, Varying::No),
    },
    Published {
        name: "Varying aberration",
        about: "One for each frame, all unknown (eval-blind-zernike-varying)",
        change: |setup| aberration(setup, true, Varying::Free),
    },
    Published {
        name: "Haze",
        about: "The published haze (eval --deg dehaze)",
        change: |setup| setup.model = Model::Dehaze,
    },
    Published {
        name: "Gaussian blur",
        about: "3 px wide (eval --deg blur)",
        change: |setup| {
            setup.model = Model::Blur;
            setup.blur_sigma_px = Blur::PUBLISHED_SIGMA_PX;
        },
    },
    Published {
        name: "Missing pixels",
        about: "Half of them, at random (eval --deg inpaint)",
        change: |setup| setup.model = Model::Inpaint,
    },
];

fn layer(setup: &mut Setup, dist_mm: (f64, f64), sigma_px: (f64, f64)) {
    setup.model = Model::Scatter;
    for (sought, (min, max)) in [
        (&mut setup.dist_mm, dist_mm),
        (&mut setup.sigma_px, sigma_px),
    ] {
        sought.unknown = min < max;
        sought.value = 0.5 * (min + max);
        if sought.unknown {
            (sought.min, sought.max) = (min, max);
        }
    }
}

fn aberration(setup: &mut Setup, unknown: bool, varying: Varying) {
    setup.model = Model::Zernike;
    setup.coefficients_unknown = unknown;
    setup.varying = varying;
}

impl Studio {
    pub(super) fn presets_menu(&mut self, ui: &mut egui::Ui) {
        ui.menu_button("Presets", |ui| {
            ui.weak("Published experiments");
            for preset in &PUBLISHED {
                if ui.button(preset.name).on_hover_text(preset.about).clicked() {
                    let mut fresh = Setup::default();
                    (preset.change)(&mut fresh);
                    self.kept.setup.take_model(&fresh);
                    self.fit_setup();
                }
            }
            ui.separator();
            ui.weak("Your own");
            if self.kept.presets.is_empty() {
                ui.weak("none yet");
            }
            let mut taken = false;
            for preset in &self.kept.presets {
                if ui.button(&preset.name).clicked() {
                    self.kept.setup.take_model(&preset.setup);
                    taken = true;
                }
            }
            if taken {
                self.fit_setup();
            }
            if ui
                .button("Save, rename or delete ...")
                .on_hover_text("Keep the present forward model under a name")
                .clicked()
            {
                self.presets.open = true;
            }
        })
        .response
        .on_hover_text("Forward models by name; method and prior stay as they are");
    }

    /// The window of the user's own presets, where it is open.
    pub(in crate::app) fn presets_window(&mut self, ctx: &egui::Context) {
        if !self.presets.open {
            return;
        }
        let modal = Modal::new(Id::unique("presets")).show(ctx, |ui| {
            ui.set_width(340.0);
            ui.heading("Your presets");
            ui.horizontal(|ui| {
                let name = ui.label("name");
                ui.add(TextEdit::singleline(&mut self.presets.name).desired_width(170.0))
                    .labelled_by(name.id);
                let name = self.presets.name.trim();
                let new = !name.is_empty() && self.kept.presets.iter().all(|p| p.name != name);
                if ui
                    .add_enabled(new, egui::Button::new("Save preset"))
                    .on_hover_text("Keeps the present forward model with its geometry")
                    .on_disabled_hover_text("Give a name that is not taken yet")
                    .clicked()
                {
                    self.kept.presets.push(Preset {
                        name: name.to_owned(),
                        setup: self.kept.setup.clone(),
                    });
                    self.presets.name.clear();
                }
            });
            ui.separator();
            let mut deleted = None;
            for (i, preset) in self.kept.presets.iter_mut().enumerate() {
                ui.horizontal(|ui| {
                    let name = ui.label(format!("{}.", i + 1));
                    ui.add(TextEdit::singleline(&mut preset.name).desired_width(190.0))
                        .labelled_by(name.id)
                        .on_hover_text("Write another name over it");
                    let delete = ui.button(format!("Delete {}", i + 1));
                    if delete.on_hover_text(&preset.name).clicked() {
                        deleted = Some(i);
                    }
                });
            }
            if let Some(deleted) = deleted {
                self.kept.presets.remove(deleted);
            }
            ui.add_space(6.0);
            if ui.button("Done").clicked() {
                ui.close();
            }
        });
        if modal.should_close() {
            self.presets.open = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::ReadOptions;

    #[test]
    fn every_published_preset_is_a_model_that_can_be_made() {
        for preset in &PUBLISHED {
            let mut setup = Setup {
                seed: 7,
                budget_s: 5,
                ..Setup::default()
            };
            let mut fresh = Setup::default();
            (preset.change)(&mut fresh);
            setup.take_model(&fresh);
            assert_eq!((setup.seed, setup.budget_s), (7, 5));
            let made = setup.live_model(Shape::new(2, 32, 32), None, 0, &ReadOptions::default());
            assert!(made.is_ok(), "{}", preset.name);
        }
    }

    #[test]
    fn the_unknown_layer_has_the_published_ranges() {
        let mut setup = Setup::default();
        (PUBLISHED[2].change)(&mut setup);
        let (dist, sigma) = (&setup.dist_mm, &setup.sigma_px);
        assert!(dist.unknown && sigma.unknown);
        assert_eq!((dist.min, dist.max), (2.5, 5.0));
        assert_eq!((sigma.min, sigma.max), (0.5, 1.0));
        let mut setup = Setup::default();
        (PUBLISHED[3].change)(&mut setup);
        assert!(setup.fit_gain && !setup.dist_mm.unknown && setup.sigma_px.unknown);
    }
}
