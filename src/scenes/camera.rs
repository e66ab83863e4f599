//! A camera that pans, zooms, turns and shakes, never far from where it started.

use super::point::Point;
use super::texture::Lattice;
use crate::noise::Noise;

pub struct Camera {
    /// Frame heights a frame.
    speed: Point,
    /// Of the magnification's logarithm, a frame.
    zoom: f64,
    /// Radians a frame.
    turn: f64,
    /// Frame heights.
    shake: f64,
    hand: Lattice,
}

impl Camera {
    /// How far it gets: frame heights, and the logarithm of the magnification.
    pub const REACH: f64 = 0.3;
    pub const ZOOM: f64 = 0.25;
    const TURN: f64 = 0.15;

    /// A pan, a zoom with a slow pan, or a hand that shakes.
    pub fn drawn(noise: &mut Noise) -> Self {
        let kind = noise.uniform(0.0, 3.0);
        let direction = noise.uniform(0.0, std::f64::consts::TAU);
        let fast = noise.uniform(0.008, 0.035);
        let rate = noise.uniform(0.008, 0.025);
        let turn = noise.uniform(-0.01, 0.01);
        let shake = noise.uniform(0.004, 0.012);
        let hand = Lattice::drawn(noise);
        let (speed, zoom, turn, shake) = match kind {
            k if k < 1.0 => (fast, 0.0, 0.0, 0.0),
            k if k < 2.0 => (0.2 * fast, rate * turn.signum(), turn, 0.0),
            _ => (0.1 * fast, 0.0, 0.2 * turn, shake),
        };
        Self {
            speed: Point { x: 0.0, y: 0.0 }.along(direction, speed),
            zoom,
            turn,
            shake,
            hand,
        }
    }

    /// Where in the scene each place of the picture is, `time` frames after the start.
    pub fn look(&self, time: f64, centre: Point) -> impl Fn(Point) -> Point + Sync + use<> {
        let bounded = |rate: f64, reach: f64| reach * (rate * time / reach).sin();
        let hand = |row: f64| self.shake * self.hand.clouds(0.7 * time, row, 2, 0.6);
        let shift = Point {
            x: bounded(self.speed.x, Self::REACH) + hand(0.5),
            y: bounded(self.speed.y, Self::REACH) + hand(8.5),
        };
        let scale = (-bounded(self.zoom, Self::ZOOM)).exp();
        let (sin, cos) = bounded(self.turn, Self::TURN).sin_cos();
        move |p| {
            let from = p.minus(centre);
            Point {
                x: centre.x + scale * (cos * from.x - sin * from.y) + shift.x,
                y: centre.y + scale * (sin * from.x + cos * from.y) + shift.y,
            }
        }
    }
}
