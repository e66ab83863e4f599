//! Checkpoints as the published program saves them: `torch.save` of
//! `{step, model, ema, scaler}`, a zip file with a pickle and a file for each array.

mod pickle;
mod zip;

use std::io::{self, Write};

use self::pickle::Pickle;
use self::zip::Zip;
use crate::prior::unet::Slot;
use crate::prior::weights::Array;
use crate::prior::{Schedule, UNet, UNetConfig};

/// What the published program goes on training from, and samples with.
pub struct Checkpoint<'a> {
    pub config: &'a UNetConfig,
    pub step: u64,
    /// In the order of [`UNet::slots`].
    pub parameters: &'a [f32],
    /// Their running average, which sampling uses.
    pub averaged: &'a [f32],
}

/// An array of a state, by its published name.
struct Entry<'a> {
    name: String,
    shape: &'a [usize],
    data: &'a [f32],
}

impl Checkpoint<'_> {
    /// Writes in small pieces: `out` should be buffered.
    ///
    /// # Errors
    /// Those of `out`, and networks whose file would exceed 4 GiB.
    ///
    /// # Panics
    /// When the rows have other lengths than the network's arrays together.
    pub fn write(&self, out: impl Write) -> io::Result<()> {
        let slots = UNet::slots(self.config);
        let constants = UNet::constants(self.config);
        let state = |row| state(&slots, &constants, row);
        let (model, ema) = (state(self.parameters), state(self.averaged));

        let mut pickle = Pickle::new();
        pickle.dict(|items| {
            items.text("step");
            items.int(self.step as i64);
            for (name, entries) in [("model", &model), ("ema", &ema)] {
                items.text(name);
                items.ordered_dict(|items| {
                    for entry in entries {
                        items.text(&entry.name);
                        items.tensor(entry.shape);
                    }
                });
            }
            // Of automatic mixed precision, as it starts.
            items.text("scaler");
            items.dict(|items| {
                for (name, value) in [
                    ("scale", 65536.0),
                    ("growth_factor", 2.0),
                    ("backoff_factor", 0.5),
                ] {
                    items.text(name);
                    items.float(value);
                }
                for (name, value) in [("growth_interval", 2000), ("_growth_tracker", 0)] {
                    items.text(name);
                    items.int(value);
                }
            });
        });

        let mut zip = Zip::new(out);
        zip.add("archive/data.pkl", &pickle.finish())?;
        zip.add("archive/byteorder", b"little")?;
        for (key, entry) in model.iter().chain(&ema).enumerate() {
            let bytes: Vec<u8> = entry.data.iter().flat_map(|v| v.to_le_bytes()).collect();
            zip.add(&format!("archive/data/{key}"), &bytes)?;
        }
        zip.add("archive/version", b"3\n")?;
        zip.finish()
    }
}

fn state<'a>(
    slots: &'a [Slot],
    constants: &'a [(String, Array)],
    row: &'a [f32],
) -> Vec<Entry<'a>> {
    let mut rest = row;
    let parameters = slots.iter().map(|slot| {
        let (data, after) = rest.split_at(slot.count());
        rest = after;
        Entry {
            name: format!("denoise_fn.{}", slot.name),
            shape: &slot.shape,
            data,
        }
    });
    let parameters: Vec<Entry> = parameters.collect();
    assert!(rest.is_empty(), "a row is longer than the network");
    let constants = constants.iter().map(|(name, array)| Entry {
        name: match Schedule::BUFFERS.contains(&&name[..]) {
            true => name.clone(),
            false => format!("denoise_fn.{name}"),
        },
        shape: &array.shape,
        data: &array.data,
    });
    constants.chain(parameters).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::noise::Noise;
    use crate::prior::Weights;

    const PUBLISHED: &[u8] = include_bytes!("../../../tests/golden/unet_dim8_heads16.pt");

    fn load(bytes: &[u8]) -> Weights {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Weights::load(file.path()).unwrap()
    }

    fn written(config: &UNetConfig, parameters: &[f32], averaged: &[f32]) -> Vec<u8> {
        let checkpoint = Checkpoint {
            config,
            step: 12_345,
            parameters,
            averaged,
        };
        let mut bytes = Vec::new();
        checkpoint.write(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn a_checkpoint_survives_its_file() {
        let config = UNetConfig {
            dim: 8,
            multipliers: vec![1, 3],
            heads: 2,
            temporal_head_dim: 8,
        };
        let parameters = UNet::random_row(&config, 1);
        let mut noise = Noise::seeded(2);
        let averaged: Vec<f32> = parameters.iter().map(|_| noise.normal() as f32).collect();
        let weights = load(&written(&config, &parameters, &averaged));
        let (read, row) = UNet::row(&weights).unwrap();
        assert_eq!(read, config);
        assert_eq!(row, averaged);
    }

    /// Rewritten, the published program's own checkpoint holds the same arrays.
    #[test]
    fn arrays_are_those_of_the_published_program() {
        let published = load(PUBLISHED);
        let (config, row) = UNet::row(&published).unwrap();
        let rewritten = load(&written(&config, &row, &row));
        let names = |weights: &Weights| -> BTreeSet<String> {
            weights.names().map(str::to_owned).collect()
        };
        assert_eq!(names(&rewritten), names(&published));
        for name in published.names() {
            let (ours, theirs) = (rewritten.get(name).unwrap(), published.get(name).unwrap());
            assert_eq!(ours.shape, theirs.shape, "{name}");
            for (a, b) in ours.data.iter().zip(&theirs.data) {
                assert!((a - b).abs() <= 2e-7 * b.abs(), "{name}: {a} {b}");
            }
        }
    }

    #[test]
    fn a_damaged_file_is_noticed() {
        let config = UNetConfig {
            dim: 8,
            multipliers: vec![1],
            heads: 1,
            temporal_head_dim: 8,
        };
        let row = UNet::random_row(&config, 1);
        let mut bytes = written(&config, &row, &row);
        // A letter of a name in the pickle, whose checksum no longer holds.
        let at = bytes.windows(5).position(|w| w == b"betas").unwrap();
        bytes[at] ^= 1;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        assert!(Weights::load(file.path()).is_err());
    }
}
