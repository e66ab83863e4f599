use std::io;
use std::path::{Path, PathBuf};

use crate::media::MediaError;

/// Why there are no training data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: io::Error },

    #[error("{}: {source}", path.display())]
    Toml {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },

    #[error("the description of the training data: {0}")]
    Description(String),

    #[error(
        "{}: there is no video in it that can be read; it may hold GIF, MP4, MOV, AVI, MKV, WebM, \
         MPEG, multi-page TIFF or NPY files and folders of frames, also in folders of its own{}",
        path.display(),
        listed(unreadable)
    )]
    NoVideos {
        path: PathBuf,
        unreadable: Vec<String>,
    },

    #[error(
        "{}: there is no photograph in it that can be read; it may hold PNG, JPEG, BMP and TIFF \
         files, also in folders of its own{}",
        path.display(),
        listed(unreadable)
    )]
    NoPhotographs {
        path: PathBuf,
        unreadable: Vec<String>,
    },

    #[error("{name}: nothing in the download matches {patterns:?}")]
    NothingMatches { name: String, patterns: Vec<String> },

    #[error(
        "{}: has the SHA-256 {found}, but the description expects {expected}; delete the file to \
         fetch it again, and do not use it if it stays so",
        path.display()
    )]
    Hash {
        path: PathBuf,
        expected: String,
        found: String,
    },

    #[error("{purpose} needs the program `{tool}`, which was not found; install it")]
    ToolMissing { tool: String, purpose: String },

    #[error("{purpose} failed: `{tool}` said: {said}")]
    ToolFailed {
        tool: String,
        purpose: String,
        said: String,
    },

    #[error(
        "nothing is left to {0}: give more or longer videos or photographs, or a source of kind \
         `scenes` or `collage`"
    )]
    Nothing(&'static str),

    #[error(transparent)]
    Media(#[from] MediaError),

    #[error("{}: not a pool of training clips: {detail}", path.display())]
    NotAPool { path: PathBuf, detail: String },
}

impl DataError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

fn listed(unreadable: &[String]) -> String {
    match unreadable {
        [] => String::new(),
        [first, others @ ..] => format!(
            ". What was tried failed: {first}{}",
            match others.len() {
                0 => String::new(),
                count => format!(" (and {count} more)"),
            }
        ),
    }
}
