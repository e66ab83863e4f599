//! What surfaces are cut from.

use rayon::prelude::*;

use crate::clip::Shape;
use crate::media::FrameSize;
use crate::scenes::Scene;
use crate::train::data::draw::seed_of;
use crate::train::data::picture::Picture;

/// Pictures to cut surfaces from: photographs and frames of videos, and pictures of our own.
pub struct Stock {
    /// In a group for each source; none of them is empty.
    pub photographs: Vec<Vec<Picture>>,
    pub leaves: Vec<Picture>,
    pub pages: Vec<Picture>,
}

impl Stock {
    /// Rows and columns of a generated picture.
    const SIZE: FrameSize = FrameSize::new(160, 200);

    /// `generated` pictures of leaves, and a quarter as many of writing, beside the photographs.
    pub fn new(photographs: Vec<Vec<Picture>>, generated: usize, seed: u64) -> Self {
        let render = |scene: Scene, count: usize| {
            let shape = Shape::new(1, Self::SIZE.height, Self::SIZE.width);
            let picture = |i: u64| {
                let clip = scene.render(shape, seed_of(seed, scene as u64, i));
                Picture::new(Self::SIZE, clip.frame(0))
            };
            (0..count as u64).into_par_iter().map(picture).collect()
        };
        Self {
            photographs,
            leaves: render(Scene::Leaves, generated),
            pages: render(Scene::Text, generated.div_ceil(4)),
        }
    }
}
