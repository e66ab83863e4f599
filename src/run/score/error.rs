use std::path::PathBuf;

use crate::clip::Shape;
use crate::media::MediaError;
use crate::metrics::ShapesDiffer;
use crate::physics::PhysicsError;
use crate::run::SensorError;

/// Why a case cannot be scored.
#[derive(Debug, thiserror::Error)]
pub enum ScoreError {
    #[error(
        "{}: the folder's name says no task; it must begin with known_d<mm>_s<px>, \
         blind_d<mm>-<mm>_s<px>-<px>, deblur, dehaze, inpaint, zernike or real, followed by _ \
         and the clip's name, as in known_d5_s1_plane",
        folder.display()
    )]
    NoTask { folder: PathBuf },
    #[error("{}: {detail}", folder.display())]
    BadTask { folder: PathBuf, detail: String },
    #[error(
        "{}: there is no {file} in it; a folder to be scored holds target.gif, measurement.gif \
         and each rival's result as NAME.gif",
        folder.display()
    )]
    Missing { folder: PathBuf, file: &'static str },
    #[error(
        "{}: it is {given}, but the target is {target} (frames x rows x columns)",
        path.display()
    )]
    Shape {
        path: PathBuf,
        given: Shape,
        target: Shape,
    },
    #[error(
        "{}: no measurement can be made from the target of a real capture, whose layer is not \
         known; score it with --from gif",
        folder.display()
    )]
    NotFromTarget { folder: PathBuf },
    #[error("{}: {source}", folder.display())]
    Io {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error(transparent)]
    Media(#[from] MediaError),
    #[error(transparent)]
    Physics(#[from] PhysicsError),
    #[error(transparent)]
    Sensor(#[from] SensorError),
    #[error(transparent)]
    Shapes(#[from] ShapesDiffer),
}
