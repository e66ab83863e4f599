//! Writing so that a name never holds half a file.

use std::ffi::OsString;
use std::fs;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use super::MediaError;
use super::images::is_written_frame;

/// Lets `write` make a file or folder under a name of its own beside `path`, then moves it there.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<(), MediaError>,
) -> Result<(), MediaError> {
    let partial = partial_name(path)?;
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(MediaError::io(parent))?;
    }
    let moved = write(&partial)
        .and_then(|()| clear_frames(path))
        .and_then(|()| fs::rename(&partial, path).map_err(MediaError::io(path)));
    if moved.is_err() {
        // The first error is the one worth telling.
        let _ = fs::remove_file(&partial).or_else(|_| fs::remove_dir_all(&partial));
    }
    moved
}

/// Makes a file through a buffer; `write` fails with whatever its format's library fails with.
pub(super) fn to_file<E: ToString>(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<fs::File>) -> Result<(), E>,
) -> Result<(), MediaError> {
    let file = fs::File::create(path).map_err(MediaError::io(path))?;
    let mut buffered = BufWriter::new(file);
    write(&mut buffered).map_err(|error| MediaError::CannotWrite {
        path: path.to_owned(),
        detail: error.to_string(),
    })?;
    buffered.flush().map_err(MediaError::io(path))
}

fn partial_name(path: &Path) -> Result<PathBuf, MediaError> {
    let name = path.file_name().ok_or_else(|| MediaError::UnknownOutput {
        path: path.to_owned(),
    })?;
    let mut partial = OsString::from(".");
    partial.push(name);
    partial.push(format!(".{}.partial", std::process::id()));
    Ok(path.with_file_name(partial))
}

/// Removes a folder of frames written before, and nothing that is not one.
fn clear_frames(path: &Path) -> Result<(), MediaError> {
    if !path.is_dir() {
        return Ok(());
    }
    let mut frames = Vec::new();
    for entry in fs::read_dir(path).map_err(MediaError::io(path))? {
        let entry = entry.map_err(MediaError::io(path))?;
        if !is_written_frame(&entry.file_name()) {
            return Err(MediaError::CannotWrite {
                path: path.to_owned(),
                detail: format!(
                    "the folder holds {}, which is no frame of an earlier clip; \
                     choose a new or empty folder",
                    entry.file_name().display()
                ),
            });
        }
        frames.push(entry.path());
    }
    for frame in frames {
        fs::remove_file(&frame).map_err(MediaError::io(&frame))?;
    }
    fs::remove_dir(path).map_err(MediaError::io(path))
}
