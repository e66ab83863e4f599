//! Colour video out, through an `ffmpeg` on the machine.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::MediaError;
use super::colour::{Reel, first_of};
use super::ffmpeg::program;

/// Frames a second of the file; a picture that is shown longer is repeated.
const RATE: f32 = 25.0;

pub(super) fn write(path: &Path, reel: Reel) -> Result<(), MediaError> {
    write_by(&program(), path, reel)
}

fn write_by(program: &OsStr, path: &Path, reel: Reel) -> Result<(), MediaError> {
    let failed = |detail: String| MediaError::CannotWrite {
        path: path.to_owned(),
        detail,
    };
    let first = first_of(path, reel)?;
    let size = first.0.dimensions();
    let mut child = start(program, path, size).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::PermissionDenied => failed(
            "an MP4 needs the program ffmpeg, which is not on this machine: install it (where \
             it is not on the PATH, VDPS_FFMPEG names it), or end the name in .gif"
                .into(),
        ),
        _ => MediaError::io(path)(error),
    })?;
    let sent = send(&mut child, std::iter::once(first).chain(reel), size);
    drop(child.stdin.take());
    let mut said = String::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.read_to_string(&mut said);
    }
    let status = child.wait().map_err(MediaError::io(path))?;
    // What ffmpeg says of itself is worth more than that it no longer listened.
    match status.success() {
        true => sent.map_err(failed),
        false => Err(failed(format!(
            "ffmpeg could not write it: {}",
            said.lines().last().unwrap_or("it gave no reason")
        ))),
    }
}

fn start(program: &OsStr, path: &Path, (width, height): (u32, u32)) -> std::io::Result<Child> {
    Command::new(program)
        .args(["-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"])
        .arg("-s")
        .arg(format!("{width}x{height}"))
        .arg("-r")
        .arg(RATE.to_string())
        .args(["-i", "pipe:0", "-an"])
        // Colours of half the resolution, as every player reads, ask for even sides.
        .args([
            "-vf",
            "pad=ceil(iw/2)*2:ceil(ih/2)*2",
            "-pix_fmt",
            "yuv420p",
        ])
        .args(["-movflags", "+faststart", "-f", "mp4"])
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

fn send(
    child: &mut Child,
    pictures: impl Iterator<Item = (image::RgbImage, f32)>,
    size: (u32, u32),
) -> Result<(), String> {
    let Some(pipe) = child.stdin.as_mut() else {
        unreachable!("it was asked to be a pipe")
    };
    for (picture, seconds) in pictures {
        if picture.dimensions() != size {
            return Err("its pictures differ in size".into());
        }
        for _ in 0..(seconds * RATE).round().max(1.0) as usize {
            pipe.write_all(picture.as_raw())
                .map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::ffmpeg::tests::ffmpeg_or_skip;
    use super::*;
    use crate::media::{ReadOptions, open};

    fn reel() -> impl Iterator<Item = (image::RgbImage, f32)> {
        [40, 200].into_iter().map(|level| {
            let picture = image::RgbImage::from_pixel(33, 17, image::Rgb([level; 3]));
            (picture, 0.2)
        })
    }

    #[test]
    fn a_video_can_be_read_back() {
        if !ffmpeg_or_skip("a_video_can_be_read_back") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.mp4");
        write(&path, &mut reel()).unwrap();
        let clip = open(&path, &ReadOptions::default()).unwrap().clip;
        assert_eq!(clip.shape().to_string(), "10x18x34");
        let (dark, bright) = (clip.frame(0)[100], clip.frame(9)[100]);
        assert!((dark - 40.0 / 255.0).abs() < 0.02, "{dark}");
        assert!((bright - 200.0 / 255.0).abs() < 0.02, "{bright}");
    }

    #[test]
    fn without_ffmpeg_it_says_what_to_do() {
        let path = Path::new("run.mp4");
        let error = write_by(OsStr::new("no-such-ffmpeg"), path, &mut reel()).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("install it") && text.contains(".gif"),
            "{text}"
        );
    }
}
