use crate::clip::Clip;

/// How far clips are from each other: the standard deviation of each pixel over the clips.
///
/// # Panics
/// When there are fewer than two, or their shapes differ.
pub fn spread(clips: &[&Clip]) -> Clip {
    assert!(clips.len() > 1, "one clip has no spread");
    let shape = clips[0].shape();
    assert!(clips.iter().all(|clip| clip.shape() == shape));
    let count = clips.len() as f64;
    let deviation = |i: usize| {
        let values = || clips.iter().map(|clip| f64::from(clip.data()[i]));
        let mean = values().sum::<f64>() / count;
        let squares: f64 = values().map(|v| (v - mean).powi(2)).sum();
        (squares / (count - 1.0)).sqrt() as f32
    };
    Clip::new(shape, (0..shape.len()).map(deviation).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    #[test]
    fn it_is_the_standard_deviation() {
        let shape = Shape::new(1, 1, 2);
        let clips = [[1.0, 5.0], [3.0, 5.0]].map(|values| Clip::new(shape, values.to_vec()));
        let found = spread(&[&clips[0], &clips[1]]);
        assert_eq!(found.data(), [2f32.sqrt(), 0.0]);
    }
}
