//! Where the published checkpoints are, and what to do without them.

use std::path::{Path, PathBuf};

use super::error::bad_input;
use crate::clip::Shape;

/// Where the authors publish their checkpoints.
pub const DOWNLOAD_LINK: &str =
    "https://drive.google.com/file/d/1BHm6v41HT7AHxV18qYyK_DM5e1n-KIpi/view?usp=sharing";

/// The published checkpoint for clips of this shape, below the working folder.
pub fn published(shape: Shape) -> &'static Path {
    Path::new(if shape.height.max(shape.width) >= 128 {
        "results/model-100.2.pt"
    } else {
        "results/model-100.1.pt"
    })
}

/// The checkpoint given, or the published one for clips of this shape.
///
/// # Errors
/// When there is no such file; the message says where to get it and how to go on without.
pub fn locate(given: Option<&Path>, shape: Shape) -> anyhow::Result<PathBuf> {
    let path = given.unwrap_or_else(|| published(shape));
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(bad_input!(
        "there is no checkpoint {}. The method `reference` needs the authors' trained network: \
         download it from {DOWNLOAD_LINK} and put model-100.1.pt (64-pixel clips: UCF101, DAVIS) \
         and model-100.2.pt (128-pixel clips: VISEM) into the folder `results`, or name the \
         file with --checkpoint. `--method instant` needs no network and goes on without",
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
