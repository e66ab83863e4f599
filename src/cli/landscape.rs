//! `vdps landscape`: how well an estimate explains its measurement at other parameters.

use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::error::bad_input;
use super::measurement_args::MeasurementArgs;
use super::output;
use crate::run::plan::Physics;
use crate::run::{Axis, HeatMap, ResultsFolder};
use crate::solver::{Landscape, Sought, landscape};

/// Map the residual of an estimate over distance and blur width: the z-sigma map
///
/// The estimate is held fixed, so the map shows where the measurement is explained as well by
/// other parameters, and how sharply it tells them apart.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    pub measurement: MeasurementArgs,

    /// The estimate: reconstruction.tif of an earlier run on the same part of the measurement
    #[arg(long, value_name = "CLIP")]
    pub estimate: PathBuf,

    /// Folder for landscape.png, landscape.csv and profiles.csv
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,

    /// One frame, numbered from 0 [default: the whole clip]
    #[arg(long, value_name = "N")]
    pub frame: Option<usize>,

    /// Distances and widths in the map
    #[arg(long, value_name = "N", default_value_t = 61)]
    #[arg(value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub points: u16,

    /// Print JSON, and nothing else to standard output
    #[arg(long)]
    pub json: bool,
}

/// Where the residual is least.
#[derive(Serialize)]
struct Lowest {
    dist_mm: f64,
    sigma_px: f64,
    residual_rms: f64,
    /// Where the likelihood of this estimate is within a factor of e^1.92 of the highest: 95 %
    /// for one parameter, the other at its best.
    dist_interval_mm: (f64, f64),
    sigma_interval_px: (f64, f64),
    files: [&'static str; 3],
}

/// A parameter's profile: the least mean squared residual over the other one.
struct Profile<'a> {
    name: &'static str,
    values: &'a [f64],
    mean_square: Vec<f64>,
}

impl Profile<'_> {
    fn lowest(&self) -> f64 {
        self.mean_square
            .iter()
            .copied()
            .fold(f64::INFINITY, f64::min)
    }

    /// Log-likelihood relative to the best, of `count` pixels with this noise variance.
    fn log_likelihood(&self, index: usize, count: f64, variance: f64) -> f64 {
        -count * (self.mean_square[index] - self.lowest()) / (2.0 * variance)
    }

    fn interval(&self, count: f64, variance: f64) -> (f64, f64) {
        let likely = (0..self.values.len())
            .filter(|&i| self.log_likelihood(i, count, variance) > -1.92)
            .map(|i| self.values[i]);
        let ends = (f64::INFINITY, f64::NEG_INFINITY);
        let (low, high) = likely.fold(ends, |(low, high), v| (low.min(v), high.max(v)));
        // The map tells nothing between its steps.
        let half = (self.values[1] - self.values[0]) / 2.0;
        (low - half, high + half)
    }
}

pub fn run(args: Args) -> anyhow::Result<()> {
    let loaded = args.measurement.load(0)?;
    let ranges = || {
        bad_input!(
            "the map is drawn over ranges of a scattering layer: give --dist and --sigma as \
             ranges, as in --dist 2.5..10 --sigma 0.5..2"
        )
    };
    let Physics::Scatter(search) = &loaded.problem.physics else {
        return Err(ranges());
    };
    let [dist_mm, sigma_px] = [&search.dist_mm, &search.sigma_px].map(|sought| match *sought {
        Sought::Within { min, max } if min < max => Some(steps(min, max, args.points)),
        _ => None,
    });
    let (Some(dist_mm), Some(sigma_px)) = (dist_mm, sigma_px) else {
        return Err(ranges());
    };
    // The estimate was written after choosing frames, cropping and resizing.
    let estimate = crate::media::open(&args.estimate, &Default::default())?.clip;
    let measurement = &loaded.problem.measurement;
    let map = landscape(
        &estimate,
        measurement,
        search.optics,
        &dist_mm,
        &sigma_px,
        args.frame,
    )?;
    let shape = measurement.shape();
    let pixels = match args.frame {
        Some(_) => shape.frame_len(),
        None => shape.len(),
    };
    let profiles = profiles(&map);
    // Where the estimate does not explain the data to the noise, the misfit counts as noise.
    let variance = profiles[0].lowest().max(loaded.problem.noise.powi(2));
    let (best_dist, best_sigma) = map.lowest();
    let lowest = Lowest {
        dist_mm: best_dist,
        sigma_px: best_sigma,
        residual_rms: profiles[0].lowest().sqrt(),
        dist_interval_mm: profiles[0].interval(pixels as f64, variance),
        sigma_interval_px: profiles[1].interval(pixels as f64, variance),
        files: ["landscape.png", "landscape.csv", "profiles.csv"],
    };

    let folder = ResultsFolder::create(&args.out)?;
    folder.bytes(lowest.files[1], table(&map).as_bytes())?;
    let text = profile_table(&profiles, pixels as f64, variance);
    folder.bytes(lowest.files[2], text.as_bytes())?;
    draw(
        &map,
        args.frame,
        loaded.levels,
        &folder.file(lowest.files[0]),
    )?;
    if args.json {
        return output::print_json(&lowest);
    }
    output::print(&format!(
        "lowest     {:.3} mm ({:.3} to {:.3}), sigma {:.3} px ({:.3} to {:.3}): residual {:.2e}\n\
         results    {}: {}\n",
        lowest.dist_mm,
        lowest.dist_interval_mm.0,
        lowest.dist_interval_mm.1,
        lowest.sigma_px,
        lowest.sigma_interval_px.0,
        lowest.sigma_interval_px.1,
        lowest.residual_rms,
        args.out.display(),
        lowest.files.join(", "),
    ))
}

/// `count` values from `min` to `max`, evenly spaced.
fn steps(min: f64, max: f64, count: u16) -> Vec<f64> {
    let last = f64::from(count - 1);
    (0..count)
        .map(|i| min + (max - min) * f64::from(i) / last)
        .collect()
}

fn profiles(map: &Landscape) -> [Profile<'_>; 2] {
    let (rows, columns) = (map.dist_mm.len(), map.sigma_px.len());
    let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
    let by_dist = |d| least(&mut (0..columns).map(|s| map.at(d, s)));
    let by_sigma = |s| least(&mut (0..rows).map(|d| map.at(d, s)));
    [
        Profile {
            name: "dist_mm",
            values: &map.dist_mm,
            mean_square: (0..rows).map(by_dist).collect(),
        },
        Profile {
            name: "sigma_px",
            values: &map.sigma_px,
            mean_square: (0..columns).map(by_sigma).collect(),
        },
    ]
}

fn table(map: &Landscape) -> String {
    let mut text = String::from("dist_mm,sigma_px,residual_rms\n");
    for (d, dist_mm) in map.dist_mm.iter().enumerate() {
        for (s, sigma_px) in map.sigma_px.iter().enumerate() {
            let _ = writeln!(text, "{dist_mm},{sigma_px},{:e}", map.at(d, s).sqrt());
        }
    }
    text
}

fn profile_table(profiles: &[Profile], pixels: f64, variance: f64) -> String {
    let mut text = String::from("parameter,value,residual_rms,log_likelihood\n");
    for profile in profiles {
        for (i, value) in profile.values.iter().enumerate() {
            let rms = profile.mean_square[i].sqrt();
            let likelihood = profile.log_likelihood(i, pixels, variance);
            let _ = writeln!(text, "{},{value},{rms:e},{likelihood:.3}", profile.name);
        }
    }
    text
}

/// Distances to the right, widths upward.
fn draw(
    map: &Landscape,
    frame: Option<usize>,
    levels: Option<u32>,
    path: &std::path::Path,
) -> anyhow::Result<()> {
    let scale = levels.map_or(1.0, f64::from);
    let columns = 0..map.dist_mm.len();
    let values: Vec<f64> = (0..map.sigma_px.len())
        .flat_map(|s| columns.clone().map(move |d| map.at(d, s).sqrt() * scale))
        .collect();
    let title = match frame {
        Some(frame) => format!("Residual of the estimate, frame {frame}"),
        None => "Residual of the estimate, whole clip".into(),
    };
    let (dist_mm, sigma_px) = map.lowest();
    let mark = format!("{dist_mm:.2} mm, {sigma_px:.2} px");
    let picture = HeatMap {
        title: &title,
        x: Axis {
            label: "distance (mm)",
            values: &map.dist_mm,
        },
        y: Axis {
            label: "sigma (px)",
            values: &map.sigma_px,
        },
        values: &values,
        value_label: match levels {
            Some(_) => "residual rms (levels)",
            None => "residual rms",
        },
        mark: Some((dist_mm, sigma_px, &mark)),
    };
    Ok(picture.save(path)?)
}
