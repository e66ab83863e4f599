//! Line art of full contrast: writing, rules and circles, still or scrolling.

use super::point::Point;
use crate::noise::Noise;

pub struct Text {
    paper: f64,
    ink: f64,
    lines: Vec<Line>,
    circles: Vec<(Point, f64)>,
    /// Frame heights a frame.
    scroll: Point,
    /// After which the page repeats.
    page: Point,
}

/// A stroke between two points.
struct Line {
    from: Point,
    to: Point,
    thickness: f64,
}

/// Where the strokes of a letter may meet: three columns, five rows.
const STROKES: [((f64, f64), (f64, f64)); 12] = [
    ((0.0, 0.0), (0.0, 1.0)),
    ((1.0, 0.0), (1.0, 1.0)),
    ((0.0, 0.0), (1.0, 0.0)),
    ((0.0, 0.5), (1.0, 0.5)),
    ((0.0, 1.0), (1.0, 1.0)),
    ((0.0, 0.0), (1.0, 1.0)),
    ((1.0, 0.0), (0.0, 1.0)),
    ((0.5, 0.0), (0.5, 1.0)),
    ((0.0, 0.0), (0.5, 0.5)),
    ((0.5, 0.5), (1.0, 0.0)),
    ((0.0, 0.0), (0.0, 0.5)),
    ((1.0, 0.5), (1.0, 1.0)),
];

impl Text {
    pub fn drawn(noise: &mut Noise, width: f64) -> Self {
        let light_paper = noise.uniform(0.0, 1.0) < 0.6;
        let (dark, light) = (noise.uniform(0.0, 0.15), noise.uniform(0.85, 1.0));
        let page = Point {
            x: width.max(0.2),
            y: 1.0,
        };
        let mut lines = Vec::new();
        let mut top = 0.05;
        while top < 0.9 {
            let height = noise.uniform(0.07, 0.22).min(0.97 - top);
            Self::write(noise, &mut lines, page.x, top, height);
            top += height + noise.uniform(0.05, 0.09);
        }
        let circles = noise.uniform(0.0, 3.0) as usize;
        let circles = (0..circles).map(|_| {
            let centre = Point {
                x: noise.uniform(0.2, 0.8) * page.x,
                y: noise.uniform(0.2, 0.8),
            };
            (centre, noise.uniform(0.06, 0.2))
        });
        let circles = circles.collect();
        let moves = noise.uniform(0.0, 1.0);
        let speed = noise.uniform(0.005, 0.03);
        Self {
            paper: if light_paper { light } else { dark },
            ink: if light_paper { dark } else { light },
            lines,
            circles,
            scroll: Point {
                x: if (0.4..0.7).contains(&moves) {
                    speed
                } else {
                    0.0
                },
                y: if moves >= 0.7 { speed } else { 0.0 },
            },
            page,
        }
    }

    /// A line of letters, or a rule.
    fn write(noise: &mut Noise, lines: &mut Vec<Line>, width: f64, top: f64, height: f64) {
        let thickness = noise.uniform(0.006, 0.012) + 0.03 * height;
        let rule = noise.uniform(0.0, 1.0) < 0.12;
        if rule {
            let y = top + 0.5 * height;
            lines.push(Line {
                from: Point { x: 0.04, y },
                to: Point { x: width - 0.04, y },
                thickness,
            });
            return;
        }
        let letter = 0.55 * height;
        let mut left = 0.05;
        while left + letter < width - 0.04 {
            if noise.uniform(0.0, 1.0) > 0.15 {
                for stroke in noise.choose(3, STROKES.len()) {
                    let (from, to) = STROKES[stroke];
                    let place = |(x, y): (f64, f64)| Point {
                        x: left + letter * x,
                        y: top + height * y,
                    };
                    lines.push(Line {
                        from: place(from),
                        to: place(to),
                        thickness,
                    });
                }
            }
            left += letter + 2.0 * thickness + 0.02;
        }
    }

    /// What is seen `time` frames after the start.
    pub fn at(&self, time: f64) -> impl Fn(Point) -> f64 + Sync + use<'_> {
        move |p| {
            let place = Point {
                x: (p.x + self.scroll.x * time).rem_euclid(self.page.x),
                y: (p.y + self.scroll.y * time).rem_euclid(self.page.y),
            };
            let mut lines = self.lines.iter();
            let mut circles = self.circles.iter();
            let inked = lines.any(|l| place.distance_to(l.from, l.to) < 0.5 * l.thickness)
                || circles.any(|(c, r)| (place.minus(*c).norm() - r).abs() < 0.008);
            if inked { self.ink } else { self.paper }
        }
    }
}
