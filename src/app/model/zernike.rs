//! The ten coefficients of an aberration.

use eframe::egui::{self, Slider};

use crate::app::Studio;
use crate::app::setup::Varying;
use crate::physics::zernike::MODES;

/// Where the sliders end, in radians; more can be typed.
const REACH_RAD: f64 = 6.0;

impl Studio {
    pub(super) fn zernike(&mut self, ui: &mut egui::Ui) {
        let frame = self.frame();
        let setup = &mut self.kept.setup;
        ui.horizontal(|ui| {
            ui.radio_value(&mut setup.coefficients_unknown, true, "unknown")
                .on_hover_text("The coefficients are looked for");
            ui.radio_value(&mut setup.coefficients_unknown, false, "known")
                .on_hover_text("The sliders say what they are");
        });
        if setup.coefficients_unknown {
            ui.horizontal_wrapped(|ui| {
                ui.radio_value(&mut setup.varying, Varying::No, "one for the clip")
                    .on_hover_text("All frames share the aberration");
                ui.radio_value(&mut setup.varying, Varying::Free, "one a frame")
                    .on_hover_text("Each frame's has nothing to do with the others'");
                ui.radio_value(&mut setup.varying, Varying::Smooth, "drifting")
                    .on_hover_text("It changes by about half a radian from frame to frame");
            });
        }
        self.frame_values(ui);
        let setup = &mut self.kept.setup;
        ui.strong(match setup.coefficients_unknown {
            true => "Coefficients of the live view (rad)",
            false => "Coefficients (rad)",
        });
        let values = setup.coefficients_of_mut(frame);
        for (value, mode) in values.iter_mut().zip(MODES) {
            let slider = Slider::new(value, -REACH_RAD..=REACH_RAD)
                .clamping(egui::SliderClamping::Never)
                .text(mode.name);
            ui.add(slider).on_hover_text(format!(
                "(n, m) = ({}, {}), OSA {}, Noll {}; radians, unnormalised: the phase at the \
                 pupil's rim",
                mode.n,
                mode.m,
                mode.osa(),
                mode.noll()
            ));
        }
        if ui
            .button("All zero")
            .on_hover_text("A pupil without aberration")
            .clicked()
        {
            *values = [0.0; MODES.len()];
        }
    }
}
