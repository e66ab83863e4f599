//! Features: a strip for each channel.

use super::strip::Strip;

/// Channels of one clip at one resolution, zero beside the pixels.
#[derive(Clone, Debug)]
pub struct Maps {
    pub strip: Strip,
    pub channels: usize,
    data: Vec<f32>,
}

impl Maps {
    pub fn zeros(strip: Strip, channels: usize) -> Self {
        Self {
            strip,
            channels,
            data: vec![0.0; channels * strip.len()],
        }
    }

    pub fn channel(&self, index: usize) -> &[f32] {
        &self.data[index * self.strip.len()..][..self.strip.len()]
    }

    pub fn channel_mut(&mut self, index: usize) -> &mut [f32] {
        &mut self.data[index * self.strip.len()..][..self.strip.len()]
    }

    pub fn each(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.data.chunks_exact(self.strip.len())
    }

    pub fn each_mut(&mut self) -> impl ExactSizeIterator<Item = &mut [f32]> {
        self.data.chunks_exact_mut(self.strip.len())
    }

    /// Each 2 x 2 pixels as four channels of half the size.
    pub fn unshuffled(&self) -> Self {
        let half = self.strip.halved();
        let mut out = Self::zeros(half, 4 * self.channels);
        for channel in 0..self.channels {
            let source = self.channel(channel);
            for corner in 0..4 {
                let target = out.channel_mut(4 * channel + corner);
                for frame in 0..half.frames {
                    for row in 0..half.height {
                        let source = &source[self.strip.pixels(frame, 2 * row + corner / 2)];
                        let target = &mut target[half.pixels(frame, row)];
                        for (to, from) in target.iter_mut().zip(source.chunks_exact(2)) {
                            *to = from[corner % 2];
                        }
                    }
                }
            }
        }
        out
    }

    /// Adds the inverse of [`unshuffled`](Self::unshuffled) of `corners`.
    pub fn add_shuffled(&mut self, corners: &Self) {
        let (whole, half) = (self.strip, corners.strip);
        for channel in 0..self.channels {
            let target = self.channel_mut(channel);
            for corner in 0..4 {
                let source = corners.channel(4 * channel + corner);
                for frame in 0..half.frames {
                    for row in 0..half.height {
                        let source = &source[half.pixels(frame, row)];
                        let target = &mut target[whole.pixels(frame, 2 * row + corner / 2)];
                        for (to, from) in target.chunks_exact_mut(2).zip(source) {
                            to[corner % 2] += from;
                        }
                    }
                }
            }
        }
    }

    /// Zeroes what is no pixel.
    pub fn clear(&mut self) {
        let strip = self.strip;
        self.each_mut().for_each(|channel| strip.clear(channel));
    }
}
