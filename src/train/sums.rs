//! Slopes of a batch, added up on the device that found them: they cross over once.

use burn::tensor::Tensor;

/// The sums of the slopes of each array.
#[derive(Default)]
pub struct Sums(Vec<Tensor<1>>);

impl Sums {
    /// Adds a clip's slopes.
    pub fn add(&mut self, slopes: Vec<Tensor<1>>) {
        let sums = std::mem::take(&mut self.0);
        self.0 = if sums.is_empty() {
            slopes
        } else {
            sums.into_iter().zip(slopes).map(|(a, b)| a + b).collect()
        };
    }

    /// Adds `share` of the sums to `gradient`, which holds array after array.
    ///
    /// # Errors
    /// A device that failed.
    pub fn add_to(self, gradient: &mut [f32], share: f32) -> Result<(), String> {
        let mut rest = gradient;
        for sum in self.0 {
            let slopes = sum.try_into_vec_as::<f32>().map_err(|e| e.to_string())?;
            let (these, after) = rest.split_at_mut(slopes.len());
            let pairs = these.iter_mut().zip(slopes);
            pairs.for_each(|(to, slope)| *to += share * slope);
            rest = after;
        }
        Ok(())
    }
}
