//! A setup as a command.

use std::path::Path;

use super::sought::listed;
use super::{Device, Method, Model, Prior, Setup, Varying};
use crate::worker::LiveExposure;

impl Setup {
    /// The `reconstruct` command that does the same, without the program's name.
    pub fn command(&self, input: &Path, truth: Option<&Path>, out: &Path) -> Vec<String> {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        let mut flags = vec!["reconstruct".into(), path(input)];
        let mut flag = |name: &str, value: String| flags.push(format!("--{name}={value}"));
        if let Some(truth) = truth {
            flag("target", path(truth));
        }
        flag("model", self.model.flag().into());
        match self.model {
            Model::Scatter => {
                flag("dist", self.dist_mm.flag());
                flag("sigma", self.sigma_px.flag());
                let unknown = self.dist_mm.unknown || self.sigma_px.unknown;
                if unknown && !self.per_frame {
                    flag("per", "clip".into());
                }
                self.lengths().for_each(|(name, value)| flag(name, value));
            }
            Model::Blur => flag("sigma", self.blur_sigma_px.to_string()),
            Model::Dehaze => {}
            Model::Inpaint => flag(
                "mask",
                match (&self.drawn, &self.mask) {
                    (Some(drawn), _) => path(&drawn.file()),
                    (None, Some(mask)) => path(mask),
                    (None, None) => format!("random:{}", self.keep_share),
                },
            ),
            Model::Zernike if self.coefficients_unknown => {
                flag("coeffs", "unknown".into());
                match self.varying {
                    Varying::No => {}
                    Varying::Free => flag("varying", "free".into()),
                    Varying::Smooth => flag("varying", "smooth".into()),
                }
            }
            Model::Zernike => {
                flag("coeffs", listed(&self.known_coefficients()));
                if !self.frame_coefficients.is_empty() {
                    flag("varying", "free".into());
                }
            }
        }
        match self.exposure() {
            LiveExposure::Fitted => flag("gain", "fit".into()),
            LiveExposure::Known { gain, offset } => {
                if gain != 1.0 {
                    flag("gain", gain.to_string());
                }
                if offset != 0.0 {
                    flag("offset", offset.to_string());
                }
            }
        }
        flag("method", self.method.flag().into());
        match (self.prior, &self.checkpoint) {
            (Prior::Auto, _) | (Prior::Checkpoint, None) => {}
            (Prior::None, _) => flag("prior", "none".into()),
            (Prior::Tv, _) => flag("prior", "tv".into()),
            (Prior::Blocks, _) => flag("prior", "blocks".into()),
            (Prior::Embedded, _) => flag("prior", "embedded".into()),
            (Prior::Checkpoint, Some(file)) => flag("prior", path(file)),
        }
        match self.method {
            Method::Auto => flag("budget", format!("{}s", self.budget_s)),
            Method::Reference => {
                flag("steps", self.steps.to_string());
                flag("guidance", self.guidance.to_string());
            }
            Method::Instant | Method::Fast => {}
        }
        if self.has_network() && self.device != Device::Auto {
            flag("device", self.device.flag().into());
        }
        flag("seed", self.seed.to_string());
        flag("out", path(out));
        if self.sample && self.method == Method::Fast {
            flags.push("--sample".into());
        }
        flags
    }

    /// Flags of the geometry that differ from what is assumed.
    fn lengths(&self) -> impl Iterator<Item = (&'static str, String)> {
        let usual = Self::default();
        let pitch = self.pitch_um.map(|pitch| ("pitch-um", pitch.to_string()));
        let wavelength = (self.wavelength_nm != usual.wavelength_nm)
            .then(|| ("wavelength-nm", self.wavelength_nm.to_string()));
        let magnification = (self.magnification != usual.magnification)
            .then(|| ("magnification", self.magnification.to_string()));
        [pitch, wavelength, magnification].into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(setup: &Setup) -> String {
        setup
            .command(Path::new("y.gif"), None, Path::new("out"))
            .join(" ")
    }

    #[test]
    fn a_setup_is_a_command() {
        let mut setup = Setup::default();
        assert_eq!(
            flags(&setup),
            "reconstruct y.gif --model=scatter --dist=5 --sigma=1 --method=auto --budget=120s \
             --seed=0 --out=out"
        );
        setup.dist_mm.unknown = true;
        setup.per_frame = false;
        setup.fit_gain = true;
        setup.pitch_um = Some(24.0);
        setup.method = Method::Instant;
        assert_eq!(
            flags(&setup),
            "reconstruct y.gif --model=scatter --dist=2.5..10 --sigma=1 --per=clip --pitch-um=24 \
             --gain=fit --method=instant --seed=0 --out=out"
        );
        setup.fit_gain = false;
        setup.dist_mm.unknown = false;
        setup.dist_mm.frames = vec![5.0, 5.25];
        (setup.gain, setup.offset) = (0.5, 0.125);
        assert!(flags(&setup).contains("--dist=5,5.25 --sigma=1 --pitch-um=24 --gain=0.5"));
        assert!(flags(&setup).contains("--offset=0.125"));
        setup.prior = Prior::Embedded;
        setup.device = Device::Gpu;
        assert!(flags(&setup).contains("--method=instant --prior=embedded --seed=0"));
        setup.sample = true;
        assert!(!flags(&setup).contains("--sample"));
        setup.method = Method::Fast;
        assert!(flags(&setup).ends_with("--out=out --sample"));
        setup.method = Method::Reference;
        assert!(!flags(&setup).contains("--device"));
        setup.prior = Prior::Auto;
        assert!(flags(&setup).contains("--guidance=1 --device=gpu"));
        setup.fit_gain = true;
        setup.model = Model::Zernike;
        setup.varying = Varying::Smooth;
        assert!(flags(&setup).contains("--coeffs=unknown --varying=smooth --gain=fit"));
    }
}
