//! Two priors that err in different ways.

use super::{Denoiser, PriorError};
use crate::clip::{Clip, Shape};

/// The weighted mean of what two denoisers say.
pub struct Average {
    name: String,
    first: Box<dyn Denoiser>,
    second: Box<dyn Denoiser>,
    share: f32,
}

impl Average {
    /// `share`, from 0 to 1, is the weight of the first.
    ///
    /// # Panics
    /// When `share` is out of range.
    pub fn new(first: Box<dyn Denoiser>, second: Box<dyn Denoiser>, share: f32) -> Self {
        assert!((0.0..=1.0).contains(&share), "a share is from 0 to 1");
        Self {
            name: format!("{}+{}", first.name(), second.name()),
            first,
            second,
            share,
        }
    }
}

impl Denoiser for Average {
    fn name(&self) -> &str {
        &self.name
    }

    fn denoise(&mut self, noisy: &Clip, sigma: f64) -> Result<Clip, PriorError> {
        let first = self.first.denoise(noisy, sigma)?;
        let second = self.second.denoise(noisy, sigma)?;
        Ok(first.zip(&second, |a, b| b + self.share * (a - b)))
    }

    fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
        self.first.check_shape(shape)?;
        self.second.check_shape(shape)
    }

    fn begin(&mut self) {
        self.first.begin();
        self.second.begin();
    }

    fn is_network(&self) -> bool {
        self.first.is_network() || self.second.is_network()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Times(f32, bool);

    impl Denoiser for Times {
        fn name(&self) -> &str {
            "times"
        }

        fn denoise(&mut self, noisy: &Clip, _: f64) -> Result<Clip, PriorError> {
            Ok(noisy.map(|v| self.0 * v))
        }

        fn check_shape(&self, shape: Shape) -> Result<(), PriorError> {
            match shape.frames {
                0 => Err(PriorError::Empty(shape)),
                _ => Ok(()),
            }
        }

        fn is_network(&self) -> bool {
            self.1
        }
    }

    #[test]
    fn both_have_their_share() {
        let (a, b) = (Box::new(Times(1.0, false)), Box::new(Times(3.0, true)));
        let mut average = Average::new(a, b, 0.25);
        let shape = Shape::new(1, 1, 2);
        let out = average.denoise(&Clip::filled(shape, 2.0), 0.1).unwrap();
        assert_eq!(out.data(), [5.0, 5.0]);
        assert!(average.is_network());
        assert!(average.check_shape(Shape::new(0, 1, 1)).is_err());
        assert_eq!(average.name(), "times+times");
    }
}
