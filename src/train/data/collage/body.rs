//! Things that move in front of the background.

use std::f32::consts::TAU;

use super::figure::{Figure, Limb};
use super::outline::Outline;
use super::surface::Surface;
use crate::noise::Noise;
use crate::train::data::camera::{Camera, View};
use crate::train::data::draw::{chance, octaves, signed, uniform};

/// An opaque thing with a path through the scene.
pub struct Body<'a> {
    form: Form<'a>,
    /// Half its length, or the length of a figure's trunk, in frame heights.
    size: f32,
    path: Path,
    parallax: f32,
    /// Width of its edge, in frame heights.
    edge: f32,
    shading: Shading,
}

enum Form<'a> {
    Solid(Outline, Surface<'a>),
    Figure(Figure<'a>),
}

/// Where it is in the scene, in frame heights, radians and frames.
struct Path {
    place: [f32; 2],
    velocity: [f32; 2],
    acceleration: [f32; 2],
    /// Amplitude, radians a frame and phase of a motion up and down.
    bounce: [f32; 3],
    angle: f32,
    turn: f32,
    /// Change of the logarithm of its size a frame.
    growth: f32,
}

/// Light from one side.
struct Shading {
    direction: [f32; 2],
    depth: f32,
}

impl<'a> Body<'a> {
    pub fn drawn(
        noise: &mut Noise,
        width: f32,
        material: &mut impl FnMut(&mut Noise) -> Surface<'a>,
    ) -> Self {
        let figure = chance(noise, 0.5);
        let form = if figure {
            Form::Figure(Figure::drawn(noise, material))
        } else {
            Form::Solid(Outline::drawn(noise), material(noise))
        };
        let size = if figure {
            octaves(noise, 0.08, 0.4)
        } else {
            octaves(noise, 0.05, 0.5)
        };
        let direction = uniform(noise, 0.0, TAU);
        Self {
            path: Path::drawn(noise, width, figure),
            form,
            size,
            parallax: uniform(noise, 1.0, 1.6),
            edge: octaves(noise, 0.006, 0.03),
            shading: Shading {
                direction: [direction.cos(), direction.sin()],
                depth: uniform(noise, 0.0, 0.35),
            },
        }
    }

    /// Paints itself over a picture of `height` x `width` pixels, as it is `time` frames from the
    /// middle of the clip.
    pub fn paint(
        &self,
        picture: &mut [f32],
        height: usize,
        width: usize,
        camera: &Camera,
        time: f32,
    ) {
        let view = camera.view(time, self.parallax);
        let posed = self.path.at(time, self.size);
        let reach = match self.form {
            Form::Solid(..) => 1.0,
            Form::Figure(_) => Figure::REACH,
        };
        let limbs = match &self.form {
            Form::Solid(..) => Vec::new(),
            Form::Figure(figure) => figure.limbs(time),
        };
        let scale = 1.0 / height as f32;
        let [x, y] = view.screen_from_scene(posed.place);
        let radius = (reach * posed.size + self.edge) / view.scale();
        let middle = [0.5 * width as f32 * scale, 0.5];
        let pixels = |from: f32, count: usize| {
            let low = ((from - radius) / scale).floor().max(0.0) as usize;
            let high = ((from + radius) / scale).ceil().max(0.0) as usize;
            low.min(count)..high.min(count)
        };
        let columns = pixels(x + middle[0], width);
        for row in pixels(y + middle[1], height) {
            let line = &mut picture[row * width..][..width];
            for column in columns.clone() {
                let screen = [
                    (column as f32 + 0.5) * scale - middle[0],
                    (row as f32 + 0.5) * scale - middle[1],
                ];
                self.over(&mut line[column], &view, &posed, &limbs, screen);
            }
        }
    }

    fn over(&self, value: &mut f32, view: &View, posed: &Posed, limbs: &[Limb], screen: [f32; 2]) {
        let own = posed.own(view.scene_from_screen(screen));
        let edge = self.edge / posed.size;
        let cover = |distance: f32| (0.5 - distance / edge).clamp(0.0, 1.0);
        let lit = |tone: f32, [x, y]: [f32; 2]| {
            let toward = self.shading.direction[0] * x + self.shading.direction[1] * y;
            (tone * (1.0 + self.shading.depth * toward)).clamp(0.0, 1.0)
        };
        match &self.form {
            Form::Solid(outline, surface) => {
                let cover = cover(outline.distance(own));
                if cover > 0.0 {
                    let tone = surface.at([own[0] * posed.size, own[1] * posed.size]);
                    *value += cover * (lit(tone, own) - *value);
                }
            }
            Form::Figure(_) => {
                for limb in limbs {
                    let (distance, place) = limb.distance(own);
                    let cover = cover(distance);
                    if cover > 0.0 {
                        let tone = limb.tone(place, self.size);
                        let side = [place[1], 0.0];
                        *value += cover * (lit(tone, side) - *value);
                    }
                }
            }
        }
    }
}

/// Where a body is at one moment.
struct Posed {
    place: [f32; 2],
    cos: f32,
    sin: f32,
    size: f32,
}

impl Posed {
    /// A place of the scene in the body's own directions and lengths.
    fn own(&self, [x, y]: [f32; 2]) -> [f32; 2] {
        let (x, y) = (x - self.place[0], y - self.place[1]);
        [
            (self.cos * x + self.sin * y) / self.size,
            (self.cos * y - self.sin * x) / self.size,
        ]
    }
}

impl Path {
    fn drawn(noise: &mut Noise, width: f32, upright: bool) -> Self {
        let place = [
            uniform(noise, -0.6, 0.6) * width,
            uniform(noise, -0.55, 0.55),
        ];
        let rests = chance(noise, 0.3);
        let speed = if rests {
            0.0
        } else {
            octaves(noise, 0.002, 0.07)
        };
        let level = chance(noise, 0.5);
        let heading = if level {
            uniform(noise, -0.25, 0.25)
        } else {
            uniform(noise, 0.0, TAU)
        };
        let speed = signed(noise, speed);
        let falls = !rests && chance(noise, 0.25);
        let bounces = !rests && chance(noise, 0.35);
        let turns = !rests && !upright && chance(noise, 0.6);
        let grows = !rests && chance(noise, 0.3);
        let fall = uniform(noise, 0.001, 0.008);
        let bounce = octaves(noise, 0.005, 0.05);
        let turn = octaves(noise, 0.005, 0.3);
        let growth = octaves(noise, 0.003, 0.03);
        Self {
            place,
            velocity: [speed * heading.cos(), speed * heading.sin()],
            acceleration: [0.0, if falls { fall } else { 0.0 }],
            bounce: [
                if bounces { bounce } else { 0.0 },
                uniform(noise, 0.2, 1.2),
                uniform(noise, 0.0, TAU),
            ],
            angle: if upright {
                uniform(noise, -0.15, 0.15)
            } else {
                uniform(noise, 0.0, TAU)
            },
            turn: if turns { signed(noise, turn) } else { 0.0 },
            growth: if grows { signed(noise, growth) } else { 0.0 },
        }
    }

    fn at(&self, time: f32, size: f32) -> Posed {
        let [height, rate, phase] = self.bounce;
        let along = |i: usize| {
            self.place[i] + self.velocity[i] * time + 0.5 * self.acceleration[i] * time * time
        };
        let (sin, cos) = (self.angle + self.turn * time).sin_cos();
        Posed {
            place: [along(0), along(1) + height * (rate * time + phase).sin()],
            cos,
            sin,
            size: size * (self.growth * time).exp(),
        }
    }
}
