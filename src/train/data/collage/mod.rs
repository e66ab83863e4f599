//! Video without end: textures and figures that move over each other before a camera.
//!
//! What is in it follows no photograph, but its edges, occlusions, textures and motions are those
//! of video: parts of photographs and dead leaves for the background and for up to five bodies,
//! half of them figures of swinging limbs; cameras that stand still, tremble, pan, zoom and turn.

mod body;
mod figure;
mod outline;
mod stock;
mod surface;

pub use stock::Stock;

use super::camera::Camera;
use super::draw::{chance, index, octaves, uniform};
use super::picture::Picture;
use crate::clip::{Clip, Shape};
use crate::noise::Noise;
use body::Body;
use surface::{Surface, sharpest};

/// A drawn collage, ready to be filmed.
pub struct Collage<'a> {
    background: Surface<'a>,
    /// From the back to the front.
    bodies: Vec<Body<'a>>,
    camera: Camera,
    /// The share of the frame interval that the shutter is open.
    shutter: f32,
}

/// Moments of an exposure where the shutter is open for long.
const MOMENTS: usize = 3;

impl<'a> Collage<'a> {
    /// For frames of this shape.
    pub fn drawn(noise: &mut Noise, stock: &'a Stock, shape: Shape) -> Self {
        let camera = Camera::drawn(noise);
        let background = Surface::background(noise, stock, shape.height);
        let width = shape.width as f32 / shape.height as f32;
        let count = index(noise, 6);
        let mut material = |noise: &mut Noise| Surface::of_body(noise, stock, shape.height);
        let bodies = (0..count).map(|_| Body::drawn(noise, width, &mut material));
        Self {
            background,
            bodies: bodies.collect(),
            camera,
            shutter: shutter(noise),
        }
    }

    /// A photograph before a moving camera.
    pub fn of_photograph(noise: &mut Noise, picture: &'a Picture, shape: Shape) -> Self {
        let share = octaves(noise, sharpest(picture, shape.height), 1.0);
        Self {
            background: Surface::part(noise, picture, share, 0.0, shape.height),
            bodies: Vec::new(),
            camera: Camera::never_still(noise),
            shutter: shutter(noise),
        }
    }

    /// The clip, values in [0, 1].
    pub fn film(&self, shape: Shape) -> Clip {
        let middle = 0.5 * (shape.frames - 1) as f32;
        let still = self.camera.is_still().then(|| self.seen_behind(shape, 0.0));
        let moments = if self.shutter > 0.0 { MOMENTS } else { 1 };
        let mut clip = Clip::zeros(shape);
        for frame in 0..shape.frames {
            let sum = clip.frame_mut(frame);
            for moment in 0..moments {
                let share = moment as f32 / moments as f32;
                let time = frame as f32 - middle + self.shutter * share;
                let mut picture = match &still {
                    Some(picture) => picture.clone(),
                    None => self.seen_behind(shape, time),
                };
                for body in &self.bodies {
                    body.paint(&mut picture, shape.height, shape.width, &self.camera, time);
                }
                let weight = 1.0 / moments as f32;
                sum.iter_mut()
                    .zip(&picture)
                    .for_each(|(s, v)| *s += weight * v);
            }
        }
        clip
    }

    /// The background alone.
    fn seen_behind(&self, shape: Shape, time: f32) -> Vec<f32> {
        let view = self.camera.view(time, 1.0);
        let scale = 1.0 / shape.height as f32;
        let middle = [0.5 * shape.width as f32, 0.5 * shape.height as f32];
        let at = |row: usize, column: usize| {
            let x = (column as f32 + 0.5 - middle[0]) * scale;
            let y = (row as f32 + 0.5 - middle[1]) * scale;
            let value = self.background.at(view.scene_from_screen([x, y]));
            value.clamp(0.0, 1.0)
        };
        let rows = 0..shape.height;
        rows.flat_map(|row| (0..shape.width).map(move |column| (row, column)))
            .map(|(row, column)| at(row, column))
            .collect()
    }
}

/// Half of all shutters are short.
fn shutter(noise: &mut Noise) -> f32 {
    let open = uniform(noise, 0.1, 0.7);
    if chance(noise, 0.5) { open } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape = Shape::new(5, 40, 48);

    fn stock() -> Stock {
        Stock::new(Vec::new(), 4, 7)
    }

    #[test]
    fn collages_stay_in_range_and_follow_their_seed() {
        let stock = stock();
        for seed in 0..40 {
            let film = || Collage::drawn(&mut Noise::seeded(seed), &stock, SHAPE).film(SHAPE);
            let clip = film();
            assert!(
                clip.data().iter().all(|v| (0.0..=1.0).contains(v)),
                "{seed}"
            );
            assert_eq!(clip, film());
        }
    }

    #[test]
    fn a_still_camera_sees_a_still_background() {
        let stock = stock();
        let mut moved = 0;
        for seed in 0..60 {
            let collage = Collage::drawn(&mut Noise::seeded(seed), &stock, SHAPE);
            if !collage.camera.is_still() {
                continue;
            }
            let clip = collage.film(SHAPE);
            let background = collage.seen_behind(SHAPE, 0.0);
            let mut untouched = 0;
            for i in 0..SHAPE.frame_len() {
                let values = clip.frames().map(|frame| frame[i]);
                let is_background = values.clone().all(|v| (v - background[i]).abs() < 1e-6);
                let is_still = values.clone().all(|v| v == clip.frame(0)[i]);
                untouched += usize::from(is_background);
                assert!(is_still || !is_background, "seed {seed}");
                moved += usize::from(!is_still);
            }
            assert!(!collage.bodies.is_empty() || untouched == SHAPE.frame_len());
        }
        assert!(moved > 1000, "{moved}");
    }

    #[test]
    fn a_photograph_moves_as_a_whole() {
        let stock = stock();
        for seed in 0..5 {
            let mut noise = Noise::seeded(seed);
            let collage = Collage::of_photograph(&mut noise, &stock.leaves[0], SHAPE);
            let clip = collage.film(SHAPE);
            assert_ne!(clip.frame(0), clip.frame(4), "{seed}");
        }
    }
}
