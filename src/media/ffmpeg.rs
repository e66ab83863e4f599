use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;

use super::grey::frame_of;
use super::sink::{FrameSink, Origin, Wanted, check_frame_size};
use super::{FrameSize, MediaError, ReadOptions, VideoReader, extension};

/// Compressed video, decoded to 8-bit RGB by an `ffmpeg` on the machine, every stored frame once.
pub(super) struct Ffmpeg;

const EXTENSIONS: [&str; 8] = ["avi", "mp4", "m4v", "mov", "mkv", "webm", "mpg", "mpeg"];

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
    mut take: impl FnMut(FrameSize, &[u8]) -> Result<Wanted, MediaError>,
) -> Result<usize, MediaError> {
    let mut frames = 0;
    let mut count = |size: FrameSize, rgb: &[u8]| {
        frames += 1;
        take(size, rgb)
    };
    let said = match decode(path, ["-fps_mode", "passthrough"], &mut count)? {
        // The option's name before ffmpeg 5.1.
        Some(said) if said.contains("fps_mode") => {
            decode(path, ["-vsync", "passthrough"], &mut count)?
        }
        said => said,
    };
    match said {
        Some(detail) if frames == 0 => Err(MediaError::Ffmpeg {
            path: path.to_owned(),
            detail,
        }),
        _ => Ok(frames),
    }
}

/// Runs ffmpeg once; gives what it had to complain about where it failed.
fn decode(
    path: &Path,
    every_frame_once: [&str; 2],
    take: &mut impl FnMut(FrameSize, &[u8]) -> Result<Wanted, MediaError>,
) -> Result<Option<String>, MediaError> {
    let mut child = Running(start(path, every_frame_once)?);
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
    let last = said.lines().last().unwrap_or("it gave no reason").to_owned();
    Ok((!status.success()).then_some(last))
}

/// Frames travel as PPM pictures, each of which says its own size.
fn start(path: &Path, every_frame_once: [&str; 2]) -> Result<Child, MediaError> {
    let program = env::var_os("VDPS_FFMPEG").unwrap_or_else(|| "ffmpeg".into());
    // A file and nothing else: a playlist must not reach for the network.
    let mut input = OsString::from("file:");
    input.push(path);
    Command::new(program)
        .args(["-nostdin", "-v", "error", "-protocol_whitelist", "file,pipe", "-i"])
        .arg(input)
        .args(["-map", "0:v:0"])
        .args(every_frame_once)
        .args(["-f", "image2pipe", "-c:v", "ppm", "-pix_fmt", "rgb24", "pipe:1"])
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
    let sides = sides.split_once(' ').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    let (Some((width, height)), "P6", "255") = (sides, magic.as_str(), white.as_str()) else {
        return Err(broken("it did not send frames in the form asked for"));
    };
    let size = FrameSize::new(height, width);
    rgb.resize(check_frame_size(path, size)? * 3, 0);
    pipe.read_exact(rgb).map_err(|_| broken("it stopped in the middle of a frame"))?;
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
