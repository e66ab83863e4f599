//! What the panels hold for a bundled capture.

use super::Setup;
use super::setup::{Method, Model, Prior};
use crate::run::NetworkChoice;
use crate::run::demos::{Behind, Demo, DemoFiles};
use crate::run::plan::PriorChoice;

impl Setup {
    /// The demo's model, and the method whose estimates form step by step; with the usual prior
    /// where none is named.
    pub fn of_demo(demo: &Demo, files: &DemoFiles, prior: Option<&PriorChoice>) -> Self {
        let (prior, checkpoint) = match prior {
            None => (Prior::Auto, None),
            Some(PriorChoice::None) => (Prior::None, None),
            Some(PriorChoice::Tv) => (Prior::Tv, None),
            Some(PriorChoice::Blocks) => (Prior::Blocks, None),
            Some(PriorChoice::Network(NetworkChoice::Embedded)) => (Prior::Embedded, None),
            Some(PriorChoice::Network(NetworkChoice::File(file))) => {
                (Prior::Checkpoint, Some(file.clone()))
            }
        };
        let mut setup = Self {
            method: Method::Fast,
            prior,
            checkpoint,
            ..Self::default()
        };
        match demo.behind {
            Behind::Layer { dist_mm, sigma_px } => {
                (setup.dist_mm.value, setup.sigma_px.value) = (dist_mm, sigma_px);
            }
            Behind::UnknownLayer => {
                (setup.dist_mm.unknown, setup.sigma_px.unknown) = (true, true);
            }
            Behind::UnknownAberration => {
                setup.model = Model::Zernike;
                setup.coefficients_unknown = true;
            }
            Behind::Haze => setup.model = Model::Dehaze,
            Behind::Blur { sigma_px } => {
                setup.model = Model::Blur;
                setup.blur_sigma_px = sigma_px;
            }
            Behind::MissingPixels => {
                setup.model = Model::Inpaint;
                setup.mask = files.mask.clone();
            }
        }
        setup
    }
}
