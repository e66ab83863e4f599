//! The authors' files: where they belong, and what is used or done without them.

use super::Options;
use crate::cli::checkpoint::{self, Found};
use crate::cli::error::bad_input;
use crate::media::MediaError;
use crate::media::datasets::{ClipRef, Dataset};
use crate::run::NetworkChoice;

/// The network, and the clips up to the limit.
///
/// # Errors
/// When clips or a network that was named are not there; the message tells of both.
pub fn find(dataset: Dataset, options: &Options) -> anyhow::Result<(Found, Vec<ClipRef>)> {
    let clips = dataset.list(&options.data).map_err(|error| match error {
        MediaError::DatasetMissing { .. } => bad_input!(
            "{error}; `vdps simulate INPUT` makes a measurement of any video, and \
             `vdps reconstruct INPUT --method instant` needs no trained network"
        ),
        other => other.into(),
    });
    match (network(dataset, options), clips) {
        (Ok(network), Ok(mut clips)) => {
            if let Some(limit) = options.limit {
                clips.truncate(limit.get());
            }
            Ok((network, clips))
        }
        (Err(network), Err(clips)) => Err(bad_input!("{network}\nand {clips:#}")),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

fn network(dataset: Dataset, options: &Options) -> anyhow::Result<Found> {
    match (&options.prior, &options.checkpoint) {
        (Some(network), _) => checkpoint::named(network.clone()),
        (None, Some(file)) => checkpoint::named(NetworkChoice::File(file.clone())),
        (None, None) => {
            let published = checkpoint::published_for(dataset);
            Ok(checkpoint::published_or_embedded(published))
        }
    }
}
