//! A picture of the window, for documents and tests.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use eframe::egui::{self, ColorImage, ScreenshotCallback, ViewportCommand};

/// Writes a picture of the window once it shows what it should, and closes the window.
pub struct Screenshot {
    path: PathBuf,
    /// Frames drawn since what is to be seen was there.
    drawn: usize,
    written: Arc<OnceLock<Result<(), String>>>,
}

/// Textures are on screen a frame or two after their clips are there.
const SETTLED: usize = 5;

impl Screenshot {
    pub fn new(path: PathBuf) -> Self {
        Self {
            path,
            drawn: 0,
            written: Arc::default(),
        }
    }

    /// Called for each frame from when the window shows what it should.
    pub fn advance(&mut self, ctx: &egui::Context) {
        self.drawn += 1;
        ctx.request_repaint();
        if self.drawn == SETTLED {
            let (path, written) = (self.path.clone(), self.written.clone());
            let callback = ScreenshotCallback::new(move |image: Arc<ColorImage>| {
                let _ = written.set(write(&path, &image));
            });
            ctx.send_viewport_cmd(ViewportCommand::Screenshot(callback));
        }
        if let Some(result) = self.written.get() {
            if let Err(error) = result {
                eprintln!("error: cannot write {}: {error}", self.path.display());
            }
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }
}

fn write(path: &std::path::Path, image: &ColorImage) -> Result<(), String> {
    let [width, height] = image.size.map(|size| size as u32);
    let bytes = image
        .pixels
        .iter()
        .flat_map(|pixel| pixel.to_array())
        .collect();
    let picture = image::RgbaImage::from_raw(width, height, bytes);
    let picture = picture.ok_or("the picture is empty")?;
    // Without transparency, which means nothing here.
    let picture = image::DynamicImage::from(picture).into_rgb8();
    picture.save(path).map_err(|error| error.to_string())
}
