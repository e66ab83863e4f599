//! Block matching in space and time.
mod block;
mod pass;
mod stack;

pub(self) use block::BlockSize;
use pass::Pass;
use super::{Denoiser, PriorError};
use crate::clip::{Clip, Shape};

pub struct Knobs { pub block: [usize;3], pub step: [usize;3], pub reach: [usize;3], pub stack: usize, pub farthest: f32, pub threshold: f32, pub fading: f64 }
impl Default for Knobs { fn default() -> Self { Self { block: [4;3], step: [3;3], reach: [5;3], stack: 16, farthest: 1e9, threshold: 2.7, fading: 2.0 } } }
fn size(a: [usize;3]) -> BlockSize { BlockSize { frames: a[0], height: a[1], width: a[2] } }
pub fn run(k: &Knobs, noisy: &Clip, pilot: Option<&Clip>, sigma: f32) -> Clip {
    Pass { block: size(k.block), step: size(k.step), reach: size(k.reach), stack: k.stack, farthest: k.farthest, threshold: k.threshold, fading: k.fading }.run(noisy, pilot, sigma)
}
pub struct BlockMatching { pub a: Knobs, pub b: Option<Knobs> }
impl Denoiser for BlockMatching {
    fn name(&self) -> &str { "blocks" }
    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        let d = run(&self.a, noisy, None, sigma as f32);
        Ok(match &self.b { None => d, Some(b) => run(b, noisy, Some(&d), sigma as f32) })
    }
    fn check_shape(&self, _: Shape) -> Result<(), PriorError> { Ok(()) }
}
