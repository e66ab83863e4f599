//! Lines of equal residual, by marching over the grid's triangles.

use super::Landscape;

/// Each of a cell's two triangles that the level passes through gives a piece.
pub fn pieces(map: &Landscape, level: f64) -> Vec<[[f64; 2]; 2]> {
    let corner = |x: usize, y: usize| ([map.x[x], map.y[y]], map.at(x, y));
    let mut pieces = Vec::new();
    for x in 1..map.x.len() {
        for y in 1..map.y.len() {
            let [a, b] = [corner(x - 1, y - 1), corner(x, y)];
            for third in [corner(x, y - 1), corner(x - 1, y)] {
                pieces.extend(through([a, b, third], level));
            }
        }
    }
    pieces
}

/// Where the level crosses a triangle of places and values.
fn through(corners: [([f64; 2], f64); 3], level: f64) -> Option<[[f64; 2]; 2]> {
    let crossing = |i: usize| {
        let ((from, low), (to, high)) = (corners[i], corners[(i + 1) % 3]);
        if (low < level) == (high < level) {
            return None;
        }
        let share = (level - low) / (high - low);
        let along = |k: usize| from[k] + share * (to[k] - from[k]);
        Some([along(0), along(1)])
    };
    let mut crossings = (0..3).filter_map(crossing);
    Some([crossings.next()?, crossings.next()?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cone_has_circles() {
        let axis: Vec<f64> = (-20..=20).map(|i| f64::from(i) * 0.1).collect();
        let values = axis.iter().flat_map(|x| axis.iter().map(|y| x.hypot(*y)));
        let map = Landscape {
            mean_square: values.collect(),
            x: axis.clone(),
            y: axis,
        };
        let pieces = map.contour(1.0);
        let length: f64 = pieces
            .iter()
            .map(|[from, to]| (from[0] - to[0]).hypot(from[1] - to[1]))
            .sum();
        assert!((length - std::f64::consts::TAU).abs() < 0.05, "{length}");
        for [x, y] in pieces.into_iter().flatten() {
            assert!((x.hypot(y) - 1.0).abs() < 0.01);
        }
        assert!(map.contour(9.0).is_empty());
    }
}
