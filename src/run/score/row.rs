//! One case, solved and measured.

use serde::Serialize;

use super::case::{Case, Headline};
use super::error::ScoreError;
use super::marks::{Marks, ParameterMarks, least_correlation};
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
    let parameters = blind.then(|| ParameterMarks::of(&solved.parameters, &truth, target.shape()));
    let parameters = parameters.filter(ParameterMarks::is_known);
    let mut ours = marks(&solved.estimate)?;
    ours.psf_correlation = parameters.as_ref().and_then(|p| p.psf_correlation);
    let rivals = rivals.into_iter().map(|rival| {
        let mut marks = marks(&rival.clip)?;
        let psfs: Vec<_> = rival.psf.into_iter().collect();
        marks.psf_correlation = least_correlation(&psfs, &truth.psfs);
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
    let parameter = &finding.parameter;
    let frame = parameter.frame;
    let frame = frame.map_or(String::new(), |frame| format!(" of frame {frame}"));
    let doubts = finding.doubts.iter();
    doubts
        .map(|doubt| format!("{}{frame}: {doubt}", parameter.name))
        .collect()
}
