//! What differs between two setups, as changes of a run under way.

use super::setup::{Method, Model, Setup};
use crate::solver::{Change, TimedChange};

/// The changes that make `after` of `before`; none where they differ in what a run cannot change.
pub fn between(before: &Setup, after: &Setup) -> Option<Vec<Change>> {
    let mut changes = Vec::new();
    let mut same = before.clone();
    if before.model == after.model {
        match after.model {
            Model::Scatter => {
                for (before, after, change) in [
                    (
                        &mut same.dist_mm,
                        &after.dist_mm,
                        Change::Distance as fn(f64) -> Change,
                    ),
                    (&mut same.sigma_px, &after.sigma_px, Change::Sigma),
                ] {
                    if before.unknown != after.unknown {
                        return None;
                    }
                    if after.unknown {
                        // What the live view shows of it is nothing to the run.
                        before.value = after.value;
                        before.frames.clone_from(&after.frames);
                    } else if before.frames != after.frames {
                        return None;
                    } else {
                        if before.frames.is_empty() && before.value != after.value {
                            changes.push(change(after.value));
                        }
                        before.clone_from(after);
                    }
                }
            }
            Model::Blur => {
                if same.blur_sigma_px != after.blur_sigma_px {
                    changes.push(Change::Sigma(after.blur_sigma_px));
                }
                same.blur_sigma_px = after.blur_sigma_px;
            }
            Model::Zernike => {
                if after.coefficients_unknown {
                    same.frame_coefficients
                        .clone_from(&after.frame_coefficients);
                } else if same.frame_coefficients.is_empty()
                    && same.coefficients != after.coefficients
                {
                    changes.push(Change::Coefficients(after.coefficients.to_vec()));
                }
                same.coefficients = after.coefficients;
            }
            Model::Dehaze | Model::Inpaint => {}
        }
    }
    if after.method == Method::Reference && after.model != Model::Inpaint {
        if same.guidance != after.guidance {
            changes.push(Change::Guidance(after.guidance));
        }
        if same.seed != after.seed {
            changes.push(Change::Seed(after.seed));
        }
        (same.guidance, same.seed) = (after.guidance, after.seed);
    }
    (same == *after).then_some(changes)
}

/// Takes over from another setup what a change is about.
pub fn take(setup: &mut Setup, from: &Setup, change: &Change) {
    match change {
        Change::Guidance(_) => setup.guidance = from.guidance,
        Change::Seed(_) => setup.seed = from.seed,
        Change::Distance(_) => setup.dist_mm = from.dist_mm.clone(),
        Change::Sigma(_) if setup.model == Model::Blur => setup.blur_sigma_px = from.blur_sigma_px,
        Change::Sigma(_) => setup.sigma_px = from.sigma_px.clone(),
        Change::Coefficients(_) => setup.coefficients = from.coefficients,
    }
}

/// The flag of `reconstruct` that makes a change.
pub fn flag(timed: &TimedChange) -> String {
    let (name, value) = match &timed.change {
        Change::Guidance(guidance) => ("guidance", guidance.to_string()),
        Change::Seed(seed) => ("seed", seed.to_string()),
        Change::Distance(mm) => ("dist", mm.to_string()),
        Change::Sigma(px) => ("sigma", px.to_string()),
        Change::Coefficients(values) => {
            let listed: Vec<String> = values.iter().map(f64::to_string).collect();
            ("coeffs", listed.join(","))
        }
    };
    format!("--change={}:{name}={value}", timed.step)
}

/// A change in words.
pub fn words(change: &Change) -> String {
    match change {
        Change::Guidance(guidance) => format!("guidance {guidance}"),
        Change::Seed(seed) => format!("seed {seed}"),
        Change::Distance(mm) => format!("distance {mm:.3} mm"),
        Change::Sigma(px) => format!("blur width {px:.3} px"),
        Change::Coefficients(_) => "coefficients".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_changed_is_listed_and_the_rest_stands_in_the_way() {
        let before = Setup::default();
        assert_eq!(between(&before, &before), Some(Vec::new()));
        let mut after = before.clone();
        after.dist_mm.value = 6.0;
        after.sigma_px.value = 1.5;
        let changes = vec![Change::Distance(6.0), Change::Sigma(1.5)];
        assert_eq!(between(&before, &after), Some(changes));
        after.sigma_px.unknown = true;
        assert_eq!(between(&before, &after), None);
        let mut longer = before.clone();
        longer.budget_s += 1;
        assert_eq!(between(&before, &longer), None);
    }

    #[test]
    fn of_an_unknown_value_only_the_range_matters() {
        let mut before = Setup::default();
        before.dist_mm.unknown = true;
        let mut after = before.clone();
        after.dist_mm.value = 6.0;
        assert_eq!(between(&before, &after), Some(Vec::new()));
        after.dist_mm.max += 1.0;
        assert_eq!(between(&before, &after), None);
    }

    #[test]
    fn values_of_single_frames_are_not_changed_on_the_way() {
        let before = Setup::default();
        let mut after = before.clone();
        after.dist_mm.frames = vec![5.0, 6.0];
        assert_eq!(between(&before, &after), None);
        let mut moved = after.clone();
        moved.dist_mm.frames[1] = 7.0;
        assert_eq!(between(&after, &moved), None);
        (after.dist_mm.unknown, moved.dist_mm.unknown) = (true, true);
        assert_eq!(between(&after, &moved), Some(Vec::new()));
    }

    #[test]
    fn seeds_and_guidance_belong_to_the_reference_method() {
        let mut before = Setup::default();
        let mut after = before.clone();
        after.seed = 3;
        assert_eq!(between(&before, &after), None);
        (before.method, after.method) = (Method::Reference, Method::Reference);
        after.guidance = 2.0;
        let changes = vec![Change::Guidance(2.0), Change::Seed(3)];
        assert_eq!(between(&before, &after), Some(changes));
    }

    #[test]
    fn a_change_is_a_flag() {
        let change = Change::Coefficients(vec![0.0, -1.5]);
        let flag = flag(&TimedChange { step: 40, change });
        assert_eq!(flag, "--change=40:coeffs=0,-1.5");
    }
}
