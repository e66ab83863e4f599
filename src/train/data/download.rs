//! Published archives: fetched once, checked, unpacked by the system's own tools.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;

use super::description::Download;
use super::{DataError, Progress, files};
use crate::hash::sha256;

/// The folder in which the download lies unpacked, made where it is not there yet.
///
/// # Errors
/// When it cannot be fetched, is not what was expected, or a tool is missing.
pub fn unpacked(
    download: &Download,
    folder: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<PathBuf, DataError> {
    let short = download.sha256[..12].to_ascii_lowercase();
    let done = folder.join("unpacked").join(&short);
    if !done.is_dir() {
        let file = fetched(download, &folder.join("downloads"), progress)?;
        progress(Progress::Unpacking(&file));
        unpack(&file, &done)?;
    }
    for archive in files::matching(&done, &download.inner)? {
        let mut into = archive.clone().into_os_string();
        into.push(".unpacked");
        if !Path::new(&into).is_dir() {
            unpack(&archive, into.as_ref())?;
        }
    }
    Ok(done)
}

/// The file behind the download's address, from the cache where it is there.
fn fetched(
    download: &Download,
    cache: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<PathBuf, DataError> {
    fs::create_dir_all(cache).map_err(DataError::io(cache))?;
    let url = &download.url;
    let name = url.rsplit('/').next().unwrap_or_default();
    let name = name.split(['?', '#']).next().unwrap_or_default();
    let path = cache.join(name);
    if !path.is_file() {
        progress(Progress::Fetching(url));
        let partial = cache.join(format!("{name}.partial"));
        let mut curl = Command::new("curl");
        curl.args([
            "--fail",
            "--location",
            "--silent",
            "--show-error",
            "--retry",
            "3",
        ]);
        curl.arg("--output").arg(&partial).arg(url);
        run(curl, &format!("fetching {url}"))?;
        fs::rename(&partial, &path).map_err(DataError::io(&partial))?;
    }
    let found = sha256(&path).map_err(DataError::io(&path))?;
    if !found.eq_ignore_ascii_case(&download.sha256) {
        return Err(DataError::Hash {
            path,
            expected: download.sha256.clone(),
            found,
        });
    }
    Ok(path)
}

/// Unpacks an archive into a folder that appears once it is complete.
fn unpack(archive: &Path, into: &Path) -> Result<(), DataError> {
    let partial = into.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(DataError::io(&partial))?;
    }
    fs::create_dir_all(&partial).map_err(DataError::io(&partial))?;
    unpack_into(archive, &partial)?;
    fs::rename(&partial, into).map_err(DataError::io(into))
}

/// Unpacks an archive, told by its name; any other file is put into the folder as it is.
fn unpack_into(archive: &Path, into: &Path) -> Result<(), DataError> {
    let name = archive.file_name().unwrap_or_default();
    let purpose = format!("unpacking {}", archive.display());
    let ends = |endings: &[&str]| {
        let name = name.to_string_lossy().to_ascii_lowercase();
        endings.iter().any(|ending| name.ends_with(ending))
    };
    if ends(&[".zip", ".whl"]) {
        let mut unzip = Command::new("unzip");
        unzip.arg("-qo").arg(archive).arg("-d").arg(into);
        return run(unzip, &purpose);
    }
    if ends(&[".tar", ".tgz", ".tar.gz", ".tar.xz", ".tar.bz2", ".tar.zst"]) {
        return run(tar(archive, into), &purpose);
    }
    if ends(&[".deb"]) {
        let mut dpkg = Command::new("dpkg-deb");
        dpkg.arg("-x").arg(archive).arg(into);
        return match run(dpkg, &purpose) {
            Err(DataError::ToolMissing { .. }) => unpack_deb(archive, into, &purpose),
            done => done,
        };
    }
    if ends(&[".gz"]) {
        let to = into.join(archive.file_stem().unwrap_or(name));
        return gunzip(archive, &to).map_err(DataError::io(archive));
    }
    fs::copy(archive, into.join(name)).map_err(DataError::io(archive))?;
    Ok(())
}

fn gunzip(archive: &Path, to: &Path) -> io::Result<()> {
    let mut packed = GzDecoder::new(File::open(archive)?);
    io::copy(&mut packed, &mut File::create(to)?).map(drop)
}

fn tar(archive: &Path, into: &Path) -> Command {
    let mut tar = Command::new("tar");
    tar.arg("-xf").arg(archive).arg("-C").arg(into);
    tar
}

/// A Debian package is an `ar` archive that holds its files in a `tar` archive.
fn unpack_deb(archive: &Path, into: &Path, purpose: &str) -> Result<(), DataError> {
    let archive = fs::canonicalize(archive).map_err(DataError::io(archive))?;
    let mut ar = Command::new("ar");
    ar.arg("x").arg(archive).current_dir(into);
    run(ar, purpose)?;
    for data in files::matching(into, &["data.tar*".to_owned()])? {
        run(tar(&data, into), purpose)?;
        fs::remove_file(&data).map_err(DataError::io(&data))?;
    }
    Ok(())
}

fn run(mut command: Command, purpose: &str) -> Result<(), DataError> {
    let tool = command.get_program().to_string_lossy().into_owned();
    let purpose = purpose.to_owned();
    match command.output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(DataError::ToolFailed {
            tool,
            purpose,
            said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(DataError::ToolMissing { tool, purpose })
        }
        Err(error) => Err(DataError::ToolFailed {
            tool,
            purpose,
            said: error.to_string(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::data::Credit;

    fn download(sha256: &str) -> Download {
        Download {
            url: "https://nowhere.invalid/some/note.bin?raw=1".to_owned(),
            sha256: sha256.to_owned(),
            inner: Vec::new(),
            videos: vec!["*".to_owned()],
            photographs: Vec::new(),
            weight: 1.0,
            validation: false,
            stride: [1, 3],
            credit: Credit::default(),
        }
    }

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn what_is_in_the_cache_is_checked_and_not_fetched() {
        let folder = tempfile::tempdir().unwrap();
        let cache = folder.path().join("downloads");
        fs::create_dir(&cache).unwrap();
        fs::write(cache.join("note.bin"), "abc").unwrap();

        let wrong = download(&"0".repeat(64));
        let error = unpacked(&wrong, folder.path(), &|_| {}).unwrap_err();
        assert!(matches!(error, DataError::Hash { .. }));
        let message = error.to_string();
        assert!(
            message.contains(ABC) && message.contains("delete"),
            "{message}"
        );

        let unpacked = unpacked(&download(ABC), folder.path(), &|_| {}).unwrap();
        assert_eq!(fs::read(unpacked.join("note.bin")).unwrap(), b"abc");
    }

    #[test]
    fn a_missing_tool_is_named() {
        let command = Command::new("a-tool-that-is-not-there");
        let message = run(command, "unpacking it").unwrap_err().to_string();
        assert!(message.contains("a-tool-that-is-not-there"), "{message}");
        assert!(message.contains("install"), "{message}");
    }
}
