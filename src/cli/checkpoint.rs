//! Where the published checkpoints are, and what is used or done without them.

use std::path::{Path, PathBuf};

use super::error::bad_input;
use crate::clip::Shape;
use crate::media::datasets::Dataset;
use crate::run::{NetworkChoice, PriorRecord};

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

/// The network of a run.
#[derive(Debug, PartialEq)]
pub struct Found {
    pub network: NetworkChoice,
    /// The published checkpoint that it stands in for, where that is not there.
    pub instead_of: Option<PathBuf>,
}

/// The network that was named.
///
/// # Errors
/// Those of [`existing`].
pub fn named(network: NetworkChoice) -> anyhow::Result<Found> {
    if let NetworkChoice::File(path) = &network {
        existing(path)?;
    }
    Ok(Found {
        network,
        instead_of: None,
    })
}

/// The published checkpoint where it is there, else the network that ships inside.
pub fn published_or_embedded(checkpoint: &Path) -> Found {
    match checkpoint.is_file() {
        true => Found {
            network: NetworkChoice::File(checkpoint.to_owned()),
            instead_of: None,
        },
        false => Found {
            network: NetworkChoice::Embedded,
            instead_of: Some(checkpoint.to_owned()),
        },
    }
}

/// What a user should know of a network that stands in for a published one.
pub fn note(prior: &PriorRecord) -> Option<String> {
    let absent = prior.instead_of.as_ref()?.display();
    Some(format!(
        "{absent} is not there: using the embedded prior, which is small; for the published \
         method download it from {DOWNLOAD_LINK}"
    ))
}

/// # Errors
/// When there is no such file; the message says where to get it and how to go on without.
fn existing(path: &Path) -> anyhow::Result<()> {
    if path.is_file() {
        return Ok(());
    }
    Err(bad_input!(
        "there is no checkpoint {}: the published method needs the authors' trained network. \
         Download it from {DOWNLOAD_LINK} and put model-100.1.pt (64-pixel clips: UCF101, DAVIS, \
         Real) and model-100.2.pt (128-pixel clips: VISEM) into the folder `results` of the \
         folder the command is run in, or name the file with --checkpoint. To go on without it: \
         --prior embedded samples from the small network inside, \
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
    fn without_the_published_one_the_embedded_one_is_used_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.pt");
        let usual = published_or_embedded(&path);
        assert_eq!(usual.network, NetworkChoice::Embedded);
        let record = PriorRecord {
            description: String::new(),
            checkpoint: None,
            sha256: String::new(),
            instead_of: usual.instead_of,
        };
        let note = note(&record).unwrap();
        for part in ["model.pt is not there", "embedded", DOWNLOAD_LINK] {
            assert!(note.contains(part), "{note}");
        }
        std::fs::write(&path, "there").unwrap();
        let usual = published_or_embedded(&path);
        assert_eq!(usual.network, NetworkChoice::File(path));
        assert_eq!(usual.instead_of, None);
    }

    #[test]
    fn a_missing_one_says_where_it_is_found() {
        let error = existing(Path::new("no/such.pt")).unwrap_err();
        for part in ["no/such.pt", DOWNLOAD_LINK, "results", "--method instant"] {
            assert!(error.to_string().contains(part), "{error}");
        }
    }
}
