//! What to believe of a result, in plain words.

use serde::Serialize;

use crate::metrics::Whiteness;
use crate::solver::Finding;

/// What is known of a result.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    pub finished: bool,
    /// Of A(x0) - y.
    pub residual_rms: f64,
    /// Standard deviation of the measurement's noise, in the same units; 0 where none is known.
    pub noise: f64,
    pub whiteness: &'a Whiteness,
    pub saturated_share: f64,
    pub findings: &'a [Finding],
    /// How far the estimates of other seeds are from each other: rms of their standard
    /// deviation, amplitudes in [0, 1]; and how many there are.
    pub seeds: Option<(f64, usize)>,
}

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Weight {
    Reassuring,
    Careful,
    Alarming,
}

/// A sentence about a result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Remark {
    pub weight: Weight,
    pub text: String,
    /// What to try; empty where nothing needs to be.
    pub advice: &'static str,
}

/// All that speaks for and against a result, the verdict first.
pub fn judge(facts: &Facts) -> Vec<Remark> {
    let mut remarks: Vec<Remark> = [
        residual(facts),
        whiteness(facts),
        saturation(facts),
        seeds(facts),
    ]
    .into_iter()
    .flatten()
    .collect();
    remarks.extend(bounds(facts));
    remarks.extend(doubts(facts));
    if !facts.finished {
        remarks.push(Remark {
            weight: Weight::Careful,
            text: "The run did not come to its end: this is a stage of the way.".into(),
            advice: "",
        });
    }
    let worst = remarks.iter().map(|remark| remark.weight).max();
    let weight = worst.unwrap_or(Weight::Careful);
    let verdict = match weight {
        Weight::Reassuring => "Nothing speaks against this result.",
        Weight::Careful => "Believe this result with care.",
        Weight::Alarming => "Do not believe this result as it stands.",
    };
    remarks.insert(
        0,
        Remark {
            weight,
            text: verdict.into(),
            advice: "",
        },
    );
    remarks
}

/// The residual counts as explained up to so many times the noise, as mostly explained up to
/// the second.
const EXPLAINED: f64 = 1.3;
const MOSTLY: f64 = 3.0;

fn residual(facts: &Facts) -> Option<Remark> {
    if facts.noise <= 0.0 || !facts.residual_rms.is_finite() {
        return None;
    }
    let times = facts.residual_rms / facts.noise;
    let (weight, text, advice) = match times {
        t if t <= EXPLAINED => (
            Weight::Reassuring,
            "The estimate explains the measurement down to its noise".to_owned(),
            "",
        ),
        t if t <= MOSTLY => (
            Weight::Careful,
            "The residual is somewhat larger than the known noise".to_owned(),
            "More noise than the file's rounding (see --noise), or a forward model that is a \
             little off.",
        ),
        _ => (
            Weight::Alarming,
            "The estimate does not explain the measurement".to_owned(),
            "Check the forward model, its ranges, and gain and offset; look where the residual is.",
        ),
    };
    let text = format!("{text} ({times:.2} times the noise).");
    Some(Remark {
        weight,
        text,
        advice,
    })
}

fn whiteness(facts: &Facts) -> Option<Remark> {
    let within_noise = facts.noise > 0.0 && facts.residual_rms <= EXPLAINED * facts.noise;
    let worst = facts.whiteness.worst();
    let (percent, agree) = (
        100.0 * worst.abs(),
        if worst < 0.0 { "alternate" } else { "agree" },
    );
    Some(match (facts.whiteness.is_white(), within_noise) {
        (true, _) => Remark {
            weight: Weight::Reassuring,
            text: "What is left looks like noise.".into(),
            advice: "",
        },
        (false, within_noise) => Remark {
            weight: match within_noise {
                true => Weight::Reassuring,
                false => Weight::Careful,
            },
            text: format!(
                "What is left has structure: neighbours {agree} by {percent:.0} %{}.",
                match within_noise {
                    true => ", though within the noise",
                    false => "",
                }
            ),
            advice: match within_noise {
                true => "",
                false => {
                    "Look at the residual: rings speak of a wrong distance, edges of a wrong width."
                }
            },
        },
    })
}

fn saturation(facts: &Facts) -> Option<Remark> {
    let percent = 100.0 * facts.saturated_share;
    (facts.saturated_share > 0.002).then(|| Remark {
        weight: match facts.saturated_share > 0.1 {
            true => Weight::Careful,
            false => Weight::Reassuring,
        },
        text: format!("{percent:.1} % of the pixels are saturated: there only a bound is known."),
        advice: "Record darker where you can.",
    })
}

fn seeds(facts: &Facts) -> Option<Remark> {
    let (spread, count) = facts.seeds?;
    let (weight, text, advice) = match spread {
        s if s < 0.02 => (Weight::Reassuring, "agree", ""),
        s if s < 0.06 => (
            Weight::Careful,
            "differ in details",
            "Trust what they have in common.",
        ),
        _ => (
            Weight::Alarming,
            "differ",
            "The measurement leaves this open: what differs is invented.",
        ),
    };
    Some(Remark {
        weight,
        text: format!("{count} seeds {text} (by {spread:.3} in amplitude)."),
        advice,
    })
}

/// A value within this share of its range from an end was stopped by it.
const AT_BOUND: f64 = 0.005;

fn bounds(facts: &Facts) -> Option<Remark> {
    let stopped = facts.findings.iter().filter(|finding| {
        let parameter = &finding.parameter;
        let margin = AT_BOUND * (parameter.max - parameter.min);
        let (low, high) = (parameter.min + margin, parameter.max - margin);
        parameter.min < parameter.max && !(low..=high).contains(&parameter.value)
    });
    let mut names: Vec<String> = stopped.map(|finding| finding.parameter.label()).collect();
    if names.is_empty() {
        return None;
    }
    let more = names.len().saturating_sub(3);
    names.truncate(3);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(Remark {
        weight: Weight::Careful,
        text: format!("At an end of the range: {}{more}.", names.join(", ")),
        advice: "Widen the range and run again.",
    })
}

fn doubts<'a>(facts: &'a Facts) -> impl Iterator<Item = Remark> + 'a {
    let mut said: Vec<(&str, Vec<String>)> = Vec::new();
    for finding in facts.findings {
        for doubt in &finding.doubts {
            let label = finding.parameter.label();
            match said.iter_mut().find(|(text, _)| text == doubt) {
                Some((_, labels)) => labels.push(label),
                None => said.push((doubt, vec![label])),
            }
        }
    }
    said.into_iter().map(|(doubt, labels)| {
        let who = match labels.len() {
            0..=3 => labels.join(", "),
            count => format!("{} and {} more", labels[..2].join(", "), count - 2),
        };
        Remark {
            weight: Weight::Alarming,
            text: format!("{who}: {doubt}"),
            advice: "",
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::noise::Noise;
    use crate::physics::{Parameter, Unit};

    fn white() -> Whiteness {
        Whiteness::of(&Noise::seeded(1).normal_clip(Shape::new(4, 24, 24)))
    }

    fn facts(whiteness: &Whiteness) -> Facts<'_> {
        Facts {
            finished: true,
            residual_rms: 0.01,
            noise: 0.01,
            whiteness,
            saturated_share: 0.0,
            findings: &[],
            seeds: None,
        }
    }

    fn finding(value: f64, doubts: &[&str]) -> Finding {
        Finding {
            parameter: Parameter {
                name: "distance".into(),
                frame: Some(3),
                unit: Unit::Millimetre,
                value,
                min: 2.0,
                max: 10.0,
                zernike: None,
            },
            interval: None,
            doubts: doubts.iter().map(ToString::to_string).collect(),
        }
    }

    fn verdict(facts: &Facts) -> Weight {
        judge(facts)[0].weight
    }

    #[test]
    fn a_good_result_is_called_good() {
        let white = white();
        assert_eq!(verdict(&facts(&white)), Weight::Reassuring);
    }

    #[test]
    fn each_ground_for_doubt_is_told() {
        let white = white();
        let good = facts(&white);
        let says = |facts: &Facts, weight: Weight, word: &str| {
            let remarks = judge(facts);
            assert_eq!(remarks[0].weight, weight, "{remarks:?}");
            assert!(
                remarks.iter().any(|remark| remark.text.contains(word)),
                "{remarks:?}"
            );
        };
        let with = |residual_rms| Facts {
            residual_rms,
            ..good
        };
        says(&with(0.02), Weight::Careful, "2.00 times the noise");
        says(&with(0.2), Weight::Alarming, "does not explain");
        let dark = Facts {
            saturated_share: 0.2,
            ..good
        };
        says(&dark, Weight::Careful, "20.0 %");
        let at_end = [finding(9.99, &[])];
        let stopped = Facts {
            findings: &at_end,
            ..good
        };
        says(&stopped, Weight::Careful, "distance of frame 3");
        let doubted = [
            finding(5.0, &["two answers fit"]),
            finding(6.0, &["two answers fit"]),
        ];
        let doubted = Facts {
            findings: &doubted,
            ..good
        };
        says(&doubted, Weight::Alarming, "two answers fit");
        let open = Facts {
            seeds: Some((0.2, 3)),
            ..good
        };
        says(&open, Weight::Alarming, "3 seeds differ");
        let cut = Facts {
            finished: false,
            ..good
        };
        says(&cut, Weight::Careful, "did not come to its end");
    }
}
