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
    /// When `at` was last moved on, in seconds of the window's clock; none while it holds.
    pub since: Option<f64>,
}

/// A window that was hidden or slow does not make up for more than this, in seconds.
const LONGEST: f64 = 0.5;
/// Waking up a little late is cheaper than a frame too early, which would be drawn in vain.
const LATE: f32 = 0.002;

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

    /// Shows a frame, and stays there.
    pub fn hold_at(&mut self, frame: usize) {
        (self.playback.playing, self.playback.at) = (false, frame as f32);
    }

    pub(super) fn play(&mut self, ctx: &egui::Context) {
        if !self.playback.playing || self.frames() < 2 {
            self.playback.since = None;
            return;
        }
        // By the clock: egui's time step is a guess where a repaint was asked for later.
        let now = ctx.input(|input| input.time);
        let passed = self
            .playback
            .since
            .replace(now)
            .map_or(0.0, |since| now - since);
        let passed = passed.clamp(0.0, LONGEST) as f32;
        let frames = self.frames() as f32;
        self.playback.at = (self.playback.at + passed * self.playback.rate) % frames;
        let left = (1.0 - self.playback.at.fract()) / self.playback.rate;
        ctx.request_repaint_after(Duration::from_secs_f32(left + LATE));
    }
}
