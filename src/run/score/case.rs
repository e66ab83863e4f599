use crate::clip::Clip;
use crate::physics::ForwardModel;
use crate::run::plan::Problem;

/// Which number counts for a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Headline {
    /// The measurement's scale is known.
    Psnr,
    /// Gain and offset are unknown.
    Fitted,
    /// Place and display are unknown too.
    Aligned,
}

/// What the unknown parameters really are; empty where nobody knows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    /// One a frame, in millimetres.
    pub dist_mm: Vec<f64>,
    /// One a frame, in pixels.
    pub sigma_px: Vec<f64>,
    /// 32 x 32 point spread functions: one, or one a frame.
    pub psfs: Vec<Vec<f32>>,
}

impl Truth {
    /// The parameters of the model that made the measurement.
    pub fn of(model: &dyn ForwardModel) -> Self {
        let parameters = model.parameters();
        let frames = model.shape().frames;
        let named = |name| super::marks::per_frame(&parameters, name, frames);
        Self {
            dist_mm: named("distance"),
            sigma_px: named("sigma"),
            psfs: super::marks::psfs(&parameters, model.shape()),
        }
    }
}

/// Another method's result.
#[derive(Clone, Debug, PartialEq)]
pub struct Rival {
    /// The file's name without its ending: `vdps`, `dps`.
    pub name: String,
    pub clip: Clip,
    /// Of its point spread function with the one that blurred its own measurement, where the
    /// folder shows both.
    pub psf_correlation: Option<f64>,
}

/// A problem with its truth.
pub struct Case {
    pub name: String,
    /// What kind of task it is, in a table.
    pub task: String,
    pub problem: Problem,
    /// The amplitudes that should be found.
    pub target: Clip,
    /// The measurement as a picture, in [0, 1]: what a user would see without a reconstruction.
    pub bare: Clip,
    pub headline: Headline,
    pub truth: Truth,
    pub rivals: Vec<Rival>,
}
