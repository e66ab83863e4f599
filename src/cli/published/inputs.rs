//! The authors' files: where they belong, and what to do without them.

use std::path::{Path, PathBuf};

use super::Options;
use crate::cli::checkpoint::DOWNLOAD_LINK;
use crate::cli::error::bad_input;
use crate::media::MediaError;
use crate::media::datasets::{ClipRef, Dataset};

/// Where the authors' program looks for the network of a data set.
fn published_checkpoint(dataset: Dataset) -> &'static Path {
    Path::new(match dataset {
        Dataset::Visem => "results/model-100.2.pt",
        Dataset::Ucf101 | Dataset::Davis | Dataset::Real => "results/model-100.1.pt",
    })
}

/// The checkpoint, and the clips up to the limit.
///
/// # Errors
/// When either is not there; the message tells of both.
pub fn find(dataset: Dataset, options: &Options) -> anyhow::Result<(PathBuf, Vec<ClipRef>)> {
    let clips = dataset.list(&options.data).map_err(|error| match error {
        MediaError::DatasetMissing { .. } => bad_input!(
            "{error}; `vdps simulate INPUT` makes a measurement of any video, and \
             `vdps reconstruct INPUT --method instant` needs no trained network"
        ),
        other => other.into(),
    });
    match (checkpoint(dataset, options), clips) {
        (Ok(checkpoint), Ok(mut clips)) => {
            if let Some(limit) = options.limit {
                clips.truncate(limit.get());
            }
            Ok((checkpoint, clips))
        }
        (Err(checkpoint), Err(clips)) => Err(bad_input!("{checkpoint}\nand {clips:#}")),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

fn checkpoint(dataset: Dataset, options: &Options) -> anyhow::Result<PathBuf> {
    let path = match &options.checkpoint {
        Some(given) => given,
        None => published_checkpoint(dataset),
    };
    if path.is_file() {
        return Ok(path.to_owned());
    }
    Err(bad_input!(
        "there is no checkpoint {}: the published method needs the authors' trained network. \
         Download it from {DOWNLOAD_LINK} and put model-100.1.pt (for UCF101, DAVIS and Real) \
         and model-100.2.pt (for VISEM) into the folder `results` of the folder the command is \
         run in, or name the file with --checkpoint. To go on without it: \
         `vdps reconstruct INPUT --method instant` needs no trained network, \
         `vdps simulate INPUT` makes a measurement of any video, `vdps demo` needs nothing",
        path.display()
    ))
}
