//! A folder in the layout of the authors' published results.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::case::{Case, Headline, Rival, Truth};
use super::error::ScoreError;
use super::marks::psf_likeness;
use super::recording::Recorded;
use super::task::Task;
use crate::clip::{Clip, Shape};
use crate::media::{self, ReadOptions};
use crate::noise::Noise;
use crate::physics::zernike::{MODES, PSF_SIZE};
use crate::physics::{Blur, Dehaze, ForwardModel, Inpaint, Optics, PerFrame, Scatter, ZernikeBlur};
use crate::run::plan::{AberrationUnknown, Physics, Problem};
use crate::solver::{Measurement, ScatterSearch, Sought, Variation};

const TARGET: &str = "target.gif";
const MEASUREMENT: &str = "measurement.gif";
/// Share of the pixels that the published inpainting keeps.
const KEPT_SHARE: f64 = 0.5;
/// Standard deviation of the published Zernike coefficients, in radians.
const COEFFICIENT_RAD: f64 = 2.0;
/// Blur widths that a real layer may have, in pixels: beyond those measured on the published
/// ones (0.9 to 1.25) on both sides.
pub(super) const CAPTURE_SIGMA_PX: (f64, f64) = (0.3, 3.0);

/// What a measurement is taken from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The folder's own measurement.gif: 8 bits, truncated.
    #[default]
    Gif,
    /// Made from target.gif in single precision, as the published method measured it; what it
    /// needs is drawn from a seed.
    Target,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a measurement is taken from `gif` or from `target`, not from `{0}`")]
pub struct SourceError(String);

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text {
            "gif" => Ok(Self::Gif),
            "target" => Ok(Self::Target),
            other => Err(SourceError(other.to_owned())),
        }
    }
}

/// A clip with its target, its measurement and every rival's result.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipFolder {
    path: PathBuf,
    task: Task,
}

impl ClipFolder {
    /// # Errors
    /// A folder without target.gif, or whose name says no task.
    pub fn open(path: &Path) -> Result<Self, ScoreError> {
        if !path.join(TARGET).is_file() {
            return Err(missing(path, TARGET));
        }
        Ok(Self {
            path: path.to_owned(),
            task: Task::of(path)?,
        })
    }

    /// The folder itself where it holds a clip, else every folder in it that does, by name.
    ///
    /// # Errors
    /// No clip at all, a folder that cannot be listed, or a clip whose name says no task.
    pub fn find(path: &Path) -> Result<Vec<Self>, ScoreError> {
        if path.join(TARGET).is_file() {
            return Ok(vec![Self::open(path)?]);
        }
        let mut folders: Vec<PathBuf> = listed(path)?;
        folders.retain(|folder| folder.join(TARGET).is_file());
        if folders.is_empty() {
            return Err(missing(path, TARGET));
        }
        folders.iter().map(|folder| Self::open(folder)).collect()
    }

    pub fn name(&self) -> String {
        let full = self.path.canonicalize();
        let path = full.as_deref().unwrap_or(&self.path);
        let name = path.file_name().unwrap_or_default();
        name.to_string_lossy().into_owned()
    }

    pub fn task(&self) -> &Task {
        &self.task
    }

    /// Reads the target: amplitudes.
    ///
    /// # Errors
    /// A file that is missing or damaged.
    pub fn target(&self) -> Result<Clip, ScoreError> {
        self.read(TARGET)
    }

    /// Reads the clips; what has to be drawn comes from `seed`.
    ///
    /// # Errors
    /// Files that are missing, damaged or of different shapes; a capture's measurement asked to
    /// be made from its target.
    pub fn case(&self, source: Source, seed: u64) -> Result<Case, ScoreError> {
        let target = self.target()?;
        let (problem, bare, truth) = match source {
            Source::Gif => self.recorded(&target)?,
            Source::Target => self.made(&target, &mut Noise::seeded(seed))?,
        };
        let truth_psf = self.psf("target")?;
        Ok(Case {
            name: self.name(),
            task: self.task.name().to_owned(),
            problem,
            rivals: self.rivals(target.shape(), truth_psf.as_deref())?,
            target,
            bare,
            headline: match self.task {
                Task::Zernike { .. } => Headline::Fitted,
                Task::Real { .. } => Headline::Aligned,
                _ => Headline::Psnr,
            },
            truth: match (source, truth_psf) {
                (Source::Gif, Some(psf)) => Truth {
                    psfs: vec![psf],
                    ..truth
                },
                _ => truth,
            },
        })
    }

    /// The problem that measurement.gif poses.
    fn recorded(&self, target: &Clip) -> Result<(Problem, Clip, Truth), ScoreError> {
        let path = self.path.join(MEASUREMENT);
        if !path.is_file() {
            return Err(missing(&self.path, MEASUREMENT));
        }
        let shape = target.shape();
        let levels = fitting(&path, self.read(MEASUREMENT)?, shape)?;
        let truth = Truth::default();
        let plain = |physics, recorded| (problem(physics, recorded, None), truth.clone());
        let ((problem, bare), truth) = match &self.task {
            Task::Scatter { dist_mm, sigma_px } => {
                let physics = scatter(shape, dist_mm, sigma_px)?;
                plain(physics, Recorded::file(levels))
            }
            Task::Deblur => plain(deblur(shape)?, Recorded::file(levels)),
            Task::Dehaze => plain(dehaze(shape)?, Recorded::file(levels)),
            Task::Inpaint => (inpaint_from_file(levels)?, truth),
            Task::Zernike { varying } => {
                let physics = Physics::Aberration(AberrationUnknown {
                    shape,
                    varying: varying.then_some(Variation::Free),
                    fit_gain: true,
                });
                plain(physics, Recorded::stretched_file(levels, 0.0))
            }
            Task::Real { dist_mm } => {
                let (min, max) = CAPTURE_SIGMA_PX;
                let physics = Physics::Capture(ScatterSearch {
                    shape,
                    optics: Optics::REAL,
                    dist_mm: dist_mm.clone(),
                    sigma_px: Sought::Within { min, max },
                    per_frame: false,
                });
                plain(physics, Recorded::file(levels))
            }
        };
        Ok((problem, bare, truth))
    }

    /// The same problem on a measurement made from the target in single precision.
    fn made(&self, target: &Clip, noise: &mut Noise) -> Result<(Problem, Clip, Truth), ScoreError> {
        let shape = target.shape();
        let exact = |model: &dyn ForwardModel| Recorded::exact(model.apply(target));
        let ((problem, bare), truth) = match &self.task {
            Task::Scatter { dist_mm, sigma_px } => {
                let model = Scatter::new(
                    shape,
                    Optics::SYNTHETIC,
                    drawn(dist_mm, shape.frames, noise),
                    drawn(sigma_px, shape.frames, noise),
                )?;
                let truth = unknown_of(Truth::of(&model), dist_mm, sigma_px);
                let physics = scatter(shape, dist_mm, sigma_px)?;
                (problem(physics, exact(&model), None), truth)
            }
            Task::Deblur => {
                let recorded = exact(&Blur::new(shape, Blur::PUBLISHED_SIGMA_PX)?);
                (problem(deblur(shape)?, recorded, None), Truth::default())
            }
            Task::Dehaze => {
                let recorded = exact(&Dehaze::new(shape)?);
                (problem(dehaze(shape)?, recorded, None), Truth::default())
            }
            Task::Inpaint => {
                let mask = Inpaint::random_mask(shape, KEPT_SHARE, noise);
                let model = Inpaint::new(shape, mask.clone())?;
                let recorded = exact(&model);
                let physics = Physics::Known(Box::new(model));
                (problem(physics, recorded, Some(mask)), Truth::default())
            }
            Task::Zernike { varying } => {
                let count = MODES.len() * if *varying { shape.frames } else { 1 };
                let coefficients = (0..count).map(|_| COEFFICIENT_RAD * noise.normal());
                let model = ZernikeBlur::new(shape, coefficients.collect())?;
                let physics = Physics::Aberration(AberrationUnknown {
                    shape,
                    varying: varying.then_some(Variation::Free),
                    fit_gain: false,
                });
                (problem(physics, exact(&model), None), Truth::of(&model))
            }
            Task::Real { .. } => {
                return Err(ScoreError::NotFromTarget {
                    folder: self.path.clone(),
                });
            }
        };
        Ok((problem, bare, truth))
    }

    /// Every GIF but the target and the measurement, by name.
    fn rivals(&self, shape: Shape, truth_psf: Option<&[f32]>) -> Result<Vec<Rival>, ScoreError> {
        let mut files = listed(&self.path)?;
        files.retain(|file| {
            let name = file.file_name().unwrap_or_default();
            file.extension().is_some_and(|ending| ending == "gif")
                && name != TARGET
                && name != MEASUREMENT
        });
        let rival = |file: &PathBuf| {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            let clip = media::open(file, &ReadOptions::default())?.clip;
            let psf = self.psf(&name)?;
            Ok(Rival {
                clip: fitting(file, clip, shape)?,
                psf_correlation: psf
                    .zip(truth_psf)
                    .map(|(psf, truth)| psf_likeness(&psf, truth)),
                name: name.into_owned(),
            })
        };
        files.iter().map(rival).collect()
    }

    /// The point spread function that `psf_NAME.png` shows, if there is one.
    fn psf(&self, name: &str) -> Result<Option<Vec<f32>>, ScoreError> {
        let path = self.path.join(format!("psf_{name}.png"));
        if !path.is_file() {
            return Ok(None);
        }
        let picture = media::open(&path, &ReadOptions::default())?.clip;
        let target = Shape::new(1, PSF_SIZE, PSF_SIZE);
        let given = picture.shape();
        if given != target {
            return Err(ScoreError::Shape {
                path,
                given,
                target,
            });
        }
        Ok(Some(picture.into_data()))
    }

    fn read(&self, name: &str) -> Result<Clip, ScoreError> {
        let path = self.path.join(name);
        Ok(media::open(&path, &ReadOptions::default())?.clip)
    }
}

fn missing(folder: &Path, file: &'static str) -> ScoreError {
    ScoreError::Missing {
        folder: folder.to_owned(),
        file,
    }
}

/// What is in a folder, by name.
fn listed(folder: &Path) -> Result<Vec<PathBuf>, ScoreError> {
    let failed = |source| ScoreError::Io {
        folder: folder.to_owned(),
        source,
    };
    let entries = fs::read_dir(folder).map_err(failed)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<Result<_, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

/// A clip of the target's shape, or one that repeats as many frames over and over.
fn fitting(path: &Path, clip: Clip, target: Shape) -> Result<Clip, ScoreError> {
    let given = clip.shape();
    let first = &clip.data()[..target.len().min(given.len())];
    let same_frames = (given.height, given.width) == (target.height, target.width);
    let repeats = || {
        let mut rounds = clip.data().chunks(target.len());
        rounds.all(|round| round == first)
    };
    if same_frames && (given == target || repeats()) {
        return Ok(Clip::new(target, first.to_vec()));
    }
    Err(ScoreError::Shape {
        path: path.to_owned(),
        given,
        target,
    })
}

/// Of a scattering layer's parameters, those that are not given.
pub(super) fn unknown_of(truth: Truth, dist_mm: &Sought, sigma_px: &Sought) -> Truth {
    let kept = |values: Vec<f64>, extent: &Sought| match extent.is_known() {
        true => Vec::new(),
        false => values,
    };
    Truth {
        dist_mm: kept(truth.dist_mm, dist_mm),
        sigma_px: kept(truth.sigma_px, sigma_px),
        psfs: truth.psfs,
    }
}

/// The value, or one drawn from the range for each frame.
pub(super) fn drawn(extent: &Sought, frames: usize, noise: &mut Noise) -> PerFrame {
    match extent {
        Sought::Known(values) => values.clone(),
        Sought::Within { min, max } => {
            let values = (0..frames).map(|_| noise.uniform(*min, *max));
            PerFrame::Frames(values.collect())
        }
    }
}

fn scatter(shape: Shape, dist_mm: &Sought, sigma_px: &Sought) -> Result<Physics, ScoreError> {
    let optics = Optics::SYNTHETIC;
    Ok(match (dist_mm, sigma_px) {
        (Sought::Known(dist_mm), Sought::Known(sigma_px)) => {
            let model = Scatter::new(shape, optics, dist_mm.clone(), sigma_px.clone())?;
            Physics::Known(Box::new(model))
        }
        _ => Physics::Scatter(ScatterSearch {
            shape,
            optics,
            dist_mm: dist_mm.clone(),
            sigma_px: sigma_px.clone(),
            per_frame: true,
        }),
    })
}

fn deblur(shape: Shape) -> Result<Physics, ScoreError> {
    let model = Blur::new(shape, Blur::PUBLISHED_SIGMA_PX)?;
    Ok(Physics::Known(Box::new(model)))
}

fn dehaze(shape: Shape) -> Result<Physics, ScoreError> {
    Ok(Physics::Known(Box::new(Dehaze::new(shape)?)))
}

/// The published file holds clip(2u - 1, 0, 1) where a pixel was measured: what is black in it
/// is missing, or darker than mid-grey, and not known.
fn inpaint_from_file(levels: Clip) -> Result<(Problem, Clip), ScoreError> {
    let shape = levels.shape();
    let mask = levels.map(|v| if v > 0.0 { 1.0 } else { 0.0 });
    let model = Inpaint::new(shape, mask.clone())?;
    let signed = Recorded::file(levels);
    let recorded = Recorded {
        measurement: signed.measurement.unexposed(2.0, -1.0),
        noise: signed.noise / 2.0,
        bare: signed.bare,
    };
    Ok(problem(
        Physics::Known(Box::new(model)),
        recorded,
        Some(mask),
    ))
}

/// The problem, and the measurement as a picture.
pub(super) fn problem(physics: Physics, recorded: Recorded, mask: Option<Clip>) -> (Problem, Clip) {
    let measurement = match &mask {
        // Nothing was measured where the mask is 0, and amplitudes do not saturate.
        Some(mask) => Measurement::exact(recorded.measurement.values().zip(mask, |y, m| y * m)),
        None => recorded.measurement,
    };
    let problem = Problem {
        physics,
        measurement,
        noise: recorded.noise,
        mask,
    };
    (problem, recorded.bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::{Rounding, WriteOptions};
    use crate::scenes::Scene;

    const SHAPE: Shape = Shape::new(2, 16, 16);

    fn written(name: &str, files: &[(&str, &Clip)]) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join(name);
        let options = WriteOptions {
            rounding: Rounding::Truncate,
            ..WriteOptions::default()
        };
        for (file, clip) in files {
            media::save(&folder.join(file), clip, &options).unwrap();
        }
        (root, folder)
    }

    #[test]
    fn a_folder_becomes_a_case_with_its_rivals() {
        let target = Scene::Walker.render(SHAPE, 1);
        let model = Scatter::new(SHAPE, Optics::SYNTHETIC, 5.0, 1.0).unwrap();
        let y = model.apply(&target);
        let repeated = Clip::new(Shape::new(6, 16, 16), y.data().repeat(3));
        let files = [
            ("target.gif", &target),
            ("measurement.gif", &repeated),
            ("vdps.gif", &target),
        ];
        let (root, folder) = written("known_d5_s1_walker", &files);
        let found = ClipFolder::find(root.path()).unwrap();
        assert_eq!(found, ClipFolder::find(&folder).unwrap());
        let case = found[0].case(Source::Gif, 0).unwrap();
        assert_eq!(case.name, "known_d5_s1_walker");
        let names: Vec<&str> = case.rivals.iter().map(|r| r.name.as_str()).collect();
        assert_eq!(names, ["vdps"]);
        let residual = case.problem.measurement.residual(&model.apply(&target));
        assert!(crate::metrics::rms(residual.data()) < 0.01);
        assert!(case.problem.physics.is_known());
    }

    #[test]
    fn what_is_made_from_the_target_follows_the_seed_and_explains_it() {
        let target = Scene::Walker.render(SHAPE, 1);
        let files = [("target.gif", &target)];
        let (_root, folder) = written("blind_d2.5-10_s0.5-2_walker", &files);
        let folder = ClipFolder::open(&folder).unwrap();
        let case = |seed| folder.case(Source::Target, seed).unwrap();
        let (one, other) = (case(1), case(2));
        assert_eq!(one.truth, case(1).truth);
        assert_ne!(one.truth, other.truth);
        let Truth {
            dist_mm, sigma_px, ..
        } = one.truth;
        assert!(dist_mm.iter().all(|d| (2.5..10.0).contains(d)));
        let model = Scatter::new(SHAPE, Optics::SYNTHETIC, dist_mm, sigma_px).unwrap();
        let residual = one.problem.measurement.residual(&model.apply(&one.target));
        assert_eq!(crate::metrics::rms(residual.data()), 0.0);
        assert!(matches!(one.problem.physics, Physics::Scatter(_)));
        assert!(folder.case(Source::Gif, 0).is_err());
    }

    #[test]
    fn an_inpainting_file_knows_what_is_brighter_than_mid_grey() {
        let target = Scene::Walker.render(SHAPE, 2);
        let mask = Inpaint::random_mask(SHAPE, 0.5, &mut Noise::seeded(1));
        let file = target.zip(&mask, |u, m| (2.0 * u - 1.0).clamp(0.0, 1.0) * m);
        let files = [("target.gif", &target), ("measurement.gif", &file)];
        let (_root, folder) = written("inpaint_walker", &files);
        let case = ClipFolder::open(&folder)
            .unwrap()
            .case(Source::Gif, 0)
            .unwrap();
        let known = case.problem.mask.unwrap();
        assert!(known.zip(&mask, |k, m| k - m).range().1 <= 0.0);
        let values = case.problem.measurement.values();
        let errors = values.zip(&known, |y, k| y * k).zip(&target, |y, u| y - u);
        let errors = errors.zip(&known, |e, k| e * k);
        let (low, high) = errors.range();
        assert!(low > -0.003 && high < 0.003, "{low} {high}");
    }

    #[test]
    fn captures_are_not_made_from_their_target() {
        let target = Scene::Cells.render(SHAPE, 1);
        let files = [("target.gif", &target), ("measurement.gif", &target)];
        let (_root, folder) = written("real_visem_550um", &files);
        let folder = ClipFolder::open(&folder).unwrap();
        let error = folder.case(Source::Target, 0).map(|_| ()).unwrap_err();
        assert!(error.to_string().contains("--from gif"), "{error}");
        let case = folder.case(Source::Gif, 0).unwrap();
        assert_eq!(case.headline, Headline::Aligned);
    }

    #[test]
    fn other_shapes_are_refused_with_the_file_named() {
        let target = Scene::Walker.render(SHAPE, 1);
        let longer = Scene::Walker.render(Shape::new(3, 16, 16), 1);
        let files = [("target.gif", &target), ("measurement.gif", &longer)];
        let (_root, folder) = written("dehaze_walker", &files);
        let error = ClipFolder::open(&folder).unwrap().case(Source::Gif, 0);
        let message = error.map(|_| ()).unwrap_err().to_string();
        assert!(message.contains("measurement.gif") && message.contains("3x16x16"));
    }
}
