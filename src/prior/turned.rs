//! A denoiser that looks at video from a new side at each call.

use super::{Denoiser, PriorError};
use crate::clip::{Clip, Shape};

/// Denoises mirror images, transposed and time-reversed copies in turn.
///
/// Video of any orientation is as likely, but a trained network does not quite know that. What it
/// gets wrong on one side only does not add up over the rounds of a solver (Terris et al.,
/// "Equivariant plug-and-play image reconstruction", 2024), at no cost: one call is one call.
pub struct Turned {
    inner: Box<dyn Denoiser>,
    calls: usize,
}

impl Turned {
    pub fn new(inner: Box<dyn Denoiser>) -> Self {
        Self { inner, calls: 0 }
    }
}

impl Denoiser for Turned {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        let shape = noisy.shape();
        let side = Side::IN_TURN[self.calls % Side::IN_TURN.len()].of(shape);
        let seen: Vec<usize> = side.seen(shape).collect();
        let turned = Clip::new(shape, seen.iter().map(|&at| noisy.data()[at]).collect());
        let found = self.inner.denoise(&turned, sigma)?;
        self.calls += 1;
        let mut out = Clip::zeros(shape);
        for (&at, &value) in seen.iter().zip(found.data()) {
            out.data_mut()[at] = value;
        }
        Ok(out)
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        self.inner.check_shape(shape)
    }

    fn is_network(&self) -> bool {
        self.inner.is_network()
    }

    fn begin(&mut self) {
        self.calls = 0;
        self.inner.begin();
    }
}

/// One of the sixteen sides of video.
#[derive(Clone, Copy)]
struct Side {
    transposed: bool,
    reversed: bool,
    upside_down: bool,
    mirrored: bool,
}

impl Side {
    /// All of them, each after one that differs from it in much, the video as it is first.
    const IN_TURN: [Self; 16] = [
        Self::new(0b0000),
        Self::new(0b1111),
        Self::new(0b0101),
        Self::new(0b1010),
        Self::new(0b0011),
        Self::new(0b1100),
        Self::new(0b0110),
        Self::new(0b1001),
        Self::new(0b0001),
        Self::new(0b1110),
        Self::new(0b0010),
        Self::new(0b1101),
        Self::new(0b0100),
        Self::new(0b1011),
        Self::new(0b0111),
        Self::new(0b1000),
    ];

    const fn new(bits: u8) -> Self {
        Self {
            transposed: bits & 8 != 0,
            reversed: bits & 4 != 0,
            upside_down: bits & 2 != 0,
            mirrored: bits & 1 != 0,
        }
    }

    /// The same for clips of this shape: only square frames are transposed.
    fn of(self, shape: Shape) -> Self {
        Self {
            transposed: self.transposed && shape.height == shape.width,
            ..self
        }
    }

    /// For each pixel of the turned clip, the one of the clip that it shows.
    fn seen(self, shape: Shape) -> impl Iterator<Item = usize> {
        let back = |turned: bool, at: usize, length: usize| match turned {
            true => length - 1 - at,
            false => at,
        };
        (0..shape.len()).map(move |i| {
            let (frame, at) = (i / shape.frame_len(), i % shape.frame_len());
            let (row, column) = (at / shape.width, at % shape.width);
            let (row, column) = match self.transposed {
                true => (column, row),
                false => (row, column),
            };
            let frame = back(self.reversed, frame, shape.frames);
            let row = back(self.upside_down, row, shape.height);
            let column = back(self.mirrored, column, shape.width);
            (frame * shape.height + row) * shape.width + column
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::scenes::Scene;

    /// Adds to each pixel sigma times its place in what it is shown.
    struct Places;

    impl Denoiser for Places {
        fn name(&self) -> &str {
            "places"
        }

        fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
            let data = noisy.data().iter().enumerate();
            let data = data.map(|(i, v)| v + sigma as f32 * i as f32);
            Ok(Clip::new(noisy.shape(), data.collect()))
        }

        fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
            Ok(())
        }
    }

    #[test]
    fn what_is_turned_is_turned_back() {
        for shape in [Shape::new(3, 8, 8), Shape::new(2, 6, 10)] {
            let scene = Scene::Leaves.render(shape, 1);
            let mut denoiser = Turned::new(Box::new(Places));
            for _ in 0..16 {
                assert_eq!(denoiser.denoise(&scene, 0.0).unwrap(), scene);
            }
        }
    }

    #[test]
    fn sixteen_calls_see_sixteen_sides_and_then_the_first_again() {
        let shape = Shape::new(2, 3, 3);
        let sides = |denoiser: &mut Turned, count: usize| -> Vec<Vec<u32>> {
            let one = |_| {
                let seen = denoiser.denoise(&Clip::zeros(shape), 1.0).unwrap();
                seen.data().iter().map(|&v| v as u32).collect()
            };
            (0..count).map(one).collect()
        };
        let mut denoiser = Turned::new(Box::new(Places));
        let first = sides(&mut denoiser, 16);
        assert_eq!(first.iter().collect::<HashSet<_>>().len(), 16);
        assert_eq!(first[0], (0..18).collect::<Vec<_>>());
        assert_eq!(sides(&mut denoiser, 3), first[..3]);
        denoiser.begin();
        assert_eq!(sides(&mut denoiser, 3), first[..3]);
    }
}
