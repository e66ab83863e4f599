//! Places in a scene.

/// A place: x to the right, y downward, the frame's height being 1.
#[derive(Clone, Copy)]
pub struct Point {
    pub x: f64,
    pub y: f64,
}

impl Point {
    pub fn minus(self, other: Self) -> Self {
        Self {
            x: self.x - other.x,
            y: self.y - other.y,
        }
    }

    /// From here along a direction, its angle measured from straight down.
    pub fn along(self, angle: f64, length: f64) -> Self {
        Self {
            x: self.x + length * angle.sin(),
            y: self.y + length * angle.cos(),
        }
    }

    pub fn dot(self, other: Self) -> f64 {
        self.x * other.x + self.y * other.y
    }

    pub fn norm(self) -> f64 {
        self.dot(self).sqrt()
    }

    /// Distance to the line from `a` to `b`.
    pub fn distance_to(self, a: Self, b: Self) -> f64 {
        let (along, from) = (b.minus(a), self.minus(a));
        let share = (from.dot(along) / along.dot(along)).clamp(0.0, 1.0);
        let foot = Self {
            x: share * along.x,
            y: share * along.y,
        };
        from.minus(foot).norm()
    }
}
