//! Curves: what a plot shows, for the window and for files.

use std::fmt::Write;
use std::path::Path;

use image::RgbImage;
use plotters::prelude::*;

use super::chart::ChartError;
use crate::display::{FONT, built_in_letters};

/// Curves over a common axis.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curves {
    pub title: String,
    /// What the axes show, with units.
    pub x: String,
    pub y: String,
    pub series: Vec<Series>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    pub name: String,
    pub style: Style,
    /// x and y.
    pub points: Vec<[f64; 2]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Line,
    Marks,
    /// A limit or a level to compare with.
    Dashed,
    /// Pairs of points with the same x: an interval each.
    Bars,
}

impl Series {
    pub fn new(name: impl Into<String>, style: Style, points: Vec<[f64; 2]>) -> Self {
        Self {
            name: name.into(),
            style,
            points,
        }
    }
}

impl Curves {
    /// Smallest and largest x and y, a little wider; none without a finite point.
    pub fn extent(&self) -> Option<[[f64; 2]; 2]> {
        let points = self.series.iter().flat_map(|series| &series.points);
        let finite = points.filter(|[x, y]| x.is_finite() && y.is_finite());
        let mut extent = [[f64::INFINITY, f64::NEG_INFINITY]; 2];
        for point in finite {
            for ([low, high], value) in extent.iter_mut().zip(point) {
                (*low, *high) = (low.min(*value), high.max(*value));
            }
        }
        if extent[0][0] > extent[0][1] {
            return None;
        }
        Some(extent.map(|[low, high]| {
            let margin = match high - low {
                0.0 => 0.05 * low.abs().max(1.0),
                range => 0.05 * range,
            };
            [low - margin, high + margin]
        }))
    }
}

/// The points of several plots: `plot,series,x,y`.
pub fn csv(plots: &[Curves]) -> String {
    let quoted = |text: &str| match text.contains([',', '"', '\n']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    };
    let mut text = String::from("plot,series,x,y\n");
    for plot in plots {
        for series in &plot.series {
            for [x, y] in &series.points {
                let (title, name) = (quoted(&plot.title), quoted(&series.name));
                // Writing into a string does not fail.
                let _ = writeln!(text, "{title},{name},{x},{y}");
            }
        }
    }
    text
}

const SIZE: (u32, u32) = (640, 480);

/// Draws plots side by side into a PNG file.
///
/// # Errors
/// A file that cannot be written, plots without a point.
pub fn save_png(plots: &[Curves], path: &Path) -> Result<(), ChartError> {
    let plots: Vec<&Curves> = plots
        .iter()
        .filter(|plot| plot.extent().is_some())
        .collect();
    if plots.is_empty() {
        return Err(ChartError::Drawing("there is nothing to draw yet".into()));
    }
    built_in_letters();
    let (width, height) = (SIZE.0 * plots.len() as u32, SIZE.1);
    let mut pixels = vec![0; (width * height * 3) as usize];
    draw(&plots, &mut pixels, (width, height))
        .map_err(|error| ChartError::Drawing(error.to_string()))?;
    let picture = RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| ChartError::Drawing("its size changed".into()))?;
    picture.save(path).map_err(|source| ChartError::Writing {
        path: path.to_owned(),
        source,
    })
}

type Drawing<'a> = DrawingArea<BitMapBackend<'a>, plotters::coord::Shift>;

fn draw(
    plots: &[&Curves],
    pixels: &mut [u8],
    size: (u32, u32),
) -> Result<(), Box<dyn std::error::Error>> {
    let area = BitMapBackend::with_buffer(pixels, size).into_drawing_area();
    area.fill(&WHITE).map_err(|e| e.to_string())?;
    for (part, plot) in area.split_evenly((1, plots.len())).iter().zip(plots) {
        draw_one(plot, part).map_err(|e| e.to_string())?;
    }
    area.present().map_err(|e| e.to_string())?;
    Ok(())
}

fn draw_one<'a>(
    plot: &Curves,
    area: &Drawing<'a>,
) -> Result<(), DrawingAreaErrorKind<<BitMapBackend<'a> as DrawingBackend>::ErrorType>> {
    let Some([x, y]) = plot.extent() else {
        return Ok(());
    };
    let mut chart = ChartBuilder::on(area)
        .caption(&plot.title, (FONT, 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(64)
        .build_cartesian_2d(x[0]..x[1], y[0]..y[1])?;
    chart
        .configure_mesh()
        .x_desc(&plot.x)
        .y_desc(&plot.y)
        .label_style((FONT, 15))
        .axis_desc_style((FONT, 17))
        .draw()?;
    for (index, series) in plot.series.iter().enumerate() {
        let colour = Palette99::pick(index).to_rgba();
        let points = || {
            let finite = series
                .points
                .iter()
                .filter(|[x, y]| x.is_finite() && y.is_finite());
            finite.map(|&[x, y]| (x, y))
        };
        let drawn = match series.style {
            Style::Line => chart.draw_series(LineSeries::new(points(), colour.stroke_width(2)))?,
            Style::Marks => {
                chart.draw_series(points().map(|at| Circle::new(at, 3, colour.filled())))?
            }
            Style::Dashed => chart.draw_series(DashedLineSeries::new(
                points(),
                6,
                4,
                colour.stroke_width(1),
            ))?,
            Style::Bars => {
                let pairs = series.points.chunks_exact(2);
                let bars = pairs.map(|pair| {
                    let ends = [(pair[0][0], pair[0][1]), (pair[1][0], pair[1][1])];
                    PathElement::new(ends, colour.stroke_width(1))
                });
                chart.draw_series(bars)?
            }
        };
        if !series.name.is_empty() {
            drawn.label(&series.name).legend(move |(x, y)| {
                Rectangle::new([(x, y - 4), (x + 14, y + 4)], colour.filled())
            });
        }
    }
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 15))
        .draw()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot() -> Curves {
        Curves {
            title: "distance, by frame".into(),
            x: "frame".into(),
            y: "mm".into(),
            series: vec![
                Series::new(
                    "found",
                    Style::Line,
                    vec![[0.0, 5.0], [1.0, 5.5], [2.0, f64::NAN]],
                ),
                Series::new("interval", Style::Bars, vec![[0.0, 4.8], [0.0, 5.2]]),
            ],
        }
    }

    #[test]
    fn every_point_is_a_line() {
        let text = csv(&[plot()]);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6);
        assert_eq!(lines[1], "\"distance, by frame\",found,0,5");
    }

    #[test]
    fn a_picture_shows_the_curves_and_nothing_shows_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plot.png");
        save_png(&[plot(), plot()], &path).unwrap();
        let picture = image::open(&path).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (2 * SIZE.0, SIZE.1));
        let coloured = picture
            .pixels()
            .filter(|p| p.0[0] != p.0[1] || p.0[1] != p.0[2]);
        assert!(coloured.count() > 500);
        assert!(save_png(&[Curves::default()], &path).is_err());
    }

    #[test]
    fn one_point_has_room_around_it() {
        let mut one = plot();
        one.series.truncate(1);
        one.series[0].points = vec![[3.0, 7.0]];
        let [x, y] = one.extent().unwrap();
        assert!(x[0] < 3.0 && x[1] > 3.0 && y[0] < 7.0 && y[1] > 7.0);
    }
}
