use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::grey::frame_of;
use super::sink::{FrameSink, Origin, Wanted, check_frame_size};
use super::{FrameSize, MediaError, ReadOptions, VideoReader, extension};

/// Compressed video, decoded to 8-bit RGB by an `ffmpeg` on the machine, every stored frame once.
pub(super) struct Ffmpeg;

const EXTENSIONS: [&str; 9] = [
    "avi", "mp4", "m4v", "mov", "mkv", "webm", "mpg", "mpeg", "ogv",
];

impl VideoReader for Ffmpeg {
    fn name(&self) -> &'static str {
        "video"
    }

    fn accepts(&self, path: &Path, head: &[u8]) -> bool {
        let riff_avi = head.starts_with(b"RIFF") && head.get(8..12) == Some(b"AVI ");
        let iso_media = head.get(4..8) == Some(b"ftyp");
        let matroska = head.starts_with(b"\x1a\x45\xdf\xa3");
        let named = EXTENSIONS.contains(&extension(path).as_str());
        riff_avi || iso_media || matroska || named
    }

    fn read(
        &self,
        path: &Path,
        _options: &ReadOptions,
        sink: &mut FrameSink,
    ) -> Result<Origin, MediaError> {
        for_each_frame(path, |size, rgb| {
            sink.offer(path, || Ok(frame_of(size, rgb, 3, 255)))
        })?;
        Ok(Origin::default())
    }
}

/// Calls `take` with every frame's size and interleaved RGB bytes until it has enough;
/// gives the number of frames it was called with. One frame is in memory at a time.
pub(super) fn for_each_frame(
    path: &Path,
    take: impl FnMut(FrameSize, &[u8]) -> Result<Wanted, MediaError>,
) -> Result<usize, MediaError> {
    for_each_frame_by(&program(), path, take)
}

/// What is called in ffmpeg's name.
pub(super) fn program() -> OsString {
    env::var_os("VDPS_FFMPEG").unwrap_or_else(|| "ffmpeg".into())
}

fn for_each_frame_by(
    program: &OsStr,
    path: &Path,
    mut take: impl FnMut(FrameSize, &[u8]) -> Result<Wanted, MediaError>,
) -> Result<usize, MediaError> {
    let mut frames = 0;
    let mut count = |size: FrameSize, rgb: &[u8]| {
        frames += 1;
        take(size, rgb)
    };
    let said = match decode(program, path, ["-fps_mode", "passthrough"], &mut count)? {
        // The option's name before ffmpeg 5.1.
        Some(said) if said.contains("Unrecognized option 'fps_mode'") => {
            decode(program, path, ["-vsync", "passthrough"], &mut count)?
        }
        said => said,
    };
    match said {
        // Its last line says what ended it.
        Some(said) => Err(MediaError::Ffmpeg {
            path: path.to_owned(),
            detail: said
                .lines()
                .last()
                .unwrap_or("it gave no reason")
                .to_owned(),
        }),
        None => Ok(frames),
    }
}

/// Runs ffmpeg once, to its end or until `take` has enough; gives everything that it had to
/// complain about where it failed.
fn decode(
    program: &OsStr,
    path: &Path,
    every_frame_once: [&str; 2],
    take: &mut impl FnMut(FrameSize, &[u8]) -> Result<Wanted, MediaError>,
) -> Result<Option<String>, MediaError> {
    let mut child = Running(start(program, path, every_frame_once)?);
    let (Some(stdout), Some(mut stderr)) = (child.0.stdout.take(), child.0.stderr.take()) else {
        unreachable!("both were asked to be pipes")
    };
    // Read beside the frames, so that a talkative ffmpeg never waits for us.
    let complaints = thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stderr.read_to_end(&mut text);
        String::from_utf8_lossy(&text).trim().to_owned()
    });
    let mut pipe = BufReader::with_capacity(1 << 20, stdout);
    let mut rgb = Vec::new();
    while let Some(size) = next_frame(path, &mut pipe, &mut rgb)? {
        if take(size, &rgb)? == Wanted::Enough {
            return Ok(None);
        }
    }
    let status = child.0.wait().map_err(MediaError::io(path))?;
    let said = complaints.join().unwrap_or_default();
    Ok((!status.success()).then_some(said))
}

/// Frames travel as PPM pictures, each of which says its own size.
fn start(program: &OsStr, path: &Path, every_frame_once: [&str; 2]) -> Result<Child, MediaError> {
    // A file and nothing else: a playlist must not reach for the network.
    let mut input = OsString::from("file:");
    input.push(path);
    Command::new(program)
        .args([
            "-nostdin",
            "-v",
            "error",
            "-protocol_whitelist",
            "file,pipe",
            "-i",
        ])
        .arg(input)
        .args(["-map", "0:v:0"])
        .args(every_frame_once)
        .args([
            "-f",
            "image2pipe",
            "-c:v",
            "ppm",
            "-pix_fmt",
            "rgb24",
            "pipe:1",
        ])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| match error.kind() {
            ErrorKind::NotFound | ErrorKind::PermissionDenied => MediaError::FfmpegMissing {
                path: path.to_owned(),
            },
            _ => MediaError::io(path)(error),
        })
}

/// Reads one PPM picture into `rgb`; none at the end of the stream.
fn next_frame(
    path: &Path,
    pipe: &mut impl BufRead,
    rgb: &mut Vec<u8>,
) -> Result<Option<FrameSize>, MediaError> {
    let broken = |detail: &str| MediaError::Ffmpeg {
        path: path.to_owned(),
        detail: detail.to_owned(),
    };
    if pipe.fill_buf().map_err(MediaError::io(path))?.is_empty() {
        return Ok(None);
    }
    let mut line = || {
        let mut text = Vec::new();
        pipe.by_ref()
            .take(64)
            .read_until(b'\n', &mut text)
            .map_err(MediaError::io(path))?;
        Ok::<_, MediaError>(String::from_utf8_lossy(&text).trim().to_owned())
    };
    let (magic, sides, white) = (line()?, line()?, line()?);
    let sides = sides
        .split_once(' ')
        .and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let (Some((width, height)), "P6", "255") = (sides, magic.as_str(), white.as_str()) else {
        return Err(broken("it did not send frames in the form asked for"));
    };
    let size = FrameSize::new(height, width);
    rgb.resize(check_frame_size(path, size)? * 3, 0);
    pipe.read_exact(rgb)
        .map_err(|_| broken("it stopped in the middle of a frame"))?;
    Ok(Some(size))
}

/// Ends ffmpeg when its frames are no longer wanted.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Both fail only where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::media::open;

    /// Whether ffmpeg is there; says so where a test is skipped for the lack of it.
    ///
    /// # Panics
    /// When it is absent and `VDPS_REQUIRE_ALL=1` asks for every test.
    pub(in crate::media) fn ffmpeg_or_skip(test: &str) -> bool {
        let there = Command::new(program()).arg("-version").output().is_ok();
        if !there {
            let required = env::var("VDPS_REQUIRE_ALL").is_ok_and(|v| v == "1");
            assert!(!required, "{test} needs ffmpeg");
            eprintln!("SKIPPED: {test} needs ffmpeg");
        }
        there
    }

    /// Makes a lossless video of RGB frames, as a camera with an uneven pace would.
    pub(in crate::media) fn make_video(path: &Path, size: FrameSize, frames: &[Vec<u8>]) {
        let raw = path.with_extension("rgb");
        std::fs::write(&raw, frames.concat()).unwrap();
        let program = env::var_os("VDPS_FFMPEG").unwrap_or_else(|| "ffmpeg".into());
        let made = Command::new(program)
            .args([
                "-nostdin", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s",
            ])
            .arg(format!("{}x{}", size.width, size.height))
            .args(["-r", "25", "-i"])
            .arg(&raw)
            .args(["-vf", "setpts=N*N*40"])
            .args(["-c:v", "ffv1", "-pix_fmt", "bgr0", "-f", "matroska"])
            .arg(path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "{said}");
        std::fs::remove_file(raw).unwrap();
    }

    fn video(folder: &Path) -> (std::path::PathBuf, FrameSize, Vec<Vec<u8>>) {
        let size = FrameSize::new(4, 6);
        let value = |f: usize, i: usize| ((f * 31 + i * 7) % 256) as u8;
        let frame = |f| (0..4 * 6 * 3).map(|i| value(f, i)).collect();
        let frames: Vec<Vec<u8>> = (0..8).map(frame).collect();
        let path = folder.join("a video.mkv");
        make_video(&path, size, &frames);
        (path, size, frames)
    }

    #[test]
    fn every_stored_frame_arrives_once_with_unrounded_luma() {
        if !ffmpeg_or_skip("every_stored_frame_arrives_once_with_unrounded_luma") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let (path, size, frames) = video(folder.path());
        let footage = open(&path, &ReadOptions::default()).unwrap();
        assert_eq!(footage.clip.shape(), Shape::new(8, 4, 6));
        assert_eq!(footage.levels, Some(255));
        for (found, rgb) in footage.clip.frames().zip(&frames) {
            assert_eq!(found, frame_of(size, rgb, 3, 255).values);
        }
        let options = ReadOptions {
            frames: "1..6:2".parse().unwrap(),
            ..ReadOptions::default()
        };
        let part = open(&path, &options).unwrap().clip;
        assert_eq!(part.shape().frames, 3);
        assert_eq!(part.frame(2), footage.clip.frame(5));
        let options = ReadOptions {
            frames: "3..9".parse().unwrap(),
            ..ReadOptions::default()
        };
        let error = open(&path, &options).unwrap_err().to_string();
        assert!(error.contains("there are 8"), "{error}");
    }

    #[test]
    fn a_damaged_video_is_an_error_in_ffmpegs_words() {
        if !ffmpeg_or_skip("a_damaged_video_is_an_error_in_ffmpegs_words") {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.mp4");
        std::fs::write(&path, b"no video at all").unwrap();
        let error = open(&path, &ReadOptions::default())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("ffmpeg could not read") && error.contains("nvalid"),
            "{error}"
        );
    }

    #[test]
    fn without_ffmpeg_the_error_says_how_to_go_on() {
        let program = OsStr::new("no-such-ffmpeg-anywhere");
        let error = for_each_frame_by(program, Path::new("a.avi"), |_, _| Ok(Wanted::More));
        let error = error.unwrap_err().to_string();
        for word in [
            "a.avi",
            "`ffmpeg`",
            "VDPS_FFMPEG",
            "GIF",
            "PNG",
            "TIFF",
            "NPY",
        ] {
            assert!(error.contains(word), "{error}");
        }
    }

    #[test]
    fn a_stream_that_is_no_picture_is_refused() {
        let read = |stream: &[u8]| {
            let mut rgb = Vec::new();
            next_frame(Path::new("a.avi"), &mut &stream[..], &mut rgb).map(|size| (size, rgb))
        };
        let picture = b"P6\n1 2\n255\nabcdef";
        let (size, rgb) = read(picture).unwrap();
        assert_eq!(
            (size, rgb.as_slice()),
            (Some(FrameSize::new(2, 1)), b"abcdef".as_slice())
        );
        assert_eq!(read(b"").unwrap().0, None);
        for cut in 1..picture.len() {
            assert!(read(&picture[..cut]).is_err(), "cut at {cut}");
        }
        assert!(read(b"P6\n60000 60000\n255\n").is_err());
        assert!(read(b"P6\n99999999999999999999 1\n255\n").is_err());
    }

    /// A program in ffmpeg's place: `body` is a shell script.
    #[cfg(unix)]
    fn stand_in(folder: &Path, body: &str) -> std::path::PathBuf {
        let path = folder.join("stand-in");
        // Written by another process: no file being written here can then block its start.
        let made = Command::new("sh")
            .args([
                "-c",
                "printf '%s\\n' '#!/bin/sh' \"$1\" > \"$0\" && chmod +x \"$0\"",
            ])
            .arg(&path)
            .arg(body)
            .status();
        assert!(made.unwrap().success());
        path
    }

    #[cfg(unix)]
    #[test]
    fn an_older_ffmpeg_is_asked_in_its_own_words() {
        let folder = tempfile::tempdir().unwrap();
        let body = "case \"$*\" in *-fps_mode*) echo \"Unrecognized option 'fps_mode'.\" >&2; \
                    echo 'Error splitting the argument list: Option not found' >&2; exit 1;; \
                    *-vsync*) printf 'P6\\n1 1\\n255\\nabcP6\\n1 1\\n255\\ndef';; esac";
        let program = stand_in(folder.path(), body);
        let mut frames = Vec::new();
        let count = for_each_frame_by(program.as_os_str(), Path::new("a.avi"), |_, rgb| {
            frames.push(rgb.to_vec());
            Ok(Wanted::More)
        });
        assert_eq!(count.unwrap(), 2);
        assert_eq!(frames, [b"abc", b"def"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_video_that_breaks_off_is_an_error_unless_enough_of_it_came() {
        let folder = tempfile::tempdir().unwrap();
        let body = "printf 'P6\\n1 1\\n255\\nabcP6\\n1 1\\n255\\ndef'; \
                    echo 'first complaint' >&2; echo 'Input/output error' >&2; exit 1";
        let program = stand_in(folder.path(), body);
        let read = |wanted: Wanted| {
            for_each_frame_by(program.as_os_str(), Path::new("a.avi"), |_, _| Ok(wanted))
        };
        let error = read(Wanted::More).unwrap_err().to_string();
        assert!(error.ends_with("this video: Input/output error"), "{error}");
        assert_eq!(read(Wanted::Enough).unwrap(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn an_endless_video_is_read_no_further_than_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let body = "while :; do printf 'P6\\n1 1\\n255\\nabc'; done";
        let program = stand_in(folder.path(), body);
        let mut left = 3;
        let count = for_each_frame_by(program.as_os_str(), Path::new("a.avi"), |_, _| {
            left -= 1;
            Ok(if left == 0 {
                Wanted::Enough
            } else {
                Wanted::More
            })
        });
        assert_eq!(count.unwrap(), 3);
    }
}
