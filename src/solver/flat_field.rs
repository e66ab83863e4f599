//! Dark and flat frames: what a camera records without light, and of light without a scene.

use crate::clip::Clip;

/// The dark level and the relative light of every pixel of a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FlatField {
    pub(super) dark: Vec<f32>,
    /// 1 on average.
    pub(super) light: Vec<f32>,
}

#[derive(Debug, thiserror::Error, PartialEq)]
pub enum FlatFieldError {
    #[error("the {which} is {height}x{width}, but the frames of the measurement {rows}x{columns}")]
    Size {
        which: &'static str,
        height: usize,
        width: usize,
        rows: usize,
        columns: usize,
    },
    #[error("the {which} holds a value that is not a finite number")]
    NotFinite { which: &'static str },
    #[error(
        "the flat frame has next to no light above darkness at row {row}, column {column}: crop \
         to the part that is lit, and check that dark and flat are not exchanged"
    )]
    Unlit { row: usize, column: usize },
}

impl FlatField {
    /// Least light at a pixel, as a share of the mean.
    const LEAST: f64 = 0.05;

    /// From recordings of any number of frames, averaged over them, both in the measurement's
    /// units; what is not given is dark 0, or light 1.
    ///
    /// # Errors
    /// A size other than `height` x `width`, values that are not finite, a flat frame that is
    /// not brighter than darkness everywhere.
    pub fn new(
        (height, width): (usize, usize),
        dark: Option<&Clip>,
        flat: Option<&Clip>,
    ) -> Result<Self, FlatFieldError> {
        let mean = |which, clip: &Clip| -> Result<Vec<f64>, FlatFieldError> {
            let shape = clip.shape();
            if (shape.height, shape.width) != (height, width) {
                return Err(FlatFieldError::Size {
                    which,
                    height: shape.height,
                    width: shape.width,
                    rows: height,
                    columns: width,
                });
            }
            if clip.data().iter().any(|v| !v.is_finite()) {
                return Err(FlatFieldError::NotFinite { which });
            }
            let mut sum = vec![0.0f64; height * width];
            for frame in clip.frames() {
                let pixels = sum.iter_mut().zip(frame);
                pixels.for_each(|(s, v)| *s += f64::from(*v) / shape.frames as f64);
            }
            Ok(sum)
        };
        let dark = match dark {
            None => vec![0.0; height * width],
            Some(dark) => mean("dark frame", dark)?,
        };
        let light = match flat {
            None => vec![1.0; height * width],
            Some(flat) => {
                let flat = mean("flat frame", flat)?;
                let above: Vec<f64> = flat.iter().zip(&dark).map(|(f, d)| f - d).collect();
                let mean = above.iter().sum::<f64>() / above.len() as f64;
                let unlit = |&&a: &&f64| a <= 0.0 || a < Self::LEAST * mean;
                if let Some(at) = above.iter().position(|a| unlit(&a)) {
                    return Err(FlatFieldError::Unlit {
                        row: at / width,
                        column: at % width,
                    });
                }
                above.into_iter().map(|a| a / mean).collect()
            }
        };
        Ok(Self {
            dark: dark.into_iter().map(|v| v as f32).collect(),
            light: light.into_iter().map(|v| v as f32).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    const SHAPE: Shape = Shape::new(2, 1, 3);

    #[test]
    fn light_is_what_is_above_darkness_and_one_on_average() {
        let dark = Clip::filled(SHAPE, 0.1);
        let flat = Clip::new(SHAPE, vec![0.2, 0.3, 0.4, 0.2, 0.3, 0.4]);
        let field = FlatField::new((1, 3), Some(&dark), Some(&flat)).unwrap();
        for (light, expected) in field.light.iter().zip([0.5, 1.0, 1.5]) {
            assert!((light - expected).abs() < 1e-6);
        }
        assert!((field.dark[0] - 0.1).abs() < 1e-7);
        let none = FlatField::new((1, 3), Some(&dark), None).unwrap();
        assert_eq!(none.light, [1.0; 3]);
    }

    #[test]
    fn what_cannot_correct_is_refused() {
        let dark = Clip::filled(SHAPE, 0.3);
        let mut flat = Clip::filled(SHAPE, 0.9);
        flat.data_mut()[1] = 0.3;
        flat.data_mut()[4] = 0.3;
        let refused = |dark: Option<&Clip>, flat: Option<&Clip>| {
            FlatField::new((1, 3), dark, flat).unwrap_err()
        };
        let unlit = FlatFieldError::Unlit { row: 0, column: 1 };
        assert_eq!(refused(Some(&dark), Some(&flat)), unlit);
        let other = Clip::zeros(Shape::new(1, 2, 3));
        assert!(refused(Some(&other), None).to_string().contains("2x3"));
        flat.data_mut()[0] = f32::NAN;
        assert!(refused(None, Some(&flat)).to_string().contains("finite"));
    }
}
