//! Charts as PNG files.

use std::ops::Range;
use std::path::Path;

use image::{ImageError, RgbImage};
use plotters::prelude::*;

use super::folder::ResultsError;
use crate::display::{ColourMap, FONT, built_in_letters};

#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error("the chart could not be drawn: {0}")]
    Drawing(String),
    #[error("cannot write {path}: {source}")]
    Writing {
        path: std::path::PathBuf,
        source: ImageError,
    },
    #[error(transparent)]
    Folder(#[from] ResultsError),
}

/// An axis with evenly spaced values, in ascending order; at least two.
#[derive(Clone, Debug)]
pub struct Axis<'a> {
    /// What it shows, with its unit.
    pub label: &'a str,
    pub values: &'a [f64],
}

impl Axis<'_> {
    fn spacing(&self) -> f64 {
        let (first, last) = (self.values[0], self.values[self.values.len() - 1]);
        (last - first) / (self.values.len() - 1) as f64
    }

    /// From half a cell before the first value to half a cell behind the last.
    fn span(&self) -> Range<f64> {
        let half = self.spacing() / 2.0;
        self.values[0] - half..self.values[self.values.len() - 1] + half
    }
}

/// A function of two variables as colours.
#[derive(Clone, Debug)]
pub struct HeatMap<'a> {
    pub title: &'a str,
    pub x: Axis<'a>,
    pub y: Axis<'a>,
    /// Row after row, one row for each y; above zero.
    pub values: &'a [f64],
    /// What the colours show, with its unit.
    pub value_label: &'a str,
    /// A cross with its meaning.
    pub mark: Option<(f64, f64, &'a str)>,
}

impl HeatMap<'_> {
    const SIZE: (u32, u32) = (900, 640);
    /// Width of the colour scale with its labels.
    const SCALE_WIDTH: u32 = 140;

    /// Draws the map into a PNG file. Colours are logarithmic.
    ///
    /// # Errors
    /// A file that cannot be written.
    ///
    /// # Panics
    /// When the number of values is not that of the axes' cells.
    pub fn save(&self, path: &Path) -> Result<(), ChartError> {
        let picture = self.draw().map_err(ChartError::Drawing)?;
        picture.save(path).map_err(|source| ChartError::Writing {
            path: path.to_owned(),
            source,
        })
    }

    fn draw(&self) -> Result<RgbImage, String> {
        assert_eq!(self.values.len(), self.x.values.len() * self.y.values.len());
        built_in_letters();
        let (width, height) = Self::SIZE;
        let mut pixels = vec![0; (width * height * 3) as usize];
        self.draw_into(&mut pixels).map_err(|e| e.to_string())?;
        RgbImage::from_raw(width, height, pixels).ok_or_else(|| "its size changed".into())
    }

    fn draw_into(&self, pixels: &mut [u8]) -> Result<(), Box<dyn std::error::Error + '_>> {
        let (width, _) = Self::SIZE;
        let area = BitMapBackend::with_buffer(pixels, Self::SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let (map, scale) = area.split_horizontally(width - Self::SCALE_WIDTH);
        let (low, high) = self.limits();
        let shade = |value: f64| shade((value / low).ln() / (high / low).ln().max(1e-12));

        let mut chart = ChartBuilder::on(&map)
            .caption(self.title, (FONT, 22))
            .margin(12)
            .x_label_area_size(48)
            .y_label_area_size(60)
            .build_cartesian_2d(self.x.span(), self.y.span())?;
        let (dx, dy) = (self.x.spacing() / 2.0, self.y.spacing() / 2.0);
        let rows = self.y.values.iter();
        let cells = rows.flat_map(|&y| self.x.values.iter().map(move |&x| (x, y)));
        chart.draw_series(cells.zip(self.values).map(|((x, y), &value)| {
            let corners = [(x - dx, y - dy), (x + dx, y + dy)];
            Rectangle::new(corners, shade(value).filled())
        }))?;
        if let Some((x, y, meaning)) = self.mark {
            chart.draw_series([Cross::new((x, y), 8, WHITE.stroke_width(3))])?;
            let beside = EmptyElement::at((x, y))
                + Text::new(
                    meaning.to_owned(),
                    (12, -8),
                    (FONT, 18).into_font().color(&WHITE),
                );
            chart.draw_series([beside])?;
        }
        chart
            .configure_mesh()
            .disable_mesh()
            .x_desc(self.x.label)
            .y_desc(self.y.label)
            .label_style((FONT, 17))
            .axis_desc_style((FONT, 19))
            .draw()?;

        let mut bar = ChartBuilder::on(&scale)
            .margin_top(44)
            .margin_bottom(60)
            .margin_right(12)
            .right_y_label_area_size(90)
            .build_cartesian_2d(0.0..1.0, (low..high).log_scale())?;
        const BANDS: i32 = 128;
        let at = |band: i32| low * (high / low).powf(f64::from(band) / f64::from(BANDS));
        bar.draw_series((0..BANDS).map(|band| {
            let corners = [(0.0, at(band)), (1.0, at(band + 1))];
            Rectangle::new(corners, shade(at(band)).filled())
        }))?;
        bar.configure_mesh()
            .disable_mesh()
            .disable_x_axis()
            .y_desc(self.value_label)
            .y_labels(8)
            .y_label_formatter(&|v| format!("{}", (v * 1e4).round() / 1e4))
            .label_style((FONT, 15))
            .axis_desc_style((FONT, 17))
            .draw()?;
        area.present()?;
        Ok(())
    }

    /// Of the colours: never empty.
    fn limits(&self) -> (f64, f64) {
        let finite = || {
            self.values
                .iter()
                .copied()
                .filter(|v| v.is_finite() && *v > 0.0)
        };
        let low = finite().fold(f64::INFINITY, f64::min);
        let high = finite().fold(0.0, f64::max);
        match low < high {
            true => (low, high),
            false => (high.max(1e-12) * 0.99, high.max(1e-12) * 1.01),
        }
    }
}

/// From dark blue at 0 to yellow at 1.
fn shade(share: f64) -> RGBColor {
    let [r, g, b] = ColourMap::Viridis.colour(share as f32);
    RGBColor(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_darkest_cell_is_the_smallest_value() {
        let x: Vec<f64> = (0..5).map(|i| 2.0 + f64::from(i)).collect();
        let y = [0.5, 1.0, 1.5];
        let mut values = vec![3.0; 15];
        values[5 + 2] = 1.0;
        let map = HeatMap {
            title: "residual",
            x: Axis {
                label: "distance (mm)",
                values: &x,
            },
            y: Axis {
                label: "sigma (px)",
                values: &y,
            },
            values: &values,
            value_label: "rms (levels)",
            mark: None,
        };
        let picture = map.draw().unwrap();
        let (width, height) = picture.dimensions();
        let count = |colour: RGBColor| {
            let wanted = image::Rgb([colour.0, colour.1, colour.2]);
            picture.pixels().filter(|&&p| p == wanted).count()
        };
        let area = (width * height) as usize;
        let (dark, bright) = (count(shade(0.0)), count(shade(1.0)));
        assert!(dark > area / 60 && bright > 10 * dark, "{dark} {bright}");
    }
}
