use std::sync::Arc;

use super::{ColourMap, Range, Transform};
use crate::clip::Clip;

/// How the values of a clip become colours.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    pub map: ColourMap,
    /// After the transform.
    pub range: Range,
    pub transform: Transform,
}

impl Look {
    pub fn colour(&self, value: f32) -> [u8; 3] {
        if !value.is_finite() {
            return ColourMap::NOT_FINITE;
        }
        let share = (self.transform.of(value) - self.range.low) * self.range.scale();
        self.map.colour(share.clamp(0.0, 1.0))
    }
}

/// A frame of a clip, looked at in one way.
#[derive(Clone, Debug)]
pub struct Layer {
    pub clip: Arc<Clip>,
    pub frame: usize,
    pub look: Look,
}

impl Layer {
    pub fn values(&self) -> &[f32] {
        self.clip.frame(self.frame)
    }

    /// Columns and rows.
    pub fn size(&self) -> [usize; 2] {
        let shape = self.clip.shape();
        [shape.width, shape.height]
    }
}

/// The part of a frame that is seen, in shares of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub min: [f32; 2],
    pub size: [f32; 2],
}

impl Window {
    pub const WHOLE: Self = Self {
        min: [0.0; 2],
        size: [1.0; 2],
    };
}

/// What a pane shows.
#[derive(Clone, Debug)]
pub struct Scene {
    pub layer: Layer,
    /// What is shown right of a divider, which lies at a share of the pane's width.
    pub beyond: Option<(Layer, f32)>,
    pub seen: Window,
}

impl Scene {
    pub fn whole(layer: Layer) -> Self {
        Self {
            layer,
            beyond: None,
            seen: Window::WHOLE,
        }
    }

    /// The picture, `width` pixels wide and `height` high, row after row: each pixel has the
    /// colour of the value at its centre. What `shaders/display.wgsl` draws.
    pub fn paint(&self, width: usize, height: usize) -> Vec<[u8; 3]> {
        let mut picture = Vec::with_capacity(width * height);
        for row in 0..height {
            let y = self.seen.min[1] + (row as f32 + 0.5) / height as f32 * self.seen.size[1];
            for column in 0..width {
                let across = (column as f32 + 0.5) / width as f32;
                let x = self.seen.min[0] + across * self.seen.size[0];
                let layer = match &self.beyond {
                    Some((beyond, wipe)) if across >= *wipe => beyond,
                    _ => &self.layer,
                };
                let [columns, rows] = layer.size();
                let pixel = |share: f32, count: usize| {
                    ((share * count as f32).max(0.0) as usize).min(count - 1)
                };
                let value = layer.values()[pixel(y, rows) * columns + pixel(x, columns)];
                picture.push(layer.look.colour(value));
            }
        }
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    fn layer(values: &[f32], width: usize, high: f32) -> Layer {
        let shape = Shape::new(1, values.len() / width, width);
        Layer {
            clip: Arc::new(Clip::new(shape, values.to_vec())),
            frame: 0,
            look: Look {
                map: ColourMap::Grey,
                range: Range { low: 0.0, high },
                transform: Transform::Keep,
            },
        }
    }

    #[test]
    fn a_frame_becomes_a_picture_row_after_row() {
        let scene = Scene::whole(layer(&[0.0, 1.0, 2.0, 4.0, 8.0, f32::NAN], 3, 4.0));
        let picture = scene.paint(3, 2);
        assert_eq!(picture[1], [64; 3]);
        assert_eq!(picture[4], [255; 3]);
        assert_eq!(picture[5], ColourMap::NOT_FINITE);
        let larger = scene.paint(6, 4);
        assert_eq!(larger[6 + 3], picture[1]);
    }

    #[test]
    fn a_part_of_a_frame_is_seen_on_both_sides_of_a_divider() {
        let mut scene = Scene::whole(layer(&[0.0, 1.0, 2.0, 4.0], 2, 4.0));
        scene.beyond = Some((layer(&[4.0, 4.0, 4.0, 4.0], 2, 4.0), 0.5));
        scene.seen = Window {
            min: [0.5, 0.5],
            size: [0.5, 0.5],
        };
        assert_eq!(scene.paint(2, 1), [[255; 3], [255; 3]]);
        scene.seen.min = [0.0, 0.0];
        assert_eq!(scene.paint(2, 1), [[0; 3], [255; 3]]);
    }
}
