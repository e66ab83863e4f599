//! What the sources of a description hold, divided into training and validation.

use std::ops::Range;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::description::{Description, Source};
use super::draw::{index, seed_of};
use super::film::Film;
use super::footage::Span;
use super::picture::Picture;
use super::{DataError, Progress, download, files};
use crate::noise::Noise;

/// What one source of the description gives to one pool.
#[derive(Clone, Debug)]
pub enum Material {
    Footage(Vec<Span>),
    Photographs(Vec<Picture>),
    Scenes,
    Collage,
}

impl Material {
    pub fn is_generated(&self) -> bool {
        matches!(self, Self::Scenes | Self::Collage)
    }
}

/// The materials of the two pools, each with the number of its source in the description.
pub struct Divided {
    pub train: Vec<(usize, Material)>,
    pub validation: Vec<(usize, Material)>,
}

/// Videos' shorter side, in sides of a clip: that of 240 rows to 72.
const REDUCTION: usize = 10;
const REDUCTION_OF: usize = 3;

/// One video or photograph in so many is held out where no source is.
const HELD_OUT: usize = 10;

/// Fetches, unpacks and reads what the sources name. Where no source is marked for validation,
/// a tenth of the videos (of a single one its last tenth) and of the photographs of each is held
/// out.
///
/// # Errors
/// When a source cannot be had or holds nothing that can be read.
pub fn gathered(
    description: &Description,
    base: &Path,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Divided, DataError> {
    let folder = base.join(&description.folder);
    let shape = description.shape();
    let side = (shape.height.max(shape.width) * REDUCTION).div_ceil(REDUCTION_OF);
    let marked = description.sources.iter().any(Source::is_validation);
    let mut divided = Divided {
        train: Vec::new(),
        validation: Vec::new(),
    };
    for (number, source) in description.sources.iter().enumerate() {
        let (videos, photographs, stride) = match source {
            Source::Scenes(_) => {
                divided.train.push((number, Material::Scenes));
                divided.validation.push((number, Material::Scenes));
                continue;
            }
            Source::Collage(_) => {
                divided.train.push((number, Material::Collage));
                divided.validation.push((number, Material::Collage));
                continue;
            }
            Source::Videos(local) => {
                let path = base.join(&local.path);
                (
                    Some((files::videos_under(&path)?, path)),
                    None,
                    local.stride,
                )
            }
            Source::Photographs(local) => {
                let path = base.join(&local.path);
                (
                    None,
                    Some((files::photographs_under(&path)?, path)),
                    local.stride,
                )
            }
            Source::Download(download) => {
                let at = download::unpacked(download, &folder, progress)?;
                let matching = |patterns: &[String]| {
                    if patterns.is_empty() {
                        return Ok(None);
                    }
                    match files::matching(&at, patterns)? {
                        none if none.is_empty() => Err(DataError::NothingMatches {
                            name: source.name(),
                            patterns: patterns.to_vec(),
                        }),
                        found => Ok(Some((found, at.clone()))),
                    }
                };
                (
                    matching(&download.videos)?,
                    matching(&download.photographs)?,
                    download.stride,
                )
            }
        };
        let mut noise = Noise::seeded(seed_of(description.seed, 1, number as u64));
        let hold_out = !marked;
        let (mut train, mut validation) = (None, None);
        if let Some((videos, path)) = videos {
            let cache = folder.join("reduced");
            let films = films(&videos, &path, &cache, side, progress)?;
            let spans = spans(films, stride, shape.frames, progress);
            if spans.is_empty() {
                return Err(DataError::NoVideos {
                    path,
                    unreadable: vec![format!(
                        "none has the {} frames of a clip",
                        1 + (shape.frames - 1) * stride[0]
                    )],
                });
            }
            let (kept, held) = if hold_out {
                held_out_spans(spans, shape.frames, &mut noise)
            } else {
                (spans, Vec::new())
            };
            train = (!kept.is_empty()).then_some(Material::Footage(kept));
            validation = (!held.is_empty()).then_some(Material::Footage(held));
        } else if let Some((photographs, path)) = photographs {
            let pictures = pictures(&photographs, &path, 2 * side, progress)?;
            let (kept, held) = if hold_out {
                held_out(pictures, &mut noise)
            } else {
                (pictures, Vec::new())
            };
            train = Some(Material::Photographs(kept));
            validation = (!held.is_empty()).then_some(Material::Photographs(held));
        }
        if source.is_validation() {
            validation = train.take();
        }
        divided
            .train
            .extend(train.map(|material| (number, material)));
        divided
            .validation
            .extend(validation.map(|material| (number, material)));
    }
    Ok(divided)
}

fn films(
    videos: &[PathBuf],
    path: &Path,
    cache: &Path,
    side: usize,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<(PathBuf, Film)>, DataError> {
    let read = |video: &PathBuf| {
        progress(Progress::Reading(video));
        Film::reduced(video, cache, side).map(|film| (video.clone(), film))
    };
    let (films, unreadable) = sorted(videos.par_iter().map(read).collect(), progress)?;
    if films.is_empty() {
        return Err(DataError::NoVideos {
            path: path.to_owned(),
            unreadable,
        });
    }
    Ok(films)
}

fn pictures(
    photographs: &[PathBuf],
    path: &Path,
    side: usize,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<Vec<Picture>, DataError> {
    let read = |photograph: &PathBuf| Picture::read(photograph, side);
    let (pictures, unreadable) = sorted(photographs.par_iter().map(read).collect(), progress)?;
    if pictures.is_empty() {
        return Err(DataError::NoPhotographs {
            path: path.to_owned(),
            unreadable,
        });
    }
    Ok(pictures)
}

/// What could be read; what could not is warned of and told, errors of our own folder end it.
fn sorted<T>(
    results: Vec<Result<T, DataError>>,
    progress: &(dyn Fn(Progress) + Sync),
) -> Result<(Vec<T>, Vec<String>), DataError> {
    let (mut read, mut unreadable) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(one) => read.push(one),
            Err(DataError::Media(error)) => {
                let message = error.to_string();
                progress(Progress::Warning(&message));
                unreadable.push(message);
            }
            Err(error) => return Err(error),
        }
    }
    Ok((read, unreadable))
}

fn spans(
    films: Vec<(PathBuf, Film)>,
    stride: [usize; 2],
    frames: usize,
    progress: &(dyn Fn(Progress) + Sync),
) -> Vec<Span> {
    let mut spans = Vec::new();
    for (path, film) in films {
        let span = Span {
            frames: 0..film.frames(),
            film,
            stride,
        };
        if span.holds(frames) {
            spans.push(span);
        } else {
            let has = span.frames.len();
            let message = format!(
                "{}: left out, its {has} frames are too few for a clip",
                path.display()
            );
            progress(Progress::Warning(&message));
        }
    }
    spans
}

/// Whole videos, or the end of a single one where that is long enough.
fn held_out_spans(spans: Vec<Span>, frames: usize, noise: &mut Noise) -> (Vec<Span>, Vec<Span>) {
    let [span] = spans.as_slice() else {
        return held_out(spans, noise);
    };
    let part = |frames: Range<usize>| Span {
        frames,
        ..span.clone()
    };
    let Range { start, end } = span.frames;
    let needed = 1 + (frames - 1) * span.stride[0];
    let held = ((end - start) / HELD_OUT).max(needed);
    let (kept, held) = (
        part(start..end.saturating_sub(held)),
        part(end.saturating_sub(held)..end),
    );
    if kept.frames.start < kept.frames.end && kept.holds(frames) {
        (vec![kept], vec![held])
    } else {
        (spans, Vec::new())
    }
}

fn held_out<T>(all: Vec<T>, noise: &mut Noise) -> (Vec<T>, Vec<T>) {
    if all.len() < 2 {
        return (all, Vec::new());
    }
    let count = all.len().div_ceil(HELD_OUT);
    let mut kept = all;
    let held = (0..count).map(|_| {
        let which = index(noise, kept.len());
        kept.remove(which)
    });
    let held = held.collect();
    (kept, held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_is_held_out_and_of_one_nothing() {
        let mut noise = Noise::seeded(1);
        let (kept, held) = held_out((0..25).collect::<Vec<_>>(), &mut noise);
        assert_eq!((kept.len(), held.len()), (22, 3));
        assert!(held.iter().all(|one| !kept.contains(one)));
        let (kept, held) = held_out(vec![1], &mut noise);
        assert_eq!((kept.len(), held.len()), (1, 0));
    }
}
