//! Which files there are, and which of them are meant.

use std::fs;
use std::path::{Path, PathBuf};

use super::DataError;

/// Endings of files that hold a video each.
const VIDEOS: [&str; 13] = [
    "gif", "tif", "tiff", "npy", "avi", "mp4", "m4v", "mov", "mkv", "webm", "mpg", "mpeg", "ogv",
];

/// Endings of files that hold a picture each.
const PICTURES: [&str; 4] = ["png", "jpg", "jpeg", "bmp"];

/// Fewer pictures than this in a folder are not the frames of a video.
const FRAMES_OF_A_VIDEO: usize = 5;

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    let extension = path.extension().unwrap_or_default();
    endings.contains(&extension.to_string_lossy().to_ascii_lowercase().as_str())
}

/// All files under a folder (or the file itself), in the order of their names; hidden ones are
/// passed over.
pub fn all_under(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    if !fs::metadata(path).map_err(DataError::io(path))?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut entries = Vec::new();
    for entry in fs::read_dir(path).map_err(DataError::io(path))? {
        let entry = entry.map_err(DataError::io(path))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        // A link may lead anywhere, back up as well.
        let link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if !hidden && !(link && entry.path().is_dir()) {
            entries.push(entry.path());
        }
    }
    entries.sort();
    let mut files = Vec::new();
    for entry in entries {
        if entry.is_dir() {
            files.extend(all_under(&entry)?);
        } else if entry.is_file() {
            files.push(entry);
        }
    }
    Ok(files)
}

/// The videos under a folder: files, and folders of frames.
pub fn videos_under(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let files = all_under(path)?;
    if path.is_file() {
        return Ok(files);
    }
    let mut videos: Vec<PathBuf> = files
        .iter()
        .filter(|f| ends_in(f, &VIDEOS))
        .cloned()
        .collect();
    let mut pictures: Vec<&Path> = files
        .iter()
        .filter(|file| ends_in(file, &PICTURES))
        .filter_map(|file| file.parent())
        .collect();
    pictures.sort();
    let folders = pictures.chunk_by(|a, b| a == b);
    let folders = folders.filter(|frames| frames.len() >= FRAMES_OF_A_VIDEO);
    videos.extend(folders.map(|frames| frames[0].to_owned()));
    videos.sort();
    Ok(videos)
}

/// The photographs under a folder.
pub fn photographs_under(path: &Path) -> Result<Vec<PathBuf>, DataError> {
    let mut files = all_under(path)?;
    if path.is_dir() {
        files.retain(|file| ends_in(file, &PICTURES) || ends_in(file, &["tif", "tiff"]));
    }
    Ok(files)
}

/// The files under a folder whose place in it one of the patterns describes.
pub fn matching(folder: &Path, patterns: &[String]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = all_under(folder)?;
    files.retain(|file| {
        let place = file.strip_prefix(folder).unwrap_or(file);
        let parts: Vec<_> = place.iter().map(|part| part.to_string_lossy()).collect();
        let parts: Vec<&str> = parts.iter().map(AsRef::as_ref).collect();
        let mut patterns = patterns.iter();
        patterns.any(|pattern| path_matches(&pattern.split('/').collect::<Vec<_>>(), &parts))
    });
    Ok(files)
}

fn path_matches(pattern: &[&str], parts: &[&str]) -> bool {
    match (pattern, parts) {
        ([], []) => true,
        (["**", rest @ ..], _) => (0..=parts.len()).any(|from| path_matches(rest, &parts[from..])),
        ([first, rest @ ..], [part, others @ ..]) => {
            name_matches(first.as_bytes(), part.as_bytes()) && path_matches(rest, others)
        }
        _ => false,
    }
}

fn name_matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=name.len()).any(|from| name_matches(rest, &name[from..])),
        ([b'?', rest @ ..], [_, others @ ..]) => name_matches(rest, others),
        ([a, rest @ ..], [b, others @ ..]) => a == b && name_matches(rest, others),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_names_and_folders() {
        let matches = |pattern: &str, path: &str| {
            path_matches(
                &pattern.split('/').collect::<Vec<_>>(),
                &path.split('/').collect::<Vec<_>>(),
            )
        };
        assert!(matches("**/*.mp4", "a.mp4") && matches("**/*.mp4", "x/y/a.mp4"));
        assert!(matches("*/v?/*.avi", "pack/v1/film.avi"));
        assert!(matches("a/**/b", "a/b") && matches("a/**/b", "a/c/d/b"));
        assert!(!matches("*.mp4", "x/a.mp4") && !matches("**/*.mp4", "a.mp4.txt"));
        assert!(!matches("*/v?/*.avi", "pack/v12/film.avi"));
    }

    #[test]
    fn folders_of_frames_are_videos_and_single_pictures_are_not() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        for i in 0..FRAMES_OF_A_VIDEO {
            make(&format!("shot/{i}.png"));
        }
        [
            "cover.jpg",
            "deep/er/a.MP4",
            "b.gif",
            ".hidden.gif",
            "notes.txt",
        ]
        .into_iter()
        .for_each(make);
        let names = |found: Vec<PathBuf>| -> Vec<String> {
            let place = |path: &PathBuf| path.strip_prefix(root.path()).unwrap().to_owned();
            found
                .iter()
                .map(|p| place(p).display().to_string())
                .collect()
        };
        let videos = videos_under(root.path()).unwrap();
        assert_eq!(names(videos), ["b.gif", "deep/er/a.MP4", "shot"]);
        let pictures = photographs_under(root.path()).unwrap();
        assert_eq!(pictures.len(), 1 + FRAMES_OF_A_VIDEO);
        let found = matching(root.path(), &["**/*.MP4".to_owned()]).unwrap();
        assert_eq!(names(found), ["deep/er/a.MP4"]);
    }
}
