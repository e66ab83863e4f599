use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// SHA-256 in lower-case hexadecimal: of a file's content, or, for a folder, of the name,
/// the length and the content of each file in it, in the order of their names.
///
/// # Errors
/// When something cannot be read.
pub fn sha256(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    if path.is_dir() {
        for file in files_in(path)? {
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            hasher.update(name.as_bytes());
            hasher.update([0]);
            hasher.update(fs::metadata(&file)?.len().to_le_bytes());
            feed(&mut hasher, &file)?;
        }
    } else {
        feed(&mut hasher, path)?;
    }
    Ok(hexadecimal(hasher))
}

/// The same of bytes in memory.
pub fn sha256_of(bytes: &[u8]) -> String {
    hexadecimal(Sha256::new_with_prefix(bytes))
}

fn hexadecimal(hasher: Sha256) -> String {
    let digest = hasher.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn feed(hasher: &mut Sha256, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(()),
            count => hasher.update(&block[..count]),
        }
    }
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_its_standard_hash() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("a");
        fs::write(&path, "abc").unwrap();
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
        assert_eq!(sha256_of(b"abc"), expected);
    }

    #[test]
    fn a_folder_s_hash_depends_on_names_and_contents() {
        let hash = |files: &[(&str, &str)]| {
            let root = tempfile::tempdir().unwrap();
            for (name, content) in files {
                fs::write(root.path().join(name), content).unwrap();
            }
            sha256(root.path()).unwrap()
        };
        let reference = hash(&[("a", "1"), ("b", "2")]);
        assert_eq!(reference, hash(&[("b", "2"), ("a", "1")]));
        assert_ne!(reference, hash(&[("a", "1"), ("c", "2")]));
        assert_ne!(reference, hash(&[("a", "1"), ("b", "3")]));
    }
}
