//! A value that a user knows, or a range that it lies in.

use serde::{Deserialize, Serialize};

use crate::physics::{Parameter, PerFrame};

/// A value that is given, or looked for within a range.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sought {
    /// The value; of an unknown one what the live view shows.
    pub value: f64,
    pub min: f64,
    pub max: f64,
    pub unknown: bool,
    /// The values of each frame, where they differ; empty where they do not.
    pub frames: Vec<f64>,
}

impl Sought {
    /// As a flag of `reconstruct`.
    pub(super) fn flag(&self) -> String {
        match (self.unknown, &self.frames[..]) {
            (true, _) => format!("{}..{}", self.min, self.max),
            (false, []) => self.value.to_string(),
            (false, frames) => listed(frames),
        }
    }

    /// What the live view shows: one value for the clip, or one a frame.
    pub(super) fn values(&self) -> PerFrame {
        match &self.frames[..] {
            [] => PerFrame::Clip(self.value),
            frames => PerFrame::Frames(frames.to_vec()),
        }
    }

    /// The value that serves a frame.
    pub fn of(&self, frame: usize) -> f64 {
        self.frames.get(frame).copied().unwrap_or(self.value)
    }

    /// The same, to change it.
    pub fn of_mut(&mut self, frame: usize) -> &mut f64 {
        self.frames.get_mut(frame).unwrap_or(&mut self.value)
    }

    /// What was known becomes a range around it: the one from before where that holds it.
    pub fn open(&mut self, frame: usize) {
        let value = self.of(frame);
        self.unknown = true;
        if !(self.min < self.max && (self.min..=self.max).contains(&value)) {
            (self.min, self.max) = (0.5 * value, (2.0 * value).max(0.5));
        }
    }

    /// A range of no length is a known value.
    pub fn close(&mut self) {
        (self.unknown, self.value) = (false, self.min);
        self.frames.clear();
    }

    /// What a table of parameters says of this one: a value for the clip, or one a frame.
    pub(super) fn take(&mut self, name: &str, found: &[Parameter]) -> bool {
        let of = |parameter: &&Parameter| parameter.name == name;
        let values: Vec<f64> = found.iter().filter(of).map(|p| p.value).collect();
        match found.iter().find(of).map(|p| p.frame) {
            None => return false,
            Some(None) => (self.value, self.frames) = (values[0], Vec::new()),
            Some(Some(_)) => self.frames = values,
        }
        true
    }
}

/// As flags list them.
pub(super) fn listed(values: &[f64]) -> String {
    let values: Vec<String> = values.iter().map(f64::to_string).collect();
    values.join(",")
}

#[cfg(test)]
mod tests {
    use crate::app::Setup;

    #[test]
    fn a_range_opens_around_its_value_and_closes_to_it() {
        let mut dist = Setup::default().dist_mm;
        dist.open(0);
        assert_eq!((dist.min, dist.max), (2.5, 10.0));
        dist.value = 20.0;
        dist.open(0);
        assert_eq!((dist.min, dist.max), (10.0, 40.0));
        dist.max = dist.min;
        dist.close();
        assert_eq!((dist.unknown, dist.value), (false, 10.0));
    }
}
