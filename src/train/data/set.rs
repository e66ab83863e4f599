//! Clips drawn from the materials of one pool.

use super::DataError;
use super::collage::{Collage, Stock};
use super::draw::{chance, index, seed_of, weighted};
use super::footage;
use super::look::{Codec, finished};
use super::material::Material;
use crate::clip::Shape;
use crate::noise::Noise;
use crate::scenes::Scene;

/// One material with its share of the clips.
struct Part {
    weight: f64,
    material: Drawn,
}

/// Photographs lie in the stock, where collages find them as well.
enum Drawn {
    Footage(Vec<footage::Span>),
    Photographs { group: usize },
    Scenes,
    Collage,
}

/// All that clips of one pool are drawn from.
pub struct Set {
    parts: Vec<Part>,
    stock: Stock,
    shape: Shape,
}

/// Frames of a film between two that serve as pictures.
const FRAMES_BETWEEN_PICTURES: usize = 25;

/// Pictures of leaves that collages are cut from, at most; a small pool needs fewer.
const LEAVES: usize = 400;
const CLIPS_PER_LEAVES: usize = 4;

/// Scenes are rendered and photographs and collages filmed with so many pixels to one of a clip.
const DETAIL: usize = 2;

impl Set {
    /// `materials` with their weights, to draw `clips` clips from.
    ///
    /// # Errors
    /// When a film cannot be read.
    pub fn new(
        materials: Vec<(f64, Material)>,
        clips: usize,
        shape: Shape,
        seed: u64,
    ) -> Result<Self, DataError> {
        let collage = |(weight, material): &(f64, Material)| {
            *weight > 0.0 && matches!(material, Material::Collage)
        };
        let leaves = if materials.iter().any(collage) {
            clips.div_ceil(CLIPS_PER_LEAVES).min(LEAVES)
        } else {
            0
        };
        let mut photographs = Vec::new();
        let mut parts = Vec::new();
        for (weight, material) in materials {
            let material = match material {
                Material::Footage(spans) => {
                    if leaves > 0 {
                        let mut pictures = Vec::new();
                        for span in &spans {
                            pictures.extend(span.pictures(FRAMES_BETWEEN_PICTURES)?);
                        }
                        photographs.extend((!pictures.is_empty()).then_some(pictures));
                    }
                    Drawn::Footage(spans)
                }
                Material::Photographs(pictures) => {
                    photographs.push(pictures);
                    Drawn::Photographs {
                        group: photographs.len() - 1,
                    }
                }
                Material::Scenes => Drawn::Scenes,
                Material::Collage => Drawn::Collage,
            };
            parts.push(Part { weight, material });
        }
        Ok(Self {
            parts,
            stock: Stock::new(photographs, leaves, seed),
            shape,
        })
    }

    /// The number of the part it was drawn from, and a clip's levels.
    ///
    /// # Errors
    /// When a film cannot be read.
    pub fn clip(&self, seed: u64) -> Result<(usize, Vec<u8>), DataError> {
        let noise = &mut Noise::seeded(seed);
        let part = weighted(noise, self.parts.iter().map(|part| part.weight));
        let shape = self.shape;
        let detailed = Shape::new(shape.frames, DETAIL * shape.height, DETAIL * shape.width);
        let (clip, codec) = match &self.parts[part].material {
            Drawn::Footage(spans) => (footage::window(spans, shape, noise)?, Codec::Maybe),
            Drawn::Photographs { group } => {
                let pictures = &self.stock.photographs[*group];
                let picture = &pictures[index(noise, pictures.len())];
                let camera = Collage::of_photograph(noise, picture, detailed);
                (camera.film(detailed), Codec::Maybe)
            }
            Drawn::Collage => {
                let collage = Collage::drawn(noise, &self.stock, detailed);
                (collage.film(detailed), Codec::Maybe)
            }
            Drawn::Scenes => {
                // Writing is what the other sources have least of.
                let scene = if chance(noise, 0.12) {
                    Scene::Text
                } else {
                    Scene::ALL[index(noise, Scene::ALL.len())]
                };
                let clip = scene.render(shape, seed_of(seed, 2, 0));
                (clip, Codec::Never)
            }
        };
        Ok((part, finished(clip, shape, codec, noise)))
    }
}
