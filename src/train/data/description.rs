//! What a training set is made of, as its TOML file says it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::DataError;
use crate::clip::Shape;

/// A training set; the same description gives the same clips, bit for bit.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Where downloads, reduced videos and the finished pools go, relative to the description.
    pub folder: PathBuf,
    /// Frames, rows and columns of a clip. Training crops from it, so it is a little larger than
    /// what a network sees.
    #[serde(default = "default_shape")]
    pub shape: [usize; 3],
    #[serde(default)]
    pub seed: u64,
    /// Of the training pool.
    pub clips: usize,
    /// Of the validation pool.
    pub validation_clips: usize,
    #[serde(rename = "source")]
    pub sources: Vec<Source>,
}

/// Where clips come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Source {
    Videos(Local),
    Photographs(Local),
    Download(Download),
    Scenes(Scenes),
    Collage(Collage),
}

/// Videos or photographs that lie on this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// A folder or a file, relative to the description.
    pub path: PathBuf,
    /// The share of the clips, in proportion to the other sources'.
    #[serde(default = "default_weight")]
    pub weight: f64,
    /// Keep all of it for validation.
    #[serde(default)]
    pub validation: bool,
    /// Consecutive frames of a clip are this many frames of the video apart, from .. to.
    #[serde(default = "default_stride")]
    pub stride: [usize; 2],
    #[serde(default)]
    pub credit: Credit,
}

/// A published archive or file, fetched once and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    pub url: String,
    /// Of the file behind `url`, in hexadecimal.
    pub sha256: String,
    /// Archives inside the archive to unpack as well, as patterns.
    #[serde(default)]
    pub inner: Vec<String>,
    /// Patterns of files to use as videos: `*` and `?` within a name, `**` over folders.
    #[serde(default)]
    pub videos: Vec<String>,
    /// Patterns of files to use as photographs.
    #[serde(default)]
    pub photographs: Vec<String>,
    #[serde(default = "default_weight")]
    pub weight: f64,
    #[serde(default)]
    pub validation: bool,
    #[serde(default = "default_stride")]
    pub stride: [usize; 2],
    pub credit: Credit,
}

/// The generated scenes of [`crate::scenes`], each kind as often.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenes {
    #[serde(default = "default_weight")]
    pub weight: f64,
}

/// Textures and figures moving over each other: parts of the other sources' pictures, and leaves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Collage {
    #[serde(default = "default_weight")]
    pub weight: f64,
}

/// Whose work it is, for the card of a model trained on it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credit {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub author: String,
    #[serde(default)]
    pub licence: String,
}

fn default_shape() -> [usize; 3] {
    [10, 72, 72]
}

fn default_weight() -> f64 {
    1.0
}

fn default_stride() -> [usize; 2] {
    [1, 3]
}

impl Description {
    /// Reads and checks a description.
    ///
    /// # Errors
    /// When the file cannot be read, is not TOML, or asks for what cannot be made.
    pub fn read(path: &Path) -> Result<Self, DataError> {
        let text = fs::read_to_string(path).map_err(DataError::io(path))?;
        let description: Self = toml::from_str(&text).map_err(|source| DataError::Toml {
            path: path.to_owned(),
            source: Box::new(source),
        })?;
        description.check()?;
        Ok(description)
    }

    pub fn shape(&self) -> Shape {
        let [frames, height, width] = self.shape;
        Shape::new(frames, height, width)
    }

    /// # Errors
    /// When it asks for what cannot be made.
    pub fn check(&self) -> Result<(), DataError> {
        let refuse = |what: String| Err(DataError::Description(what));
        let [frames, height, width] = self.shape;
        if !(2..=64).contains(&frames) || [height, width].iter().any(|n| !(8..=512).contains(n)) {
            return refuse(format!(
                "shape = {:?} is frames, rows and columns: 2 to 64 frames, sides of 8 to 512",
                self.shape
            ));
        }
        if self.clips == 0 || self.validation_clips == 0 {
            return refuse("`clips` and `validation_clips` are at least 1".to_owned());
        }
        if self.sources.is_empty() {
            return refuse("it needs a [[source]]".to_owned());
        }
        for source in &self.sources {
            source.check()?;
        }
        if self.sources.iter().map(Source::weight).sum::<f64>() <= 0.0 {
            return refuse("all weights are 0".to_owned());
        }
        Ok(())
    }
}

impl Source {
    pub fn weight(&self) -> f64 {
        match self {
            Self::Videos(local) | Self::Photographs(local) => local.weight,
            Self::Download(download) => download.weight,
            Self::Scenes(scenes) => scenes.weight,
            Self::Collage(collage) => collage.weight,
        }
    }

    /// Whether it is kept for validation by name.
    pub fn is_validation(&self) -> bool {
        match self {
            Self::Videos(local) | Self::Photographs(local) => local.validation,
            Self::Download(download) => download.validation,
            Self::Scenes(_) | Self::Collage(_) => false,
        }
    }

    /// Whose work it is; none where it is generated.
    pub fn credit(&self) -> Option<&Credit> {
        match self {
            Self::Videos(local) | Self::Photographs(local) => Some(&local.credit),
            Self::Download(download) => Some(&download.credit),
            Self::Scenes(_) | Self::Collage(_) => None,
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        match self {
            Self::Videos(local) | Self::Photographs(local) => match local.credit.title.as_str() {
                "" => local.path.display().to_string(),
                title => title.to_owned(),
            },
            Self::Download(download) => match download.credit.title.as_str() {
                "" => download.url.clone(),
                title => title.to_owned(),
            },
            Self::Scenes(_) => "scenes".to_owned(),
            Self::Collage(_) => "collage".to_owned(),
        }
    }

    fn check(&self) -> Result<(), DataError> {
        let refuse = |what: &str| {
            let name = self.name();
            Err(DataError::Description(format!("source {name}: {what}")))
        };
        if !(self.weight() >= 0.0 && self.weight().is_finite()) {
            return refuse("`weight` is a number from 0 up");
        }
        let stride = match self {
            Self::Videos(local) | Self::Photographs(local) => local.stride,
            Self::Download(download) => {
                let hexadecimal = |text: &str| text.bytes().all(|b| b.is_ascii_hexdigit());
                if download.sha256.len() != 64 || !hexadecimal(&download.sha256) {
                    return refuse("`sha256` is 64 hexadecimal digits");
                }
                if download.videos.is_empty() == download.photographs.is_empty() {
                    return refuse("give patterns of either `videos` or `photographs`");
                }
                download.stride
            }
            Self::Scenes(_) | Self::Collage(_) => default_stride(),
        };
        if stride[0] == 0 || stride[1] < stride[0] {
            return refuse("`stride` is from .. to, as in [1, 3]");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Description, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("set.toml");
        fs::write(&path, text).unwrap();
        Description::read(&path).map_err(|error| error.to_string())
    }

    const HEAD: &str = "folder = 'pool'\nclips = 10\nvalidation_clips = 2\n";

    #[test]
    fn a_description_is_read_with_its_defaults() {
        let text = format!(
            "{HEAD}
            [[source]]
            kind = 'videos'
            path = 'mine'
            [[source]]
            kind = 'download'
            url = 'https://example.org/a.tar.gz'
            sha256 = '{}'
            videos = ['**/*.mp4']
            weight = 0.5
            validation = true
            credit = {{ title = 'A film', author = 'Somebody', licence = 'CC0' }}
            [[source]]
            kind = 'collage'",
            "0".repeat(64)
        );
        let description = read(&text).unwrap();
        assert_eq!(description.shape(), Shape::new(10, 72, 72));
        let names: Vec<_> = description.sources.iter().map(Source::name).collect();
        assert_eq!(names, ["mine", "A film", "collage"]);
        let held: Vec<_> = description
            .sources
            .iter()
            .map(Source::is_validation)
            .collect();
        assert_eq!(held, [false, true, false]);
        assert_eq!(description.sources[1].weight(), 0.5);
        assert_eq!(description.sources[1].credit().unwrap().licence, "CC0");
    }

    #[test]
    fn mistakes_are_named() {
        let wrong = |text: &str, says: &str| {
            let message = read(text).unwrap_err();
            assert!(message.contains(says), "{message}");
        };
        wrong("clips = 1", "folder");
        wrong(&format!("{HEAD}source = []"), "[[source]]");
        wrong(&format!("{HEAD}[[source]]\nkind = 'cinema'"), "cinema");
        wrong(
            &format!("{HEAD}[[source]]\nkind = 'scenes'\nweigth = 1"),
            "weigth",
        );
        wrong(
            &format!("{HEAD}[[source]]\nkind = 'scenes'\nweight = -1"),
            "weight",
        );
        wrong(
            &format!("{HEAD}shape = [1, 72, 72]\n[[source]]\nkind = 'scenes'"),
            "2 to 64 frames",
        );
        wrong(
            &format!("{HEAD}[[source]]\nkind = 'videos'\npath = 'a'\nstride = [3, 1]"),
            "[1, 3]",
        );
        let download = "[[source]]\nkind = 'download'\nurl = 'https://a/b.zip'\ncredit = {}\n";
        wrong(
            &format!("{HEAD}{download}sha256 = 'abc'\nvideos = ['*']"),
            "64 hexadecimal digits",
        );
        let hash = "a".repeat(64);
        wrong(
            &format!("{HEAD}{download}sha256 = '{hash}'"),
            "either `videos` or `photographs`",
        );
    }
}
