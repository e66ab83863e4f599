//! Values that differ from frame to frame.

use super::{Model, Setup};
use crate::clip::Shape;
use crate::physics::Parameter;
use crate::physics::zernike::MODES;

impl Setup {
    /// Ten coefficients for the clip, or ten a frame.
    pub(super) fn known_coefficients(&self) -> Vec<f64> {
        match &self.frame_coefficients[..] {
            [] => self.coefficients.to_vec(),
            frames => frames.concat(),
        }
    }

    /// The coefficients that serve a frame.
    pub fn coefficients_of(&self, frame: usize) -> &[f64; MODES.len()] {
        let of_frame = self.frame_coefficients.get(frame);
        of_frame.unwrap_or(&self.coefficients)
    }

    /// The same, to change them.
    pub fn coefficients_of_mut(&mut self, frame: usize) -> &mut [f64; MODES.len()] {
        let of_frame = self.frame_coefficients.get_mut(frame);
        of_frame.unwrap_or(&mut self.coefficients)
    }

    /// Whether a slider holds the value of one frame.
    pub fn differs_by_frame(&self) -> bool {
        match self.model {
            Model::Scatter => !(self.dist_mm.frames.is_empty() && self.sigma_px.frames.is_empty()),
            Model::Zernike => !self.frame_coefficients.is_empty(),
            Model::Blur | Model::Dehaze | Model::Inpaint => false,
        }
    }

    /// Every frame has values of its own, for now all the same.
    pub fn differ_by_frame(&mut self, frames: usize) {
        match self.model {
            Model::Scatter => {
                for sought in [&mut self.dist_mm, &mut self.sigma_px] {
                    sought.frames = vec![sought.value; frames];
                }
            }
            Model::Zernike => self.frame_coefficients = vec![self.coefficients; frames],
            Model::Blur | Model::Dehaze | Model::Inpaint => {}
        }
    }

    /// The values of this frame serve the clip.
    pub fn use_for_all(&mut self, frame: usize) {
        for sought in [&mut self.dist_mm, &mut self.sigma_px] {
            sought.value = sought.of(frame);
            sought.frames.clear();
        }
        self.coefficients = *self.coefficients_of(frame);
        self.frame_coefficients.clear();
    }

    /// The values that a run uses or has found, as far as they belong to this forward model;
    /// whether there are any.
    pub fn take_values(&mut self, found: &[Parameter]) -> bool {
        match self.model {
            Model::Scatter => {
                let dist = self.dist_mm.take("distance", found);
                self.sigma_px.take("sigma", found) && dist
            }
            Model::Zernike => {
                let of_mode = |parameter: &Parameter| parameter.zernike.is_some();
                if found.is_empty() || !found.iter().all(of_mode) {
                    return false;
                }
                let values: Vec<f64> = found.iter().map(|p| p.value).collect();
                let (sets, _) = values.as_chunks();
                match sets {
                    [] => return false,
                    [set] => (self.coefficients, self.frame_coefficients) = (*set, Vec::new()),
                    sets => self.frame_coefficients = sets.to_vec(),
                }
                true
            }
            Model::Blur | Model::Dehaze | Model::Inpaint => false,
        }
    }

    /// Gives up values that belong to the frames of a clip of another length, or a drawing of
    /// another size.
    pub fn fit_to(&mut self, shape: Shape) {
        for sought in [&mut self.dist_mm, &mut self.sigma_px] {
            if sought.frames.len() != shape.frames {
                sought.frames.clear();
            }
        }
        if self.frame_coefficients.len() != shape.frames {
            self.frame_coefficients.clear();
        }
        let size = (shape.height, shape.width);
        self.drawn = self.drawn.take().filter(|drawn| drawn.size() == size);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::ReadOptions;
    use crate::physics::{ForwardModel, Optics, Scatter, ZernikeBlur};

    #[test]
    fn values_of_each_frame_go_with_their_clip() {
        let mut setup = Setup {
            model: Model::Zernike,
            coefficients_unknown: false,
            frame_coefficients: vec![[0.5; 10]; 2],
            ..Setup::default()
        };
        assert_eq!(setup.coefficients_of(1)[0], 0.5);
        setup.dist_mm.frames = vec![4.0, 6.0];
        *setup.dist_mm.of_mut(1) = 6.5;
        assert_eq!((setup.dist_mm.of(0), setup.dist_mm.of(1)), (4.0, 6.5));
        let shape = Shape::new(2, 8, 8);
        let made = setup
            .live_model(shape, None, 1, &ReadOptions::default())
            .unwrap();
        assert_eq!(made.model.parameters().len(), 20);
        setup.fit_to(shape);
        assert_eq!(setup.dist_mm.frames.len(), 2);
        setup.fit_to(Shape::new(3, 8, 8));
        assert!(setup.dist_mm.frames.is_empty() && setup.frame_coefficients.is_empty());
        *setup.dist_mm.of_mut(1) = 7.0;
        assert_eq!(setup.dist_mm.of(0), 7.0);
        setup.model = Model::Scatter;
        setup.differ_by_frame(3);
        *setup.dist_mm.of_mut(1) = 8.0;
        assert_eq!(setup.dist_mm.frames, [7.0, 8.0, 7.0]);
    }

    #[test]
    fn what_a_run_has_found_is_taken_over() {
        let shape = Shape::new(2, 16, 16);
        let optics = Optics::SYNTHETIC;
        let found = Scatter::new(shape, optics, vec![3.0, 4.0], 1.5).unwrap();
        let mut setup = Setup::default();
        assert!(setup.take_values(&found.parameters()));
        assert_eq!(setup.dist_mm.frames, [3.0, 4.0]);
        assert_eq!(
            (setup.sigma_px.value, setup.sigma_px.frames.len()),
            (1.5, 0)
        );
        assert!(setup.differs_by_frame());
        setup.use_for_all(1);
        assert_eq!(setup.dist_mm.value, 4.0);
        assert!(!setup.differs_by_frame());

        let coefficients: Vec<f64> = (0..20).map(f64::from).collect();
        let found = ZernikeBlur::new(shape, coefficients).unwrap().parameters();
        assert!(!setup.take_values(&found), "of another model");
        setup.model = Model::Zernike;
        assert!(setup.take_values(&found));
        assert_eq!(setup.coefficients_of(1)[0], 10.0);
    }
}
