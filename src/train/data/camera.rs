//! How the camera moves during a clip.

use std::f32::consts::TAU;

use super::draw::{chance, octaves, signed, uniform};
use crate::noise::Noise;

/// Where a place on the screen lies in the scene: the scene turned, scaled and shifted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Of the turn, times the scale.
    pub cos: f32,
    pub sin: f32,
    pub shift: [f32; 2],
}

impl View {
    /// The place in the scene; places are `[x, y]` in frame heights from the frame's centre.
    pub fn scene_from_screen(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        [
            self.cos * x - self.sin * y + self.shift[0],
            self.sin * x + self.cos * y + self.shift[1],
        ]
    }

    /// The place on the screen.
    pub fn screen_from_scene(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (x, y) = (x - self.shift[0], y - self.shift[1]);
        let scale = self.scale() * self.scale();
        [
            (self.cos * x + self.sin * y) / scale,
            (self.cos * y - self.sin * x) / scale,
        ]
    }

    /// Scene lengths to one of the screen.
    pub fn scale(&self) -> f32 {
        self.cos.hypot(self.sin)
    }
}

/// A camera that stands still, trembles in a hand, or pans, zooms and turns.
#[derive(Clone, Debug)]
pub struct Camera {
    /// Frame heights a frame.
    pan: [f32; 2],
    /// Change of the logarithm of the scale a frame.
    zoom: f32,
    /// Radians a frame.
    turn: f32,
    /// Of each direction and of the turn.
    hand: Option<[Tremor; 3]>,
}

/// A smooth random motion: three waves.
#[derive(Clone, Debug)]
struct Tremor([Wave; 3]);

#[derive(Clone, Debug)]
struct Wave {
    height: f32,
    /// Radians a frame.
    rate: f32,
    phase: f32,
}

impl Tremor {
    fn drawn(noise: &mut Noise, height: f32) -> Self {
        Self(std::array::from_fn(|_| {
            let rate = octaves(noise, 0.15, 2.0);
            Wave {
                // Slow motions of a hand are the large ones.
                height: height * uniform(noise, 0.3, 1.0) * (0.5 / rate).min(1.5),
                rate,
                phase: uniform(noise, 0.0, TAU),
            }
        }))
    }

    fn at(&self, time: f32) -> f32 {
        let wave = |w: &Wave| w.height * (w.rate * time + w.phase).sin();
        self.0.iter().map(wave).sum()
    }
}

impl Camera {
    const STILL: Self = Self {
        pan: [0.0; 2],
        zoom: 0.0,
        turn: 0.0,
        hand: None,
    };

    /// Still in 40 of 100, in a hand in 25, moving in 35.
    pub fn drawn(noise: &mut Noise) -> Self {
        match noise.uniform(0.0, 1.0) {
            kind if kind < 0.4 => Self::STILL,
            kind if kind < 0.65 => Self::in_a_hand(noise),
            _ => Self::moving(noise),
        }
    }

    /// One that does not stand still.
    pub fn never_still(noise: &mut Noise) -> Self {
        if chance(noise, 0.4) {
            Self::in_a_hand(noise)
        } else {
            Self::moving(noise)
        }
    }

    fn in_a_hand(noise: &mut Noise) -> Self {
        let height = octaves(noise, 0.002, 0.03);
        let [x, y] = std::array::from_fn(|_| Tremor::drawn(noise, height));
        Self {
            hand: Some([x, y, Tremor::drawn(noise, 0.3 * height)]),
            ..Self::STILL
        }
    }

    fn moving(noise: &mut Noise) -> Self {
        let speed = octaves(noise, 0.002, 0.05);
        // Most pans are level.
        let angle = if chance(noise, 0.6) {
            uniform(noise, -0.15, 0.15)
        } else {
            uniform(noise, 0.0, TAU)
        };
        let speed = signed(noise, speed);
        let zoom = octaves(noise, 0.002, 0.025);
        let turn = octaves(noise, 0.002, 0.025);
        let (zooms, turns) = (chance(noise, 0.4), chance(noise, 0.2));
        let hand = chance(noise, 0.5).then(|| Self::in_a_hand(noise).hand);
        Self {
            pan: [speed * angle.cos(), speed * angle.sin()],
            zoom: if zooms { signed(noise, zoom) } else { 0.0 },
            turn: if turns { signed(noise, turn) } else { 0.0 },
            hand: hand.flatten(),
        }
    }

    pub fn is_still(&self) -> bool {
        self.pan == [0.0; 2] && self.zoom == 0.0 && self.turn == 0.0 && self.hand.is_none()
    }

    /// What is seen `time` frames from the middle of the clip, of things that the camera's motion
    /// shifts `parallax` times as much as the background.
    pub fn view(&self, time: f32, parallax: f32) -> View {
        let hand = |i: usize| self.hand.as_ref().map_or(0.0, |hand| hand[i].at(time));
        let scale = (self.zoom * time).exp();
        let (sin, cos) = (self.turn * time + hand(2)).sin_cos();
        View {
            cos: scale * cos,
            sin: scale * sin,
            shift: [0, 1].map(|i| parallax * (self.pan[i] * time + hand(i))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_undone() {
        let mut noise = Noise::seeded(1);
        for _ in 0..20 {
            let view = Camera::never_still(&mut noise).view(3.0, 1.4);
            let place = [0.3, -0.4];
            let back = view.screen_from_scene(view.scene_from_screen(place));
            assert!((0..2).all(|i| (back[i] - place[i]).abs() < 1e-5));
        }
    }

    #[test]
    fn four_cameras_in_ten_stand_still() {
        let mut noise = Noise::seeded(2);
        let cameras: Vec<_> = (0..1000).map(|_| Camera::drawn(&mut noise)).collect();
        let still = cameras.iter().filter(|camera| camera.is_still()).count();
        assert!((350..450).contains(&still), "{still}");
        let camera = cameras.iter().find(|camera| camera.is_still()).unwrap();
        assert_eq!(camera.view(-4.0, 1.0), camera.view(4.0, 1.3));
    }
}
