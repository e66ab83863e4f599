//! `vdps landscape`: how well an estimate explains its measurement at other parameters.

use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;

use super::error::bad_input;
use super::measurement_args::MeasurementArgs;
use super::output;
use crate::run::plan::Physics;
use crate::run::{Axis, HeatMap, ResultsFolder};
use crate::solver::{Landscape, Profile, Sought, landscape};

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
    let profiles = map.profiles();
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

fn table(map: &Landscape) -> String {
    let mut text = String::from("dist_mm,sigma_px,residual_rms\n");
    for (d, dist_mm) in map.x.iter().enumerate() {
        for (s, sigma_px) in map.y.iter().enumerate() {
            let _ = writeln!(text, "{dist_mm},{sigma_px},{:e}", map.at(d, s).sqrt());
        }
    }
    text
}

fn profile_table(profiles: &[Profile; 2], pixels: f64, variance: f64) -> String {
    let mut text = String::from("parameter,value,residual_rms,log_likelihood\n");
    for (name, profile) in ["dist_mm", "sigma_px"].into_iter().zip(profiles) {
        for (i, value) in profile.values.iter().enumerate() {
            let rms = profile.mean_square[i].sqrt();
            let likelihood = profile.log_likelihood(i, pixels, variance);
            let _ = writeln!(text, "{name},{value},{rms:e},{likelihood:.3}");
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
    let columns = 0..map.x.len();
    let values: Vec<f64> = (0..map.y.len())
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
            values: &map.x,
        },
        y: Axis {
            label: "sigma (px)",
            values: &map.y,
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
