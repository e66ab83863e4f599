//! What the forward model makes of a point: pupil, point spread function, profile of a blur.

use eframe::egui::{self, Color32, ColorImage, Rect, Sense, TextureHandle, TextureOptions, Vec2};
use serde::{Deserialize, Serialize};

use crate::app::Studio;
use crate::app::picture::picture;
use crate::display::ColourMap;
use crate::physics::zernike::PSF_SIZE;
use crate::worker::Response;

/// How intensities become brightness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum PsfScale {
    Linear,
    #[default]
    Root,
    Log,
}

impl PsfScale {
    const ALL: [Self; 3] = [Self::Linear, Self::Root, Self::Log];

    fn label(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Root => "root",
            Self::Log => "log",
        }
    }

    /// 0 to 1 of a share of the largest intensity; the logarithm goes over four decades.
    fn brightness(self, share: f32) -> f32 {
        match self {
            Self::Linear => share,
            Self::Root => share.sqrt(),
            Self::Log => 1.0 + share.max(1e-4).log10() / 4.0,
        }
    }
}

/// The pictures as they were last made.
#[derive(Default)]
pub struct ResponsePicture {
    of: Option<(Response, PsfScale)>,
    phase: Option<TextureHandle>,
    psf: Option<TextureHandle>,
}

const SIDE: f32 = 118.0;

impl Studio {
    /// Draws what the live thread has sent of the present model.
    pub(super) fn response_pictures(&mut self, ui: &mut egui::Ui) {
        let clips = self.probe.clips.as_ref();
        match clips.and_then(|clips| clips.response.as_ref()) {
            Some(response @ Response::Pupil { .. }) => {
                let scale = &mut self.kept.psf_scale;
                self.response_picture.show(ui, response, scale);
            }
            Some(Response::Taps(taps)) => profile(ui, taps),
            None => {}
        }
    }
}

impl ResponsePicture {
    fn show(&mut self, ui: &mut egui::Ui, response: &Response, scale: &mut PsfScale) {
        let wanted = (response.clone(), *scale);
        if self.of.as_ref() != Some(&wanted)
            && let Response::Pupil { phase_rad, psf } = response
        {
            let load = |texture: &mut Option<TextureHandle>, name: &str, image: ColorImage| {
                match texture {
                    Some(texture) => texture.set(image, TextureOptions::NEAREST),
                    None => {
                        let made = ui.ctx().load_texture(name, image, TextureOptions::NEAREST);
                        *texture = Some(made);
                    }
                }
            };
            load(&mut self.phase, "pupil phase", phase_image(phase_rad));
            load(&mut self.psf, "psf", psf_image(psf, *scale));
            self.of = Some(wanted);
        }
        ui.horizontal(|ui| {
            for (texture, name, about) in [
                (
                    &self.phase,
                    "pupil phase",
                    "Phase over the pupil, wrapped to half a turn each way: one round of colours \
                     is one wave",
                ),
                (
                    &self.psf,
                    "PSF",
                    "The point spread function over 32 x 32 pixels, relative to its peak",
                ),
            ] {
                let Some(texture) = texture else { continue };
                ui.vertical(|ui| {
                    ui.weak(name);
                    let size = Vec2::splat(SIDE);
                    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
                    let whole = Rect::from_min_max(egui::pos2(0.0, 0.0), egui::pos2(1.0, 1.0));
                    ui.painter()
                        .image(texture.id(), rect, whole, Color32::WHITE);
                    response.widget_info(|| {
                        egui::WidgetInfo::labeled(
                            egui::Role::Image,
                            true,
                            format!("{name} picture"),
                        )
                    });
                    response.on_hover_text(about);
                });
            }
        });
        ui.horizontal(|ui| {
            ui.weak("PSF scale");
            for other in PsfScale::ALL {
                ui.selectable_value(scale, other, other.label())
                    .on_hover_text("How the point spread function's intensities become brightness");
            }
        });
    }
}

/// A round of hues for a turn, nothing outside of the pupil.
fn phase_image(phase_rad: &[f32]) -> ColorImage {
    let colour = |&phase: &f32| match phase.is_finite() {
        true => {
            let share = phase / std::f32::consts::TAU + 0.5;
            egui::ecolor::Hsva::new(share.clamp(0.0, 1.0), 0.55, 0.9, 1.0).into()
        }
        false => Color32::TRANSPARENT,
    };
    ColorImage::new(
        [PSF_SIZE, phase_rad.len() / PSF_SIZE],
        phase_rad.iter().map(colour).collect(),
    )
}

fn psf_image(psf: &[f32], scale: PsfScale) -> ColorImage {
    let peak = psf.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let shown: Vec<f32> = psf.iter().map(|v| scale.brightness(v / peak)).collect();
    picture(&shown, PSF_SIZE, (0.0, 1.0), ColourMap::Viridis)
}

/// The weights of a blur as bars.
fn profile(ui: &mut egui::Ui, taps: &[f32]) {
    ui.weak(match taps.len() {
        1 => "blur: narrower than a pixel, nothing is blurred".to_owned(),
        count => format!("blur: {count} pixels along an axis"),
    });
    let size = Vec2::new(ui.available_width().min(2.0 * SIDE), 36.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let peak = taps.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let step = (rect.width() / taps.len().max(15) as f32).min(16.0);
    let left = rect.center().x - 0.5 * step * taps.len() as f32;
    for (i, tap) in taps.iter().enumerate() {
        let bar = Rect::from_min_max(
            egui::pos2(
                left + step * i as f32,
                rect.bottom() - rect.height() * tap / peak,
            ),
            egui::pos2(left + step * (i + 1) as f32 - 1.0, rect.bottom()),
        );
        let colour = ui.visuals().selection.bg_fill;
        ui.painter().rect_filled(bar, 0.0, colour);
    }
    response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, "blur profile picture"));
    response.on_hover_text(
        "Weights of the pixels along one axis, relative to the middle: the published kernel, whose \
         width is somewhat below the one that is asked for",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_keep_the_ends_and_the_order() {
        for scale in PsfScale::ALL {
            assert_eq!(scale.brightness(1.0), 1.0);
            assert_eq!(scale.brightness(0.0), 0.0);
            assert!(scale.brightness(0.2) < scale.brightness(0.3));
        }
        assert!(PsfScale::Log.brightness(0.01) > PsfScale::Root.brightness(0.01));
    }

    #[test]
    fn the_phase_is_a_round_of_colours_inside_the_pupil() {
        let mut phase = vec![f32::NAN; PSF_SIZE * PSF_SIZE];
        (phase[0], phase[1], phase[2]) = (std::f32::consts::PI, -std::f32::consts::PI, 0.0);
        let image = phase_image(&phase);
        assert_eq!(image.size, [PSF_SIZE, PSF_SIZE]);
        assert_eq!(image.pixels[0], image.pixels[1]);
        assert_ne!(image.pixels[0], image.pixels[2]);
        assert_eq!(image.pixels[3], Color32::TRANSPARENT);
    }
}
