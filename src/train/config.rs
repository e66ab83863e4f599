//! What a training is, as its TOML file says it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::data::Description;
use crate::prior::UNetConfig;
use crate::prior::compact::CompactConfig;

#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("{} is no training: {source}", path.display())]
    Parse {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{} is no training: {reason}", path.display())]
    Sense { path: PathBuf, reason: String },
}

/// A network, how it is taught, and what with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub network: NetworkConfig,
    pub training: Training,
    /// What clips are made of, for `vdps train --prepare`; without it, `training.clips` must name
    /// a pool.
    pub data: Option<Description>,
}

/// Which network is taught.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum NetworkConfig {
    /// Ours, small enough for processors.
    Compact {
        /// None: those of the weights to begin with, and without such 32, 64 and 96.
        widths: Option<Vec<usize>>,
        /// None: as many as the weights to begin with have, and without such 2.
        blocks: Option<usize>,
    },
    /// The published space-time U-Net.
    Published {
        dim: usize,
        multipliers: Vec<usize>,
        heads: usize,
        temporal_head_dim: usize,
    },
}

/// How a network is taught.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Training {
    /// Of the first parameters, and of all that is drawn.
    pub seed: u64,
    pub steps: usize,
    /// Clips a step.
    pub batch: usize,
    /// The rate of AdamW.
    pub rate: f64,
    /// Steps over which the rate rises from 0.
    pub warmup: usize,
    /// The step from which on the rate falls, along half a cosine, to nothing at the last one.
    pub decay_from: usize,
    pub weight_decay: f64,
    /// The gradient's norm is held below it; 0 lets it be.
    pub clip_norm: f64,
    /// The share of the parameters' average that stays at a step.
    pub average: f64,
    /// Steps between two updates of the average.
    pub average_every: usize,
    /// The step before which the average follows the parameters.
    pub average_from: usize,
    /// Shapes of clips.
    pub crops: Vec<Crop>,
    /// Lengths, tones and directions of clips are varied.
    pub vary: bool,
    /// Weights to begin with, relative to the configuration.
    pub start: Option<PathBuf>,
    /// Pools of clips made before (NPY, u8, `[clips, frames, rows, columns]`), relative to the
    /// configuration.
    pub clips: Option<PathBuf>,
    pub validation: Option<PathBuf>,
    /// Steps between two validations, and their clips.
    pub validate_every: usize,
    pub validate_clips: usize,
    /// Steps between two states on disk.
    pub save_every: usize,
}

impl Default for Training {
    fn default() -> Self {
        Self {
            seed: 0,
            steps: 20_000,
            batch: 8,
            rate: 1.5e-3,
            warmup: 300,
            decay_from: 300,
            weight_decay: 0.0,
            clip_norm: 1.0,
            average: 0.999,
            average_every: 1,
            average_from: 0,
            crops: vec![Crop::default()],
            vary: true,
            start: None,
            clips: None,
            validation: None,
            validate_every: 1000,
            validate_clips: 24,
            save_every: 200,
        }
    }
}

/// A shape that clips are cropped to.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Crop {
    /// Frames, rows, columns.
    pub shape: [usize; 3],
    /// The step from which on it is used.
    #[serde(default)]
    pub from: usize,
    /// The step from which on it is no longer used.
    #[serde(default = "never")]
    pub until: usize,
    /// How often, in proportion to others at the time.
    #[serde(default = "once")]
    pub weight: f64,
}

fn never() -> usize {
    usize::MAX
}

fn once() -> f64 {
    1.0
}

impl Default for Crop {
    fn default() -> Self {
        Self {
            shape: [10, 48, 48],
            from: 0,
            until: never(),
            weight: once(),
        }
    }
}

impl Config {
    /// # Errors
    /// A file that cannot be read, or makes no sense: the message says where and why.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        let config: Self = toml::from_str(&text).map_err(|source| ConfigError::Parse {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        config.check().map_err(|reason| ConfigError::Sense {
            path: path.to_owned(),
            reason,
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let Training {
            steps,
            batch,
            rate,
            average,
            crops,
            average_every,
            validate_every,
            save_every,
            ..
        } = &self.training;
        let counts = [
            ("steps", *steps),
            ("batch", *batch),
            ("average_every", *average_every),
            ("validate_every", *validate_every),
            ("save_every", *save_every),
        ];
        if let Some((name, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(format!("training.{name} is 0"));
        }
        if !(*rate > 0.0 && *rate < 1.0) {
            return Err(format!("training.rate is {rate}, not between 0 and 1"));
        }
        if !(0.0..1.0).contains(average) {
            return Err(format!("training.average is {average}, not from 0 up to 1"));
        }
        for step in [0, steps - 1] {
            if !crops.iter().any(|crop| crop.serves(step)) {
                return Err(format!("no training.crops has a weight at step {step}"));
            }
        }
        if crops.iter().any(|crop| crop.shape.contains(&0)) {
            return Err("a shape in training.crops holds a 0".into());
        }
        match &self.network {
            NetworkConfig::Compact { widths, blocks } => {
                let right = |w: &usize| *w > 0 && w.is_multiple_of(8) && *w <= 1024;
                let right = |w: &Vec<usize>| (1..=6).contains(&w.len()) && w.iter().all(right);
                if !widths.as_ref().is_none_or(right) {
                    return Err(
                        "network.widths are one to six multiples of 8, up to 1024".to_owned()
                    );
                }
                if *blocks == Some(0) {
                    return Err("network.blocks is 0".into());
                }
            }
            NetworkConfig::Published {
                dim,
                multipliers,
                heads,
                temporal_head_dim,
            } => {
                if *dim == 0 || !dim.is_multiple_of(8) {
                    return Err(format!("network.dim is {dim}, no multiple of 8"));
                }
                if multipliers.is_empty() || multipliers.contains(&0) || multipliers.len() > 16 {
                    return Err("network.multipliers are one to sixteen numbers above 0".into());
                }
                if *heads == 0 || *temporal_head_dim == 0 || !temporal_head_dim.is_multiple_of(2) {
                    return Err(
                        "network.heads is above 0, network.temporal_head_dim even and above 0"
                            .into(),
                    );
                }
            }
        }
        Ok(())
    }
}

impl Crop {
    pub fn serves(&self, step: usize) -> bool {
        self.weight > 0.0 && (self.from..self.until).contains(&step)
    }
}

impl NetworkConfig {
    /// The sizes of the published network, if it is one.
    pub fn published(&self) -> Option<UNetConfig> {
        match self {
            Self::Compact { .. } => None,
            Self::Published {
                dim,
                multipliers,
                heads,
                temporal_head_dim,
            } => Some(UNetConfig {
                dim: *dim,
                multipliers: multipliers.clone(),
                heads: *heads,
                temporal_head_dim: *temporal_head_dim,
            }),
        }
    }

    /// The sizes of a compact network, if it is one, that begins with such of `start`.
    pub fn compact(&self, start: Option<&CompactConfig>) -> Option<CompactConfig> {
        match self {
            Self::Compact { widths, blocks } => {
                let usual = CompactConfig {
                    widths: vec![32, 64, 96],
                    blocks: 2,
                };
                let start = start.unwrap_or(&usual);
                Some(CompactConfig {
                    widths: widths.as_ref().unwrap_or(&start.widths).clone(),
                    blocks: blocks.unwrap_or(start.blocks),
                })
            }
            Self::Published { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::load(file.path())
    }

    #[test]
    fn what_is_left_out_has_a_default() {
        let config = load("[network]\nkind = \"compact\"\n[training]\nsteps = 7\n").unwrap();
        assert_eq!(config.training.steps, 7);
        assert_eq!(config.training.batch, Training::default().batch);
        let usual = config.network.compact(None).unwrap();
        assert_eq!((&usual.widths[..], usual.blocks), (&[32, 64, 96][..], 2));
        let start = CompactConfig {
            widths: vec![8, 16],
            blocks: 1,
        };
        assert_eq!(config.network.compact(Some(&start)).unwrap(), start);
        let said = load("[network]\nkind = \"compact\"\nblocks = 3\n[training]\n").unwrap();
        let wanted = CompactConfig {
            blocks: 3,
            ..start.clone()
        };
        assert_eq!(said.network.compact(Some(&start)).unwrap(), wanted);
    }

    #[test]
    fn mistakes_are_named() {
        let says = |text: &str, part: &str| {
            let message = load(text).unwrap_err().to_string();
            assert!(message.contains(part), "{message}");
        };
        let compact = "[network]\nkind = \"compact\"\n[training]\n";
        says("", "network");
        says(&format!("{compact}stepz = 3"), "stepz");
        says(&format!("{compact}batch = 0"), "training.batch is 0");
        says(&format!("{compact}rate = -1.0"), "training.rate");
        says(
            "[network]\nkind = \"compact\"\nwidths = [30]\n[training]\n",
            "multiples of 8",
        );
        says(
            &format!("{compact}crops = [{{ shape = [10, 48, 48], from = 5 }}]"),
            "at step 0",
        );
        assert!(Config::load(Path::new("no such training.toml")).is_err());
    }
}
