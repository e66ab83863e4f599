//! One case, solved and measured.

use serde::Serialize;

use super::case::{Case, Headline};
use super::error::ScoreError;
use super::marks::{Marks, ParameterMarks};
use crate::clip::Clip;
use crate::physics::Parameter;
use crate::run::plan::Problem;
use crate::solver::Finding;

/// What a solver found.
#[derive(Clone, Debug)]
pub struct Solved {
    /// Amplitudes in [0, 1].
    pub estimate: Clip,
    /// All parameters of its forward model.
    pub parameters: Vec<Parameter>,
    pub findings: Vec<Finding>,
    pub notes: Vec<String>,
    pub method: String,
    pub prior: String,
    /// Network evaluations.
    pub evaluations: usize,
    pub seconds: f64,
}

/// A rival's marks.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RivalMarks {
    pub name: String,
    #[serde(flatten)]
    pub marks: Marks,
}

/// A case's result beside every rival's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    pub clip: String,
    pub task: String,
    pub method: String,
    pub prior: String,
    pub headline: Headline,
    pub ours: Marks,
    pub seconds: f64,
    /// Network evaluations.
    pub evaluations: usize,
    /// None where no parameter is unknown, or no truth is known.
    pub parameters: Option<ParameterMarks>,
    /// What the solver doubts, a sentence each.
    pub doubts: Vec<String>,
    pub notes: Vec<String>,
    /// The measurement itself, as a picture.
    pub measurement: Marks,
    pub rivals: Vec<RivalMarks>,
}

impl Row {
    /// How much closer ours is than the rival of this name, in dB.
    pub fn gain_over(&self, rival: &str) -> Option<f64> {
        let rival = self.rivals.iter().find(|r| r.name == rival)?;
        let (ours, theirs) = (&self.ours, &rival.marks);
        Some(ours.headline_db(self.headline)? - theirs.headline_db(self.headline)?)
    }
}

/// Has a case solved, and measures the result and every rival's.
///
/// `solve` sees the problem only, never its truth.
///
/// # Errors
/// Those of `solve`; a result of another shape than the target.
pub fn score<E: From<ScoreError>>(
    case: Case,
    solve: impl FnOnce(Problem) -> Result<Solved, E>,
) -> Result<Row, E> {
    let Case {
        name,
        task,
        problem,
        target,
        bare,
        headline,
        truth,
        rivals,
    } = case;
    let blind = !problem.physics.is_known();
    let solved = solve(problem)?;
    let marks = |clip: &Clip| Marks::of(clip, &target, headline).map_err(ScoreError::from);
    let parameters = match blind {
        true => ParameterMarks::of(&solved.parameters, &solved.findings, &truth, target.shape()),
        false => None,
    };
    let mut ours = marks(&solved.estimate)?;
    ours.psf_correlation = parameters.as_ref().and_then(|p| p.psf_correlation);
    let rivals = rivals.into_iter().map(|rival| {
        let mut marks = marks(&rival.clip)?;
        marks.psf_correlation = rival.psf_correlation;
        Ok(RivalMarks {
            name: rival.name,
            marks,
        })
    });
    Ok(Row {
        clip: name,
        task,
        method: solved.method,
        prior: solved.prior,
        headline,
        ours,
        seconds: solved.seconds,
        evaluations: solved.evaluations,
        parameters,
        doubts: solved.findings.iter().flat_map(said).collect(),
        notes: solved.notes,
        measurement: marks(&bare)?,
        rivals: rivals.collect::<Result<_, ScoreError>>()?,
    })
}

/// A finding's doubts, with the parameter's name.
fn said(finding: &Finding) -> Vec<String> {
    let label = finding.parameter.label();
    let doubts = finding.doubts.iter();
    doubts.map(|doubt| format!("{label}: {doubt}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::physics::{Dehaze, ForwardModel, Optics, Scatter};
    use crate::run::drive;
    use crate::run::plan::Physics;
    use crate::run::score::{Rival, Truth};
    use crate::scenes::Scene;
    use crate::solver::{Instant, InstantConfig, Measurement, ScatterSearch, Solver, Sought};

    const SHAPE: Shape = Shape::new(2, 16, 16);

    fn case(physics: Physics, values: Clip, truth: Truth) -> Case {
        let target = Scene::Walker.render(SHAPE, 1);
        Case {
            name: "walker".into(),
            task: "test".into(),
            problem: Problem {
                physics,
                measurement: Measurement::exact(values.clone()),
                noise: 0.0,
                mask: None,
            },
            bare: values,
            headline: Headline::Psnr,
            truth,
            rivals: vec![Rival {
                name: "vdps".into(),
                clip: target.map(|v| v + 0.01),
                psf_correlation: Some(0.9),
            }],
            target,
        }
    }

    #[test]
    fn a_case_is_solved_and_measured_beside_its_rivals() {
        let model = Dehaze::new(SHAPE).unwrap();
        let values = model.apply(&Scene::Walker.render(SHAPE, 1));
        let case = case(Physics::Known(Box::new(model)), values, Truth::default());
        let row = score(case, |problem| {
            let Physics::Known(model) = problem.physics else {
                panic!("the model is known");
            };
            let config = InstantConfig {
                iterations: 1,
                ..InstantConfig::for_noise(0.0)
            };
            let mut solver = Instant::new(model, problem.measurement, config).unwrap();
            drive(&mut solver, &false.into(), &mut |_, _| ()).unwrap();
            Ok::<_, ScoreError>(Solved {
                estimate: solver.estimate(),
                parameters: solver.model().parameters(),
                findings: solver.findings(),
                notes: solver.notes(),
                method: solver.name().into(),
                prior: "tv".into(),
                evaluations: solver.evaluations(),
                seconds: 1.5,
            })
        });
        let row = row.unwrap();
        assert_eq!((row.method.as_str(), row.prior.as_str()), ("instant", "tv"));
        assert_eq!((row.seconds, row.evaluations), (1.5, 0));
        assert!(row.measurement.psnr_db < row.ours.psnr_db, "{row:?}");
        let vdps = &row.rivals[0].marks;
        assert!((vdps.psnr_db.unwrap() - 40.0).abs() < 0.01);
        assert_eq!(vdps.psf_correlation, Some(0.9));
        let gain = row.ours.psnr_db.unwrap() - vdps.psnr_db.unwrap();
        assert_eq!(row.gain_over("vdps"), Some(gain));
        assert_eq!(row.gain_over("dps"), None);
        assert_eq!(row.parameters, None);
    }

    #[test]
    fn parameters_are_compared_where_they_were_unknown() {
        let scatter = |dist_mm: f64| Scatter::new(SHAPE, Optics::SYNTHETIC, dist_mm, 1.0).unwrap();
        let truth = Truth {
            sigma_px: Vec::new(),
            ..Truth::of(&scatter(5.0))
        };
        let unknown = ScatterSearch {
            shape: SHAPE,
            optics: Optics::SYNTHETIC,
            dist_mm: Sought::Within {
                min: 2.5,
                max: 10.0,
            },
            sigma_px: Sought::Known(1.0.into()),
            per_frame: false,
        };
        let case = case(Physics::Scatter(unknown), Clip::zeros(SHAPE), truth);
        let row = score(case, |problem| {
            let parameters = scatter(5.75).parameters();
            Ok::<_, ScoreError>(Solved {
                estimate: Clip::zeros(problem.physics.shape()),
                findings: vec![Finding {
                    parameter: parameters[0].clone(),
                    interval: None,
                    doubts: vec!["6.5 mm fits as well".into()],
                }],
                parameters,
                notes: Vec::new(),
                method: "none".into(),
                prior: "none".into(),
                evaluations: 0,
                seconds: 0.0,
            })
        });
        let row = row.unwrap();
        let marks = row.parameters.unwrap();
        assert!((marks.dist_mm.unwrap().worst - 0.75).abs() < 1e-9);
        assert_eq!(marks.sigma_px, None);
        assert_eq!((marks.missed, marks.unflagged), (2, 0));
        assert_eq!(row.doubts, ["distance: 6.5 mm fits as well"]);
    }
}
