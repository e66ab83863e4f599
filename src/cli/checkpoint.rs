//! Where the published checkpoints are, and what to do without them.

use std::path::{Path, PathBuf};

use super::error::bad_input;
use crate::clip::Shape;
use crate::media::datasets::Dataset;

/// Where the authors publish their checkpoints.
const DOWNLOAD_LINK: &str =
    "https://drive.google.com/file/d/1BHm6v41HT7AHxV18qYyK_DM5e1n-KIpi/view?usp=sharing";

const FOR_64_PIXELS: &str = "results/model-100.1.pt";
const FOR_128_PIXELS: &str = "results/model-100.2.pt";

/// The published checkpoint for clips of this shape, below the working folder.
pub fn published(shape: Shape) -> &'static Path {
    Path::new(if shape.height.max(shape.width) >= 128 {
        FOR_128_PIXELS
    } else {
        FOR_64_PIXELS
    })
}

/// The published checkpoint of a data set, below the working folder.
pub fn published_for(dataset: Dataset) -> &'static Path {
    Path::new(match dataset {
        Dataset::Visem => FOR_128_PIXELS,
        Dataset::Ucf101 | Dataset::Davis | Dataset::Real => FOR_64_PIXELS,
    })
}

/// The checkpoint given, or the published one for clips of this shape.
///
/// # Errors
/// Those of [`existing`].
pub fn locate(given: Option<&Path>, shape: Shape) -> anyhow::Result<PathBuf> {
    existing(given.unwrap_or_else(|| published(shape)))
}

/// The path itself.
///
/// # Errors
/// When there is no such file; the message says where to get it and how to go on without.
pub fn existing(path: &Path) -> anyhow::Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(bad_input!(
        "there is no checkpoint {}: the published method needs the authors' trained network. \
         Download it from {DOWNLOAD_LINK} and put model-100.1.pt (64-pixel clips: UCF101, DAVIS, \
         Real) and model-100.2.pt (128-pixel clips: VISEM) into the folder `results` of the \
         folder the command is run in, or name the file with --checkpoint. To go on without it: \
         `vdps reconstruct INPUT --method instant` needs no trained network, \
         `vdps simulate INPUT` makes a measurement of any video, `vdps demo` needs nothing",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_the_clip_picks_the_checkpoint() {
        let name = |side| published(Shape::new(10, side, side)).to_str();
        assert_eq!(name(64), Some("results/model-100.1.pt"));
        assert_eq!(name(128), Some("results/model-100.2.pt"));
    }

    #[test]
    fn a_missing_one_says_where_it_is_found() {
        let error = locate(Some(Path::new("no/such.pt")), Shape::new(10, 64, 64)).unwrap_err();
        for part in ["no/such.pt", DOWNLOAD_LINK, "results", "--method instant"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
