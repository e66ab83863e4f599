//! The authors' files: where they belong, and what to do without them.

use std::path::PathBuf;

use super::Options;
use crate::cli::checkpoint;
use crate::cli::error::bad_input;
use crate::media::MediaError;
use crate::media::datasets::{ClipRef, Dataset};

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
    let given = options.checkpoint.as_deref();
    let path = given.unwrap_or_else(|| checkpoint::published_for(dataset));
    match (checkpoint::existing(path), clips) {
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
