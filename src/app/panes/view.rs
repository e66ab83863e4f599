//! How the panes are looked at; it outlives the window.

use eframe::egui::{Rect, Vec2};
use serde::{Deserialize, Serialize};

use super::Shown;
use crate::display::{ColourMap, Contrast, Quantity, Range, Window};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Layout {
    One,
    Two,
    Four,
    Wipe,
}

/// How the range of colours is chosen; the numbers of each stay while another is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ContrastKind {
    Percentiles,
    Full,
    Fixed,
}

/// As what the values of amplitudes and intensities are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Values {
    Own,
    Amplitude,
    Intensity,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    pub layout: Layout,
    pub panes: [Shown; 4],
    pub map: ColourMap,
    pub values: Values,
    pub contrast: ContrastKind,
    pub percentiles: (f64, f64),
    pub fixed: Range,
    /// The end of the residual's scale; 0 fits it to the rms.
    pub residual_end: f32,
    /// Where the divider is, as a share of the pane's width.
    pub wipe: f32,
    /// Pixels of a frame seen across: 1 shows all.
    pub zoom: f32,
    /// The middle, as shares of the frame.
    pub middle: [f32; 2],
}

impl Default for View {
    fn default() -> Self {
        Self {
            layout: Layout::Four,
            panes: [
                Shown::Measurement,
                Shown::Estimate,
                Shown::Remeasured,
                Shown::Residual,
            ],
            map: ColourMap::Grey,
            values: Values::Own,
            contrast: ContrastKind::Percentiles,
            percentiles: (0.1, 99.9),
            fixed: Range::UNIT,
            residual_end: 0.0,
            wipe: 0.5,
            zoom: 1.0,
            middle: [0.5, 0.5],
        }
    }
}

impl View {
    const CLOSEST: f32 = 16.0;

    pub fn whole(&mut self) {
        (self.zoom, self.middle) = (1.0, [0.5, 0.5]);
    }

    /// The part of a frame that is seen, in shares of it.
    pub fn seen(&self) -> Rect {
        let half = 0.5 / self.zoom;
        let middle = self.middle.map(|at| at.clamp(half, 1.0 - half));
        Rect::from_center_size(middle.into(), Vec2::splat(2.0 * half))
    }

    /// The same for [`crate::display`].
    pub fn window(&self) -> Window {
        let seen = self.seen();
        Window {
            min: seen.min.into(),
            size: seen.size().into(),
        }
    }

    /// Zooms by a factor, keeping what is at `share` of the pane where it is.
    pub fn zoom_at(&mut self, factor: f32, share: Vec2) {
        let before = self.seen();
        let fixed = before.min + share * before.size();
        self.zoom = (self.zoom * factor).clamp(1.0, Self::CLOSEST);
        let size = 1.0 / self.zoom;
        let middle = fixed - (share - Vec2::splat(0.5)) * size;
        self.middle = [middle.x, middle.y];
        self.middle = self.seen().center().into();
    }

    /// Moves by a share of the pane.
    pub fn drag(&mut self, share: Vec2) {
        let middle = self.seen().center() - share / self.zoom;
        self.middle = [middle.x, middle.y];
        self.middle = self.seen().center().into();
    }

    pub fn contrast(&self) -> Contrast {
        match self.contrast {
            ContrastKind::Full => Contrast::Full,
            ContrastKind::Percentiles => Contrast::Percentiles {
                low: self.percentiles.0,
                high: self.percentiles.1,
            },
            ContrastKind::Fixed => Contrast::Fixed(self.fixed),
        }
    }
}

impl Layout {
    pub const ALL: [Self; 4] = [Self::One, Self::Two, Self::Four, Self::Wipe];

    pub fn label(self) -> &'static str {
        match self {
            Self::One => "One pane",
            Self::Two => "Two panes",
            Self::Four => "Four panes",
            Self::Wipe => "Wipe",
        }
    }

    /// In a narrow bar.
    pub fn short(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
            Self::Four => "4",
            Self::Wipe => "Wipe",
        }
    }

    /// Rows and columns of panes.
    pub fn grid(self) -> (usize, usize) {
        match self {
            Self::One | Self::Wipe => (1, 1),
            Self::Two => (1, 2),
            Self::Four => (2, 2),
        }
    }
}

impl ContrastKind {
    pub const ALL: [Self; 3] = [Self::Percentiles, Self::Full, Self::Fixed];

    pub fn label(self) -> &'static str {
        match self {
            Self::Percentiles => "percentiles",
            Self::Full => "full range",
            Self::Fixed => "fixed range",
        }
    }
}

impl Values {
    pub const ALL: [Self; 3] = [Self::Own, Self::Amplitude, Self::Intensity];

    pub fn label(self) -> &'static str {
        match self {
            Self::Own => "as they are",
            Self::Amplitude => "as amplitude",
            Self::Intensity => "as intensity",
        }
    }

    /// What a clip of this quantity is to be shown as.
    pub fn of(self, own: Quantity) -> Quantity {
        match self {
            Self::Own => own,
            Self::Amplitude => Quantity::Amplitude,
            Self::Intensity => Quantity::Intensity,
        }
    }
}

#[cfg(test)]
mod tests {
    use eframe::egui::Pos2;

    use super::*;

    #[test]
    fn zooming_keeps_what_is_under_the_pointer() {
        let mut view = View::default();
        let share = Vec2::new(0.75, 0.5);
        view.zoom_at(2.0, share);
        let seen = view.seen();
        assert!(
            (seen.min.x + 0.75 * seen.width() - 0.75).abs() < 1e-6,
            "{seen:?}"
        );
        view.drag(Vec2::new(100.0, 0.0));
        assert_eq!(view.seen().min.x, 0.0);
        view.zoom_at(0.1, share);
        assert_eq!(
            view.seen(),
            Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0))
        );
    }
}
