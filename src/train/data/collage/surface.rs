//! A part of a picture, laid over a background or a body.

use std::f32::consts::TAU;

use super::stock::Stock;
use crate::noise::Noise;
use crate::train::data::draw::{chance, index, octaves, uniform, weighted};
use crate::train::data::picture::Picture;

#[derive(Clone)]
pub struct Surface<'a> {
    picture: &'a Picture,
    level: usize,
    /// From lengths of the scene to pixels of the level.
    columns: [f32; 2],
    rows: [f32; 2],
    origin: [f32; 2],
    /// Of its contrast, about its own middle tone.
    gain: f32,
    offset: f32,
}

impl<'a> Surface<'a> {
    /// What lies behind everything, upright. `resolution` is the number of pixels that the
    /// frame's height is rendered with.
    pub fn background(noise: &mut Noise, stock: &'a Stock, resolution: usize) -> Self {
        let page = chance(noise, 0.04) && !stock.pages.is_empty();
        let picture = if page {
            &stock.pages[index(noise, stock.pages.len())]
        } else {
            pick(noise, stock)
        };
        let share = octaves(noise, sharpest(picture, resolution), 1.0);
        Self::part(noise, picture, share, 0.0, resolution)
    }

    /// Of a body, turned any way.
    pub fn of_body(noise: &mut Noise, stock: &'a Stock, resolution: usize) -> Self {
        let page = chance(noise, 0.06) && !stock.pages.is_empty();
        let (picture, turn) = if page {
            (&stock.pages[index(noise, stock.pages.len())], 0.0)
        } else {
            (pick(noise, stock), uniform(noise, 0.0, TAU))
        };
        let share = octaves(noise, 0.3, 1.6);
        let mut surface = Self::part(noise, picture, share, turn, resolution);
        if !page {
            surface.retone(noise);
        }
        surface
    }

    /// A part of this picture: the frame's height spans `share` of its shorter side.
    pub fn part(
        noise: &mut Noise,
        picture: &'a Picture,
        share: f32,
        turn: f32,
        resolution: usize,
    ) -> Self {
        let size = picture.size();
        let shorter = size.height.min(size.width) as f32;
        let pixels = share * shorter;
        let (level, pixel) = picture.level_for(pixels / resolution as f32);
        let scale = pixels / pixel;
        let (sin, cos) = turn.sin_cos();
        // The middle of the frame: inside by half a frame where the picture is that large.
        let mut place = |length: usize| {
            let margin = (0.5 * pixels).min(0.5 * length as f32);
            uniform(noise, margin, length as f32 - margin) / pixel
        };
        let origin = [place(size.width), place(size.height)];
        Self {
            picture,
            level,
            columns: [scale * cos, -scale * sin],
            rows: [scale * sin, scale * cos],
            origin,
            gain: 1.0,
            offset: 0.0,
        }
    }

    /// Another tone and contrast, so that bodies stand out from what they are cut from.
    pub fn retone(&mut self, noise: &mut Noise) {
        self.gain = octaves(noise, 0.3, 1.1);
        let middle = self.picture.at(self.level, self.origin[0], self.origin[1]);
        let tone = uniform(noise, 0.03, 0.97);
        self.offset = tone - self.gain * (0.5 * middle + 0.25);
    }

    /// The same material a little lighter or darker, from another place of its picture.
    pub fn shifted(&self, noise: &mut Noise) -> Self {
        let mut shifted = self.clone();
        for place in &mut shifted.origin {
            *place += uniform(noise, -40.0, 40.0);
        }
        shifted.offset += uniform(noise, -0.06, 0.06);
        shifted
    }

    /// The value at a place `[x, y]` (in frame heights), about 0 to 1.
    pub fn at(&self, [x, y]: [f32; 2]) -> f32 {
        let column = self.origin[0] + self.columns[0] * x + self.columns[1] * y;
        let row = self.origin[1] + self.rows[0] * x + self.rows[1] * y;
        self.gain * self.picture.at(self.level, column, row) + self.offset
    }
}

/// The smallest part of a picture, as a share of its shorter side, that still has a pixel of its
/// own for every second one rendered.
pub fn sharpest(picture: &Picture, resolution: usize) -> f32 {
    let size = picture.size();
    let shorter = size.height.min(size.width) as f32;
    (0.5 * resolution as f32 / shorter).clamp(0.3, 1.0)
}

/// A photograph in 60 of 100 cases, leaves in the others. Sources with many pictures are not
/// drawn from as often as all of those are many.
fn pick<'a>(noise: &mut Noise, stock: &'a Stock) -> &'a Picture {
    let photograph = chance(noise, 0.6) && !stock.photographs.is_empty();
    let from = if photograph || stock.leaves.is_empty() {
        let groups = stock.photographs.iter();
        let weights = groups.map(|group| (group.len() as f64).sqrt());
        &stock.photographs[weighted(noise, weights)]
    } else {
        &stock.leaves
    };
    &from[index(noise, from.len())]
}
