//! Numbers a checkpoint carries although they follow from the network's sizes: the noise schedule
//! and the rotations' frequencies.

use super::config::UNetConfig;
use super::position::frequencies;
use crate::prior::Schedule;
use crate::prior::weights::{Array, Weights, WeightsError};

const FREQUENCIES: &str = ".rotary_emb.freqs";

/// The name under which the attention of this name carries them.
pub(super) fn frequencies_name(attention: &str) -> String {
    format!("{attention}{FREQUENCIES}")
}

pub(super) fn is_constant(name: &str) -> bool {
    name.ends_with(FREQUENCIES) || Schedule::BUFFERS.contains(&name)
}

/// All of them, by name; the attentions' are called `frequency_names`.
pub(super) fn constants(config: &UNetConfig, frequency_names: Vec<String>) -> Vec<(String, Array)> {
    let array = |data: Vec<f32>| Array {
        shape: vec![data.len()],
        data,
    };
    let schedule = Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS);
    let buffers = Schedule::BUFFERS.into_iter().zip(schedule.buffers());
    let frequencies: Vec<f32> = frequencies(config.temporal_head_dim)
        .map(|f| f as f32)
        .collect();
    let named = frequency_names.into_iter();
    buffers
        .map(|(name, data)| (name.to_owned(), array(data)))
        .chain(named.map(|name| (name, array(frequencies.clone()))))
        .collect()
}

/// Refuses a checkpoint trained with another schedule or other rotations than the
/// published ones, which would run and be wrong.
pub(super) fn check(weights: &Weights, config: &UNetConfig) -> Result<(), WeightsError> {
    let near = |found: &[f32], expected: &[f64]| {
        found.len() == expected.len()
            && found
                .iter()
                .zip(expected)
                .all(|(&f, &e)| (f64::from(f) - e).abs() <= 1e-3 * e.abs() + 1e-6)
    };
    if let Some(array) = weights.get("betas") {
        let schedule = Schedule::cosine(Schedule::PUBLISHED_TIMESTEPS);
        let betas: Vec<f64> = schedule.steps().iter().map(|s| s.beta.into()).collect();
        if !near(&array.data, &betas) {
            return Err(WeightsError::Config(
                "its noise schedule is not the published cosine schedule of 1000 steps".into(),
            ));
        }
    }
    let expected: Vec<f64> = frequencies(config.temporal_head_dim).collect();
    for name in weights.names().filter(|n| n.ends_with(FREQUENCIES)) {
        if weights.get(name).is_some_and(|a| !near(&a.data, &expected)) {
            return Err(WeightsError::Config(format!(
                "`{name}` holds other frequencies than the published ones"
            )));
        }
    }
    Ok(())
}
