use std::path::Path;

use sha2::{Digest, Sha256};

/// The seed of one clip, from the run's seed and where the clip lies below the data folder.
///
/// The first eight bytes, least significant first, of the SHA-256 of `SEED/PATH`, with
/// slashes in PATH on every system. So neither the other clips nor their order matter.
pub fn clip_seed(seed: u64, data_root: &Path, clip: &Path) -> u64 {
    let below = clip.strip_prefix(data_root).unwrap_or(clip);
    let parts = below.iter().map(|part| part.to_string_lossy());
    let path = parts.collect::<Vec<_>>().join("/");
    let digest: [u8; 32] = Sha256::digest(format!("{seed}/{path}")).into();
    let (first, _) = digest.split_first_chunk().expect("32 bytes hold eight");
    u64::from_le_bytes(*first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clip_s_seed_keeps_its_meaning_wherever_the_data_lies() {
        let seed = |seed, root: &str| {
            let root = Path::new(root);
            clip_seed(seed, root, &root.join("DAVIS_Test/jet-ski"))
        };
        // Of `printf 0/DAVIS_Test/jet-ski | sha256sum`.
        assert_eq!(seed(0, "data"), SEED_0);
        assert_eq!(seed(0, "/elsewhere/data"), SEED_0);
        assert_ne!(seed(1, "data"), SEED_0);
    }

    const SEED_0: u64 = 4159600350173222128;
}
