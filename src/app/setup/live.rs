//! A setup as a forward model.

use super::{Model, Setup};
use crate::clip::{Clip, Shape};
use crate::media::{self, ReadOptions};
use crate::noise::Noise;
use crate::physics::zernike::Pupil;
use crate::physics::{Blur, Dehaze, ForwardModel, GaussianKernel, Inpaint, Scatter, ZernikeBlur};
use crate::worker::{LiveModel, MakeJob, Response};

impl Setup {
    /// A job that finds its mask: a drawn one is written before the run reads it.
    pub fn with_mask(&self, make: MakeJob) -> MakeJob {
        match self.drawn.clone().filter(|_| self.model == Model::Inpaint) {
            Some(drawn) => Box::new(move || {
                drawn.write()?;
                make()
            }),
            None => make,
        }
    }

    /// The mask of missing pixels as a run uses it: 1 where they are measured.
    ///
    /// # Errors
    /// A file that cannot be read.
    fn mask_clip(&self, shape: Shape, cut: &ReadOptions) -> anyhow::Result<Clip> {
        Ok(match (&self.drawn, &self.mask) {
            (Some(drawn), _) => drawn.clip(),
            (None, Some(file)) => media::open_mask(file, cut)?,
            (None, None) => {
                Inpaint::random_mask(shape, self.keep_share, &mut Noise::seeded(self.seed))
            }
        })
    }

    /// The forward model at the values that the sliders show, with what it makes of a point in
    /// this frame. A file with a mask is cut as the capture was.
    ///
    /// # Errors
    /// Values out of a model's range, a mask that cannot be read or does not fit.
    pub fn live_model(
        &self,
        shape: Shape,
        file_um: Option<f64>,
        frame: usize,
        cut: &ReadOptions,
    ) -> anyhow::Result<LiveModel> {
        let taps = |sigma_px| Response::Taps(GaussianKernel::new(sigma_px).taps().to_vec());
        let (model, response): (Box<dyn ForwardModel>, _) = match self.model {
            Model::Scatter => {
                let (dist_mm, sigma_px) = (self.dist_mm.values(), self.sigma_px.values());
                let optics = self.optics(file_um);
                let model = Scatter::new(shape, optics, dist_mm, sigma_px)?;
                (Box::new(model), Some(taps(self.sigma_px.of(frame))))
            }
            Model::Zernike => {
                let model = ZernikeBlur::new(shape, self.known_coefficients())?;
                let coefficients = self.coefficients_of(frame);
                let response = Response::Pupil {
                    phase_rad: model.pupil().wrapped_phase(coefficients),
                    psf: Pupil::psf(model.pupil(), coefficients).values,
                };
                (Box::new(model), Some(response))
            }
            Model::Blur => {
                let model = Blur::new(shape, self.blur_sigma_px)?;
                (Box::new(model), Some(taps(self.blur_sigma_px)))
            }
            Model::Dehaze => (Box::new(Dehaze::new(shape)?), None),
            Model::Inpaint => {
                let model = Inpaint::new(shape, self.mask_clip(shape, cut)?)?;
                return Ok(LiveModel {
                    known: Some(model.mask().clone()),
                    model: Box::new(model),
                    response: None,
                });
            }
        };
        Ok(LiveModel {
            model,
            known: None,
            response,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_model_can_be_made() {
        for model in Model::ALL {
            let setup = Setup {
                model,
                ..Setup::default()
            };
            let made = setup
                .live_model(Shape::new(2, 32, 32), None, 1, &ReadOptions::default())
                .unwrap();
            assert_eq!(made.model.name(), model.flag());
        }
    }

    #[test]
    fn a_file_with_a_mask_is_what_the_live_view_uses() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("mask.png");
        media::write_png(&file, 1, 2, &[1.0, 0.0]).unwrap();
        let setup = Setup {
            model: Model::Inpaint,
            mask: Some(file),
            ..Setup::default()
        };
        let made = setup
            .live_model(Shape::new(2, 1, 2), None, 0, &ReadOptions::default())
            .unwrap();
        assert_eq!(made.known.unwrap().data(), [1.0, 0.0, 1.0, 0.0]);
        assert!(
            setup
                .live_model(Shape::new(2, 2, 2), None, 0, &ReadOptions::default())
                .is_err()
        );
    }
}
