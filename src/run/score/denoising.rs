//! How close denoisers come under white noise of known level.

use std::fmt::Write;
use std::time::Instant as Clock;

use serde::Serialize;

use super::board::layout;
use crate::clip::Clip;
use crate::metrics::psnr;
use crate::noise::Noise;
use crate::prior::{Denoiser, PriorError, expected_error};

/// Standard deviations of the noise, in levels of 255.
pub const LEVELS: [f64; 4] = [10.0, 25.0, 50.0, 100.0];

/// One row of the table.
pub struct Contestant {
    pub name: String,
    /// What it may be set to, with a name for each setting. Each level gets the one with the
    /// highest mean: a handicap in favour of what is compared with.
    variants: Vec<(String, Box<dyn Denoiser>)>,
}

impl Contestant {
    pub fn new(name: impl Into<String>, denoiser: Box<dyn Denoiser>) -> Self {
        Self {
            name: name.into(),
            variants: vec![(String::new(), denoiser)],
        }
    }

    /// # Panics
    /// When there is no variant.
    pub fn best_of(name: impl Into<String>, variants: Vec<(String, Box<dyn Denoiser>)>) -> Self {
        assert!(!variants.is_empty(), "something has to denoise");
        Self {
            name: name.into(),
            variants,
        }
    }
}

/// A clean clip.
pub struct Clean {
    pub name: String,
    /// Amplitudes in [0, 1].
    pub clip: Clip,
}

/// What a denoiser reaches at one level.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Reached {
    /// Standard deviation of the noise, in levels of 255.
    pub noise: f64,
    /// Mean over the clips.
    pub mean_psnr_db: f64,
    /// Of each clip, in the order of the table's.
    pub psnr_db: Vec<f64>,
    /// Root mean square error over all clips.
    pub rms: f64,
    /// What a network expects that to be, by its own derivative.
    pub expected_rms: Option<f64>,
    /// The variant that did best, where there are several.
    pub setting: Option<String>,
    /// Mean time of a clip.
    pub seconds: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DenoisingRow {
    pub denoiser: String,
    pub levels: Vec<Reached>,
}

/// The table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DenoisingTable {
    pub seed: u64,
    pub clips: Vec<String>,
    pub rows: Vec<DenoisingRow>,
}

impl DenoisingTable {
    /// Adds noise to each clip's amplitudes, not clipped there, and lets everyone take it off; the
    /// first row is the noisy clips themselves. `tell` hears how many of how many calls are done
    /// and what comes next; once it says no, there is no table.
    ///
    /// The noise of a clip is one draw of the seed and the clip's place, scaled to each level.
    ///
    /// # Errors
    /// Those of the denoisers.
    pub fn of(
        clips: &[Clean],
        contestants: &mut [Contestant],
        seed: u64,
        tell: &mut dyn FnMut(usize, usize, &str) -> bool,
    ) -> Result<Option<Self>, PriorError> {
        let variants: usize = contestants.iter().map(|c| c.variants.len()).sum();
        let total = LEVELS.len() * clips.len() * variants;
        let mut done = 0;
        let draws: Vec<Clip> = (0..)
            .zip(clips)
            .map(|(place, clean)| {
                // Far enough apart that no seed's clip has another seed's noise.
                let mut noise = Noise::seeded(seed.wrapping_mul(1000).wrapping_add(place));
                noise.normal_clip(clean.clip.shape())
            })
            .collect();
        let noisy = |level: f64| -> Vec<Clip> {
            let sigma = (level / 255.0) as f32;
            let pairs = clips.iter().zip(&draws);
            pairs
                .map(|(clean, draw)| clean.clip.zip(draw, |u, n| u + sigma * n))
                .collect()
        };
        let quality = |found: &Clip, clean: &Clean| psnr(found.data(), clean.clip.data());
        let untouched = LEVELS.map(|level| {
            let pairs = noisy(level).into_iter().zip(clips);
            let psnr_db = pairs.map(|(noisy, clean)| quality(&noisy, clean));
            Reached::new(level, psnr_db.collect())
        });
        let mut rows = vec![DenoisingRow {
            denoiser: "noisy".into(),
            levels: untouched.to_vec(),
        }];
        for Contestant { name, variants } in contestants {
            let several = variants.len() > 1;
            let mut levels = Vec::new();
            for level in LEVELS {
                let mut best: Option<Reached> = None;
                let noisy = noisy(level);
                for (setting, denoiser) in variants.iter_mut() {
                    let (sigma, probe) = (level / 255.0, &mut Noise::seeded(!seed));
                    let (mut psnr_db, mut seconds, mut expected) = (Vec::new(), 0.0, Vec::new());
                    for (noisy, clean) in noisy.iter().zip(clips) {
                        if !tell(done, total, &format!("{name}, noise {level}")) {
                            return Ok(None);
                        }
                        let started = Clock::now();
                        let found = denoiser.denoise(noisy, sigma)?;
                        seconds += started.elapsed().as_secs_f64();
                        psnr_db.push(quality(&found, clean));
                        if denoiser.is_network() {
                            let denoiser = denoiser.as_mut();
                            expected.push(expected_error(denoiser, noisy, &found, sigma, probe)?);
                        }
                        done += 1;
                    }
                    let reached = Reached {
                        expected_rms: (!expected.is_empty()).then(|| root_mean_square(&expected)),
                        setting: several.then(|| setting.clone()),
                        seconds: seconds / clips.len() as f64,
                        ..Reached::new(level, psnr_db)
                    };
                    let beaten = |best: &Reached| reached.mean_psnr_db > best.mean_psnr_db;
                    if best.as_ref().is_none_or(beaten) {
                        best = Some(reached);
                    }
                }
                levels.extend(best);
            }
            rows.push(DenoisingRow {
                denoiser: name.clone(),
                levels,
            });
        }
        Ok(Some(Self {
            seed,
            clips: clips.iter().map(|clean| clean.name.clone()).collect(),
            rows,
        }))
    }

    /// The means, for people.
    pub fn table(&self) -> String {
        let mut head = vec!["noise of 255".to_owned()];
        head.extend(LEVELS.map(|level| level.to_string()));
        head.push("s a clip".into());
        let rows = self.rows.iter().map(|row| {
            let mut line = vec![row.denoiser.clone()];
            line.extend(row.levels.iter().map(|reached| {
                let setting = reached.setting.as_ref();
                let setting = setting.map_or(String::new(), |setting| format!(" ({setting})"));
                format!("{:.2}{setting}", reached.mean_psnr_db)
            }));
            let seconds = row.levels.iter().map(|reached| reached.seconds);
            let mean = seconds.sum::<f64>() / row.levels.len() as f64;
            line.push(match mean > 0.0 {
                true => format!("{mean:.2}"),
                false => String::new(),
            });
            line
        });
        let lines: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
        let clips = self.clips.len();
        let mut text = layout(&lines) + &format!("PSNR in dB, the mean over clips ({clips})\n");
        for DenoisingRow { denoiser, levels } in &self.rows {
            let pairs = levels.iter().filter_map(|reached| {
                let expected = 255.0 * reached.expected_rms?;
                Some(format!("{expected:.1} ({:.1})", 255.0 * reached.rms))
            });
            let pairs: Vec<String> = pairs.collect();
            if !pairs.is_empty() {
                let pairs = pairs.join(", ");
                let _ = writeln!(
                    text,
                    "error that {denoiser} expects, and the true one: {pairs}"
                );
            }
        }
        text
    }

    /// `denoiser,noise,setting,clip,psnr_db`: a line for each clip, and one for `mean`.
    pub fn csv(&self) -> String {
        let mut text = String::from("denoiser,noise,setting,clip,psnr_db\n");
        for DenoisingRow { denoiser, levels } in &self.rows {
            for reached in levels {
                let means = ("mean", reached.mean_psnr_db);
                let names = self.clips.iter().map(String::as_str);
                let each = names.zip(reached.psnr_db.iter().copied());
                let setting = reached.setting.as_deref().unwrap_or_default();
                for (clip, psnr_db) in each.chain([means]) {
                    let noise = reached.noise;
                    let quoted = clip.replace('"', "\"\"");
                    let _ = writeln!(
                        text,
                        "{denoiser},{noise},{setting},\"{quoted}\",{psnr_db:.4}"
                    );
                }
            }
        }
        text
    }
}

impl Reached {
    fn new(noise: f64, psnr_db: Vec<f64>) -> Self {
        let errors: Vec<f64> = psnr_db.iter().map(|db| 10f64.powf(-db / 20.0)).collect();
        Self {
            noise,
            mean_psnr_db: psnr_db.iter().sum::<f64>() / psnr_db.len() as f64,
            psnr_db,
            rms: root_mean_square(&errors),
            expected_rms: None,
            setting: None,
            seconds: 0.0,
        }
    }
}

/// Of several clips' errors.
fn root_mean_square(errors: &[f64]) -> f64 {
    let squares: f64 = errors.iter().map(|e| e * e).sum();
    (squares / errors.len() as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;

    /// Moves towards mid-grey by a share.
    struct Towards(f32);

    impl Denoiser for Towards {
        fn name(&self) -> &str {
            "towards"
        }

        fn denoise(&mut self, noisy: &Clip, _: f64) -> Result<Clip, PriorError> {
            Ok(noisy.map(|v| v + self.0 * (0.5 - v)))
        }

        fn check_shape(&self, _: Shape) -> Result<(), PriorError> {
            Ok(())
        }

        fn is_network(&self) -> bool {
            true
        }
    }

    fn clips(values: [f32; 2]) -> Vec<Clean> {
        let of = |(name, value): (&str, f32)| Clean {
            name: name.into(),
            clip: Clip::filled(Shape::new(2, 16, 16), value),
        };
        ["first", "second, grey"]
            .into_iter()
            .zip(values)
            .map(of)
            .collect()
    }

    fn contestants() -> Vec<Contestant> {
        let variant = |share: f32| -> (String, Box<dyn Denoiser>) {
            (share.to_string(), Box::new(Towards(share)))
        };
        vec![
            Contestant::new("half", Box::new(Towards(0.5))),
            Contestant::best_of("best", vec![variant(0.0), variant(0.5), variant(1.0)]),
        ]
    }

    fn table(values: [f32; 2], seed: u64) -> DenoisingTable {
        let always = &mut |_: usize, _: usize, _: &str| true;
        let table = DenoisingTable::of(&clips(values), &mut contestants(), seed, always);
        table.unwrap().unwrap()
    }

    #[test]
    fn noise_is_what_it_says_and_half_of_it_gone_is_six_decibels() {
        let table = table([0.5, 0.6], 1);
        let [noisy, half, _] = &table.rows[..] else {
            panic!("three rows");
        };
        for (reached, level) in noisy.levels.iter().zip(LEVELS) {
            let expected = -20.0 * (level / 255.0).log10();
            assert!((reached.psnr_db[0] - expected).abs() < 0.5, "{reached:?}");
        }
        for (half, noisy) in half.levels.iter().zip(&noisy.levels) {
            // Half of the noise moves along.
            let expected = half.expected_rms.unwrap() * 255.0 / half.noise;
            assert!((expected - 0.5f64.sqrt()).abs() < 1e-3, "{expected}");
            let gain = half.psnr_db[0] - noisy.psnr_db[0];
            assert!((gain - 6.02).abs() < 0.01, "{gain}");
        }
        let drawn = |seed| super::tests::table([0.5, 0.6], seed).rows[0].clone();
        assert_eq!(drawn(1), *noisy);
        assert_ne!(drawn(2), *noisy);
    }

    #[test]
    fn each_level_gets_its_best_variant() {
        let table = table([0.45, 0.6], 1);
        let best = &table.rows[2].levels;
        let settings: Vec<&str> = best.iter().filter_map(|r| r.setting.as_deref()).collect();
        // The more noise, the more is worth moving.
        assert_eq!(settings.len(), 4);
        assert_eq!((settings[0], settings[3]), ("0", "1"));
        for (best, half) in best.iter().zip(&table.rows[1].levels) {
            assert!(best.mean_psnr_db >= half.mean_psnr_db);
        }
    }

    #[test]
    fn it_can_be_read_by_people_and_programs() {
        let table = table([0.45, 0.6], 1);
        let text = table.table();
        assert!(
            text.contains("noise of 255") && text.contains("(0)"),
            "{text}"
        );
        assert!(text.contains("error that half expects"), "{text}");
        let csv = table.csv();
        assert_eq!(csv.lines().count(), 1 + 3 * 4 * 3);
        assert!(csv.contains("half,25,,\"second, grey\","), "{csv}");
        let json = serde_json::to_value(&table).unwrap();
        assert_eq!(json["rows"][1]["levels"][3]["noise"], 100.0);
    }

    #[test]
    fn it_stops_when_told_to() {
        let mut calls = 0;
        let stopped = DenoisingTable::of(
            &clips([0.5, 0.6]),
            &mut contestants(),
            1,
            &mut |done, total, _| {
                calls += 1;
                assert_eq!(total, 4 * 2 * 4);
                done < 3
            },
        );
        assert_eq!((stopped.unwrap(), calls), (None, 4));
    }
}
