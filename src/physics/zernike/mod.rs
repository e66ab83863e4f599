//! Aberrations of a pupil, given by Zernike coefficients, and the blur they make.

mod correlation;
mod mode;
mod model;
mod pupil;
mod transfer;

pub use correlation::Correlation;
pub use mode::{Aberration, MODES, Mode};
pub use model::ZernikeBlur;
pub use pupil::{PSF_SIZE, Psf, Pupil};
pub use transfer::Transfer;
