//! Which frame is shown, and playing them.

use std::time::Duration;

use eframe::egui;

use super::Studio;

pub(super) struct Playback {
    pub playing: bool,
    /// Frames a second.
    pub rate: f32,
    /// The frame with what is left over of it.
    pub at: f32,
}

impl Studio {
    pub(super) fn frames(&self) -> usize {
        self.source
            .as_ref()
            .map_or(1, |source| source.recorded.shape().frames)
    }

    /// The frame that is shown.
    pub(super) fn frame(&self) -> usize {
        (self.playback.at as usize).min(self.frames() - 1)
    }

    pub(super) fn show_frame(&mut self, by: isize) {
        let frames = self.frames() as isize;
        self.playback.playing = false;
        self.playback.at = (self.frame() as isize + by).rem_euclid(frames) as f32;
    }

    pub(super) fn play(&mut self, ctx: &egui::Context) {
        if self.playback.playing && self.frames() > 1 {
            let passed = ctx.input(|input| input.stable_dt).min(0.2);
            let frames = self.frames() as f32;
            self.playback.at = (self.playback.at + passed * self.playback.rate) % frames;
            let left = 1.0 - self.playback.at.fract();
            ctx.request_repaint_after(Duration::from_secs_f32(left / self.playback.rate));
        }
    }
}
