//! The network in a file: safetensors, half precision, its sizes told by its shapes.

use std::collections::HashMap;

use half::f16;
use safetensors::tensor::{Dtype, TensorView};

use super::super::weights::{Weights, WeightsError};
use super::config::Config;
use super::layout::Layout;
use super::network::Network;

/// The array only this kind of network has.
const MARK: &str = "enter.weight";

impl Network {
    /// Whether a file's arrays are those of a compact network.
    pub fn is_in(weights: &Weights) -> bool {
        weights.get(MARK).is_some() && weights.get("leave.weight").is_some()
    }

    /// The network in the bytes of a file.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, WeightsError> {
        Self::from_weights(&Weights::from_safetensors(bytes)?)
    }

    /// # Errors
    /// Arrays that are missing or do not fit each other.
    pub fn from_weights(weights: &Weights) -> Result<Self, WeightsError> {
        let layout = Layout::new(&Config::infer(weights)?);
        let arrays = layout.slots.iter();
        let parameters = weights.row(arrays.map(|slot| (&slot.name[..], &slot.shape[..])))?;
        Ok(Self::new(layout, parameters))
    }

    /// The bytes of a file, with `notes` in its header.
    pub fn to_safetensors(&self, notes: HashMap<String, String>) -> Vec<u8> {
        let halves: Vec<(&str, &[usize], Vec<u8>)> = self
            .layout
            .slots
            .iter()
            .map(|slot| {
                let values = self.parameters[slot.range()].iter();
                let bytes = values.flat_map(|&v| f16::from_f32(v).to_le_bytes());
                (&slot.name[..], &slot.shape[..], bytes.collect())
            })
            .collect();
        let views = halves.iter().map(|(name, shape, bytes)| {
            let view = TensorView::new(Dtype::F16, shape.to_vec(), bytes);
            (*name, view.expect("bytes and shape agree"))
        });
        let views: Vec<(&str, TensorView)> = views.collect();
        safetensors::serialize(views, Some(notes)).expect("names and views are sound")
    }
}

impl Config {
    /// The sizes of the network whose arrays these are.
    ///
    /// # Errors
    /// Arrays no compact network has.
    pub fn infer(weights: &Weights) -> Result<Self, WeightsError> {
        let unfit = |reason: &str| WeightsError::Config(reason.to_owned());
        let shape = |name: &str| weights.get(name).map(|array| &array.shape[..]);
        let first = match shape(MARK) {
            Some(&[width, inputs, 3, 3]) if inputs == Self::INPUTS => width,
            _ => return Err(unfit("they lack the compact network's first convolution")),
        };
        let mut widths = vec![first];
        while let Some(&[width, inputs, 1, 1]) =
            shape(&format!("reduce.{}.weight", widths.len() - 1))
        {
            if inputs != 4 * widths[widths.len() - 1] {
                return Err(unfit("two of their levels do not fit each other"));
            }
            widths.push(width);
        }
        if widths.iter().any(|&w| w == 0 || w % 8 != 0 || w > 1024) || widths.len() > 6 {
            return Err(unfit("their widths are no multiples of 8 up to 1024"));
        }
        let blocks = (0..).take_while(|b| shape(&format!("middle.{b}.first.weight")).is_some());
        Ok(Self {
            widths,
            blocks: blocks.count(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_survives_its_file_up_to_half_precision() {
        let config = Config {
            widths: vec![8, 16, 24],
            blocks: 2,
        };
        let network = Network::random(&config, 3);
        let bytes = network.to_safetensors(HashMap::new());
        let weights = Weights::from_safetensors(&bytes).unwrap();
        assert!(Network::is_in(&weights));
        assert_eq!(Config::infer(&weights).unwrap(), config);
        let read = Network::from_weights(&weights).unwrap();
        let pairs = network.parameters.iter().zip(&read.parameters);
        assert!(pairs.clone().count() == network.parameters.len());
        for (a, b) in pairs {
            assert!((a - b).abs() <= 1e-3 * a.abs() + 1e-6);
        }
    }

    #[test]
    fn files_that_do_not_fit_are_errors() {
        let config = Config {
            widths: vec![8, 16],
            blocks: 1,
        };
        let bytes = Network::random(&config, 3).to_safetensors(HashMap::new());
        let whole = Weights::from_safetensors(&bytes).unwrap();
        let array = |name: &str| whole.get(name).unwrap().clone();
        let mut lacking = Weights::default();
        for name in whole.names().filter(|name| *name != "up.0.0.first.bias") {
            lacking.insert(name, array(name));
        }
        let message = Network::from_weights(&lacking).err().unwrap().to_string();
        assert!(message.contains("up.0.0.first.bias"), "{message}");
        assert!(Network::from_weights(&Weights::default()).is_err());
        assert!(!Network::is_in(&Weights::default()));
    }
}
