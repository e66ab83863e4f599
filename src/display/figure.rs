//! Panes as one picture for a paper or a talk: with titles, colour bars, a scale bar, and what
//! the run was.

use std::path::Path;

use image::{Rgb, RgbImage};

use super::letters::{Side, width_of, write};
use super::{Look, ScaleBar, Scene, short};
use crate::media::{self, MediaError};

/// One pane of a figure.
#[derive(Clone, Debug)]
pub struct Panel {
    /// What it shows, with the kind of its values; of both sides of a divider.
    pub title: String,
    pub scene: Scene,
}

#[derive(Clone, Debug)]
pub struct Figure {
    pub title: String,
    /// Row after row; at least one.
    pub panels: Vec<Panel>,
    pub columns: usize,
    /// Written below, each on lines of its own.
    pub facts: Vec<String>,
    /// Size of a pixel at the object in micrometres.
    pub pixel_um: f64,
    /// Pixels of the figure for each pixel of the video; chosen where none is given.
    pub upscaling: Option<usize>,
}

pub(super) const WHITE: [u8; 3] = [255; 3];
pub(super) const BLACK: [u8; 3] = [20; 3];
const GREY: [u8; 3] = [90; 3];

const MARGIN: u32 = 16;
const TITLE: u32 = 22;
const TEXT: u32 = 16;
const LINE: u32 = 20;
/// A colour bar with the gap before it.
const BAR: (u32, u32) = (8, 14);
/// Beside a colour bar.
const NUMBERS: u32 = 60;
/// A panel that is chosen a size for is at least this wide.
const WIDE: usize = 384;

impl Figure {
    /// Draws it into a PNG file.
    ///
    /// # Errors
    /// When writing fails.
    pub fn save(&self, path: &Path) -> Result<(), MediaError> {
        media::save_picture(path, &self.draw())
    }

    pub fn draw(&self) -> RgbImage {
        let pictures: Vec<RgbImage> = self.panels.iter().map(|p| self.picture(p)).collect();
        let columns = self.columns.clamp(1, pictures.len().max(1));
        let widest = |side: fn(&RgbImage) -> u32| pictures.iter().map(side).max().unwrap_or(1);
        let (inner, tall) = (widest(RgbImage::width), widest(RgbImage::height));
        let most_bars = self.panels.iter().map(|panel| bars(&panel.scene).len());
        let most_bars = most_bars.max().unwrap_or(1) as u32;
        let cell = (
            inner + most_bars * (BAR.0 + BAR.1 + NUMBERS) + MARGIN,
            LINE + 4 + tall + MARGIN,
        );
        let rows = pictures.len().div_ceil(columns) as u32;
        let width = MARGIN + columns as u32 * cell.0;
        let room = width - 2 * MARGIN;
        let facts: Vec<String> = self.facts.iter().flat_map(|f| wrapped(f, room)).collect();
        let titles = wrapped_by(&self.title, room, TITLE);
        let top = MARGIN + titles.len() as u32 * (TITLE + 8);
        let height = top + rows * cell.1 + facts.len() as u32 * LINE + MARGIN;
        let mut figure = RgbImage::from_pixel(width, height, Rgb(WHITE));
        for (line, title) in titles.iter().enumerate() {
            let y = MARGIN + line as u32 * (TITLE + 8);
            let place = (MARGIN as i32, y as i32);
            write(&mut figure, title, place, TITLE, BLACK, Side::Left);
        }
        for (index, (panel, picture)) in self.panels.iter().zip(&pictures).enumerate() {
            let (row, column) = ((index / columns) as u32, (index % columns) as u32);
            let (x, y) = (MARGIN + column * cell.0, top + row * cell.1);
            let place = (x as i32, y as i32);
            write(&mut figure, &panel.title, place, TEXT, BLACK, Side::Left);
            let y = y + LINE + 4;
            image::imageops::replace(&mut figure, picture, x.into(), y.into());
            self.scale_bar(&mut figure, panel, (x, y), picture.dimensions());
            let mut x = x + picture.width() + BAR.0;
            for look in bars(&panel.scene) {
                colour_bar(&mut figure, &look, (x, y), picture.height());
                x += BAR.0 + BAR.1 + NUMBERS;
            }
        }
        for (line, fact) in facts.iter().enumerate() {
            let y = top + rows * cell.1 + line as u32 * LINE;
            let place = (MARGIN as i32, y as i32);
            write(&mut figure, fact, place, TEXT, GREY, Side::Left);
        }
        figure
    }

    /// What is seen of a panel, with its divider.
    fn picture(&self, panel: &Panel) -> RgbImage {
        let scene = &panel.scene;
        let [columns, rows] = scene.layer.size();
        let seen = |share: f32, count: usize| ((share * count as f32).round() as usize).max(1);
        let columns = seen(scene.seen.size[0], columns);
        let rows = seen(scene.seen.size[1], rows);
        let chosen = WIDE.div_ceil(columns).clamp(1, 16);
        let upscaling = self.upscaling.unwrap_or(chosen).max(1);
        let mut picture = painted(scene, columns * upscaling, rows * upscaling);
        if let Some((_, wipe)) = &scene.beyond {
            let x = (wipe * picture.width() as f32) as u32;
            let x = x.min(picture.width() - 1);
            (0..picture.height()).for_each(|y| picture.put_pixel(x, y, Rgb(WHITE)));
        }
        picture
    }

    fn scale_bar(
        &self,
        figure: &mut RgbImage,
        panel: &Panel,
        (x, y): (u32, u32),
        (width, height): (u32, u32),
    ) {
        let [columns, _] = panel.scene.layer.size();
        let seen_um = f64::from(panel.scene.seen.size[0]) * columns as f64 * self.pixel_um;
        if !(seen_um.is_finite() && seen_um > 0.0) || height < 60 {
            return;
        }
        let bar = ScaleBar::fitting(seen_um);
        let length = (bar.share * f64::from(width)).round() as u32;
        let plate = (length.max(width_of(&bar.label, TEXT)) + 12, TEXT + 16);
        let corner = (x + 6, y + height - 6 - plate.1);
        fill(figure, corner, plate, BLACK);
        let middle = corner.0 + plate.0 / 2;
        let place = (middle as i32, corner.1 as i32 + 3);
        write(figure, &bar.label, place, TEXT, WHITE, Side::Middle);
        let left = middle - length / 2;
        fill(figure, (left, corner.1 + plate.1 - 8), (length, 4), WHITE);
    }
}

pub(super) fn painted(scene: &Scene, width: usize, height: usize) -> RgbImage {
    let pixels = scene.paint(width, height).into_iter().flatten().collect();
    let picture = RgbImage::from_raw(width as u32, height as u32, pixels);
    picture.expect("a scene paints as many pixels as it was asked for")
}

/// The different looks of a scene: each has a colour bar.
fn bars(scene: &Scene) -> Vec<Look> {
    let mut looks = vec![scene.layer.look];
    if let Some((beyond, _)) = &scene.beyond
        && beyond.look != scene.layer.look
    {
        looks.push(beyond.look);
    }
    looks
}

fn colour_bar(figure: &mut RgbImage, look: &Look, (x, y): (u32, u32), height: u32) {
    for row in 0..height {
        let share = 1.0 - row as f32 / (height - 1).max(1) as f32;
        fill(figure, (x, y + row), (BAR.1, 1), look.map.colour(share));
    }
    let (low, high) = (f64::from(look.range.low), f64::from(look.range.high));
    let beside = (x + BAR.1 + 4) as i32;
    let (top, bottom) = (y as i32, (y + height) as i32 - TEXT as i32 - 2);
    let mut numbers = vec![(high, top), (low, bottom)];
    if height > 5 * TEXT {
        numbers.push((f64::midpoint(low, high), i32::midpoint(top, bottom)));
    }
    for (value, y) in numbers {
        write(figure, &short(value), (beside, y), TEXT, BLACK, Side::Left);
    }
}

fn fill(picture: &mut RgbImage, (x, y): (u32, u32), (width, height): (u32, u32), colour: [u8; 3]) {
    for row in y..(y + height).min(picture.height()) {
        for column in x..(x + width).min(picture.width()) {
            picture.put_pixel(column, row, Rgb(colour));
        }
    }
}

fn wrapped(text: &str, width: u32) -> Vec<String> {
    wrapped_by(text, width, TEXT)
}

/// The text in lines of at most `width` pixels, broken between words.
fn wrapped_by(text: &str, width: u32, size: u32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width_of(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::display::gpu::specimen;

    fn figure(count: usize) -> Figure {
        let panel = Panel {
            title: "Measurement (intensity)".into(),
            scene: specimen(),
        };
        Figure {
            title: "A test".into(),
            panels: vec![panel; count],
            columns: 2,
            facts: vec!["distance 5 mm, sigma 1 px, residual 0.0123 rms".repeat(6)],
            pixel_um: 8.0,
            upscaling: Some(20),
        }
    }

    #[test]
    fn panels_stand_side_by_side_at_their_upscaling() {
        let (one, four) = (figure(1).draw(), figure(4).draw());
        // Of the 11 columns 93 % are seen, of the 7 rows 95 %.
        let panel = figure(1).picture(&figure(1).panels[0]);
        assert_eq!(panel.dimensions(), (10 * 20, 7 * 20));
        assert!(four.width() > 2 * 200 && one.width() < four.width());
        assert!(four.height() > 2 * 140);
        // The first panel's picture is there as the processor paints it.
        let painted = figure(4).panels[0].scene.paint(200, 140);
        let place = four
            .enumerate_pixels()
            .any(|(_, _, pixel)| pixel.0 == painted[199]);
        assert!(place);
    }

    #[test]
    fn long_text_is_broken_between_words() {
        let lines = wrapped("one two three four five six seven", 80);
        assert!(lines.len() > 1, "{lines:?}");
        assert_eq!(lines.join(" "), "one two three four five six seven");
    }
}
