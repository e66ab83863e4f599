//! The task that a folder's name carries.

use std::path::Path;

use super::error::ScoreError;
use crate::solver::Sought;

/// What stands between the scene and the measurement, and what is known of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    /// A scattering layer; what is unknown differs from frame to frame.
    Scatter {
        dist_mm: Sought,
        sigma_px: Sought,
    },
    /// The published Gaussian blur of amplitudes.
    Deblur,
    Dehaze,
    /// Half of the pixels are missing.
    Inpaint,
    /// An unknown aberration, one for the clip or one a frame.
    Zernike {
        varying: bool,
    },
    /// A capture through a real layer: gain, offset and blur are unknown.
    Real {
        dist_mm: Sought,
    },
}

/// Distances in millimetres that a capture may have where nothing says its own.
const REAL_DIST_MM: (f64, f64) = (5.0, 30.0);

impl Task {
    /// Reads the task of a folder in the published layout; the name's end is the clip's.
    ///
    /// # Errors
    /// A name that begins with no known task, or with numbers that mean none.
    pub fn of(folder: &Path) -> Result<Self, ScoreError> {
        // The folder's own name, also where it is given as `.`.
        let full = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let name = full.file_name().unwrap_or_default().to_string_lossy();
        let parts: Vec<&str> = name.split('_').collect();
        let bad = |detail: String| ScoreError::BadTask {
            folder: folder.to_owned(),
            detail,
        };
        match parts[..] {
            [kind @ ("known" | "blind"), dist, sigma, ..] => {
                let dist_mm = extent(dist, 'd').ok_or_else(|| {
                    bad(format!(
                        "`{dist}` says no distance in mm; write d5, or d2.5-10 for a range"
                    ))
                })?;
                let sigma_px = extent(sigma, 's').ok_or_else(|| {
                    bad(format!(
                        "`{sigma}` says no blur width in pixels; write s1, or s0.5-2 for a range"
                    ))
                })?;
                let known = dist_mm.is_known() && sigma_px.is_known();
                if known != (kind == "known") {
                    return Err(bad(format!(
                        "`{kind}` does not go with {dist} and {sigma}: known takes one distance \
                         and one width, blind a range of at least one of them"
                    )));
                }
                Ok(Self::Scatter { dist_mm, sigma_px })
            }
            ["deblur", ..] => Ok(Self::Deblur),
            ["dehaze", ..] => Ok(Self::Dehaze),
            ["inpaint", ..] => Ok(Self::Inpaint),
            ["zernike", "varying", ..] => Ok(Self::Zernike { varying: true }),
            ["zernike", ..] => Ok(Self::Zernike { varying: false }),
            ["real", ..] => Ok(Self::Real {
                dist_mm: capture_distance(&parts[1..]),
            }),
            _ => Err(ScoreError::NoTask {
                folder: folder.to_owned(),
            }),
        }
    }

    /// In a table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Scatter { dist_mm, sigma_px } if dist_mm.is_known() && sigma_px.is_known() => {
                "scatter"
            }
            Self::Scatter { .. } => "scatter, blind",
            Self::Deblur => "blur",
            Self::Dehaze => "dehaze",
            Self::Inpaint => "inpaint",
            Self::Zernike { varying: false } => "zernike, blind",
            Self::Zernike { varying: true } => "zernike, varying",
            Self::Real { .. } => "capture",
        }
    }
}

/// `d5`, or `d2.5-10` for a range.
fn extent(text: &str, letter: char) -> Option<Sought> {
    let number = |text: &str| {
        text.parse()
            .ok()
            .filter(|v: &f64| v.is_finite() && *v >= 0.0)
    };
    let text = text.strip_prefix(letter)?;
    match text.split_once('-') {
        None => Some(Sought::Known(number(text)?.into())),
        Some((min, max)) => {
            let (min, max) = (number(min)?, number(max)?);
            (min < max).then_some(Sought::Within { min, max })
        }
    }
}

/// The authors' folders give the distance for each thickness of the layer; that of their
/// captures of the sky is not given.
fn capture_distance(parts: &[&str]) -> Sought {
    let (min, max) = REAL_DIST_MM;
    let unknown = Sought::Within { min, max };
    if parts.iter().any(|part| part.starts_with("sky")) {
        return unknown;
    }
    let known = parts.iter().find_map(|part| match *part {
        "550um" => Some(10.0),
        "900um" => Some(15.0),
        "100um" => Some(24.0),
        _ => None,
    });
    known.map_or(unknown, |mm: f64| Sought::Known(mm.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(name: &str) -> Result<Task, ScoreError> {
        Task::of(&Path::new("/clips").join(name))
    }

    fn known(value: f64) -> Sought {
        Sought::Known(value.into())
    }

    #[test]
    fn names_say_their_task() {
        assert_eq!(
            task("known_d5_s1_plane-exhibition").unwrap(),
            Task::Scatter {
                dist_mm: known(5.0),
                sigma_px: known(1.0)
            }
        );
        assert_eq!(
            task("blind_d2.5-10_s0.5-2_JumpingJack").unwrap(),
            Task::Scatter {
                dist_mm: Sought::Within {
                    min: 2.5,
                    max: 10.0
                },
                sigma_px: Sought::Within { min: 0.5, max: 2.0 }
            }
        );
        assert_eq!(task("deblur_a_b").unwrap(), Task::Deblur);
        assert_eq!(task("dehaze_a").unwrap(), Task::Dehaze);
        assert_eq!(task("inpaint_a").unwrap(), Task::Inpaint);
        let zernike = |varying| Task::Zernike { varying };
        assert_eq!(task("zernike_Hammering").unwrap(), zernike(false));
        assert_eq!(task("zernike_varying_Hammering").unwrap(), zernike(true));
    }

    #[test]
    fn captures_have_the_distance_of_their_layer() {
        let distance = |name| match task(name).unwrap() {
            Task::Real { dist_mm } => dist_mm,
            other => panic!("{other:?}"),
        };
        assert_eq!(distance("real_visem_550um"), known(10.0));
        assert_eq!(distance("real_ucf101_900um"), known(15.0));
        assert_eq!(distance("real_visem_100um"), known(24.0));
        assert!(!distance("real_sky_550um").is_known());
        assert!(!distance("real_other").is_known());
    }

    #[test]
    fn other_names_are_refused_with_what_to_do() {
        for (name, expected) in [
            ("holiday", "known_d<mm>_s<px>"),
            ("known_5_1_a", "write d5"),
            ("known_d5_s_a", "write s1"),
            ("blind_d10-2_s1_a", "write d5"),
            ("known_d2.5-10_s1_a", "does not go with"),
            ("blind_d5_s1_a", "does not go with"),
        ] {
            let message = task(name).unwrap_err().to_string();
            assert!(message.contains(expected), "{name}: {message}");
            assert!(message.contains(name), "{message}");
        }
    }
}
