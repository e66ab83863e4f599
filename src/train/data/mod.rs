//! Training data: a description in TOML becomes two pools of short grey clips.
//!
//! | file | holds |
//! |---|---|
//! | `description` | what a training set is made of |
//! | `download`, `files` | published archives, fetched once and checked; which files are meant |
//! | `film`, `footage` | videos made small and kept on disk; windows of them |
//! | `picture`, `camera`, `collage/` | photographs; motions of a camera; video made of both |
//! | `look` | softness, compression and light, as a camera and a codec leave them |
//! | `material`, `set` | what is for training and what for validation; clips drawn from it |
//! | `pool` | the finished clips |
//!
//! Every clip has a seed of its own, so a description gives the same pools on any number of
//! processors.

mod camera;
mod collage;
mod description;
mod download;
mod draw;
mod error;
mod files;
mod film;
mod footage;
mod look;
mod material;
mod picture;
mod pool;
mod raster;
mod set;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

pub use description::{Collage, Credit, Description, Download, Local, Scenes, Source};
pub use error::DataError;
pub use pool::Pool;

use draw::seed_of;
use material::Material;
use pool::PoolWriter;
use set::Set;

/// What is being done.
#[derive(Clone, Copy, Debug)]
pub enum Progress<'a> {
    /// From this address.
    Fetching(&'a str),
    Unpacking(&'a Path),
    /// This video, to make it small.
    Reading(&'a Path),
    /// Something was left out.
    Warning(&'a str),
    /// So many clips of both pools are made.
    Clips {
        done: usize,
        total: usize,
    },
}

/// Finished pools.
#[derive(Clone, Debug)]
pub struct Prepared {
    pub train: PathBuf,
    pub validation: PathBuf,
    pub sources: Vec<Used>,
}

/// What was drawn from one source.
#[derive(Clone, Debug)]
pub struct Used {
    pub name: String,
    /// None where it is generated.
    pub credit: Option<Credit>,
    pub train_clips: usize,
    pub validation_clips: usize,
}

/// Clips that are made before they are written.
const BATCH: usize = 256;

/// The share of generated clips in a validation pool that has others.
const GENERATED_VALIDATION: f64 = 0.15;

/// Makes `train.npy` and `validation.npy` in the description's folder; `base` is where the
/// description lies. What was fetched and reduced before is used again.
///
/// # Errors
/// When a source cannot be had or read, when nothing is left for one of the pools, and when a
/// file cannot be written.
pub fn prepare(
    description: &Description,
    base: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Prepared, DataError> {
    description.check()?;
    let divided = material::gathered(description, base, progress)?;
    let folder = base.join(&description.folder);
    let order = Order {
        description,
        path: folder.join("train.npy"),
        use_for: "train on",
        purpose: 3,
        clips: description.clips,
        made_before: 0,
    };
    let (train, train_clips) = order.make(weighed(description, divided.train), progress)?;
    let order = Order {
        path: folder.join("validation.npy"),
        use_for: "validate with",
        purpose: 4,
        clips: description.validation_clips,
        made_before: description.clips,
        ..order
    };
    let materials = mostly_real(weighed(description, divided.validation));
    let (validation, validation_clips) = order.make(materials, progress)?;
    let sources = description.sources.iter().enumerate();
    let sources = sources.map(|(number, source)| Used {
        name: source.name(),
        credit: source.credit().cloned(),
        train_clips: train_clips[number],
        validation_clips: validation_clips[number],
    });
    Ok(Prepared {
        train,
        validation,
        sources: sources.collect(),
    })
}

/// The number of its source, its weight, and what it holds.
type Weighed = (usize, f64, Material);

fn weighed(description: &Description, materials: Vec<(usize, Material)>) -> Vec<Weighed> {
    let weighed = |(number, material): (usize, Material)| {
        let weight = description.sources[number].weight();
        (number, weight, material)
    };
    materials.into_iter().map(weighed).collect()
}

/// Leaves generated clips only a small share where there are others.
fn mostly_real(mut materials: Vec<Weighed>) -> Vec<Weighed> {
    let sum = |generated: bool| -> f64 {
        let kind = materials
            .iter()
            .filter(|(.., m)| m.is_generated() == generated);
        kind.map(|(_, weight, _)| weight).sum()
    };
    let (real, generated) = (sum(false), sum(true));
    if real > 0.0 && generated > 0.0 {
        let wanted = real * GENERATED_VALIDATION / (1.0 - GENERATED_VALIDATION);
        for (_, weight, material) in &mut materials {
            if material.is_generated() {
                *weight *= wanted / generated;
            }
        }
    }
    materials
}

/// A pool to be made.
struct Order<'a> {
    description: &'a Description,
    path: PathBuf,
    /// What an empty pool is missed for.
    use_for: &'static str,
    /// Sets its seeds apart from those of other pools.
    purpose: u64,
    clips: usize,
    made_before: usize,
}

impl Order<'_> {
    /// The finished file, and how many clips each source of the description gave.
    fn make(
        &self,
        materials: Vec<Weighed>,
        progress: &(dyn Fn(Progress) + Sync),
    ) -> Result<(PathBuf, Vec<usize>), DataError> {
        if materials.iter().all(|&(_, weight, _)| weight <= 0.0) {
            return Err(DataError::Nothing(self.use_for));
        }
        let shape = self.description.shape();
        let seed = |index: usize| seed_of(self.description.seed, self.purpose, index as u64);
        let numbers: Vec<usize> = materials.iter().map(|&(number, ..)| number).collect();
        let parts = materials.into_iter().map(|(_, weight, m)| (weight, m));
        let set = Set::new(parts.collect(), self.clips, shape, seed(usize::MAX))?;
        let mut given = vec![0; self.description.sources.len()];
        let mut writer = PoolWriter::create(&self.path, self.clips, shape)?;
        let total = self.description.clips + self.description.validation_clips;
        for start in (0..self.clips).step_by(BATCH) {
            let end = (start + BATCH).min(self.clips);
            let clips = (start..end).into_par_iter().map(|i| set.clip(seed(i)));
            for (part, levels) in clips.collect::<Result<Vec<_>, _>>()? {
                given[numbers[part]] += 1;
                writer.write(&levels)?;
            }
            progress(Progress::Clips {
                done: self.made_before + end,
                total,
            });
        }
        Ok((writer.finish()?, given))
    }
}

#[cfg(test)]
mod tests;
