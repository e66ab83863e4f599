//! The last round of the search for an aberration.

use super::scan::Scan;
use super::{BlindZernikeConfig, ITERATIONS_A_STEP, Ranked};

/// Finalists of nearly the same score, refined in turn.
#[derive(Clone)]
pub(super) struct Playoff {
    /// In the order of their scores.
    finalists: Vec<Ranked>,
    /// Those that play, by their place among the finalists, and who is at it.
    players: Vec<usize>,
    at: usize,
    /// Who has played, scored once refined.
    refined: Vec<Ranked>,
}

impl Playoff {
    /// Finalists closer than this to the best play, if their point spread functions differ.
    const CLOSE_NATS: f64 = 12.0;
    pub const MOST: usize = 4;

    pub fn new(finalists: Vec<Ranked>) -> Self {
        let mut players: Vec<usize> = Vec::new();
        for (i, finalist) in finalists.iter().enumerate() {
            let close = finalist.score - finalists[0].score < Self::CLOSE_NATS;
            let alike = players.iter().any(|&k| finalists[k].is_like(finalist));
            if i == 0 || (close && !alike && players.len() < Self::MOST) {
                players.push(i);
            }
        }
        Self {
            finalists,
            players,
            at: 0,
            refined: Vec::new(),
        }
    }

    /// Steps of a player at most.
    pub fn steps_a_player(config: &BlindZernikeConfig) -> usize {
        Scan::FIRST + config.winner_iterations.div_ceil(ITERATIONS_A_STEP)
    }

    /// What the present player was before its refinement.
    pub fn origin(&self) -> &Ranked {
        &self.finalists[self.players[self.at]]
    }

    /// How many fewer play than could.
    pub fn absent(&self) -> usize {
        Self::MOST - self.players.len()
    }

    /// The next to play after one that has, or none after the last.
    pub fn next(&mut self, played: Ranked) -> Option<Box<Ranked>> {
        self.refined.push(played);
        if self.at + 1 == self.players.len() {
            return None;
        }
        self.at += 1;
        Some(Box::new(self.origin().clone()))
    }

    /// The winner, which is at it from then on.
    pub fn winner(&mut self) -> Box<Ranked> {
        let scores =
            |&a: &usize, &b: &usize| self.refined[a].score.total_cmp(&self.refined[b].score);
        self.at = (0..self.refined.len()).min_by(scores).unwrap_or(0);
        Box::new(self.refined[self.at].clone())
    }

    /// Nats by which the best hypothesis with another point spread function than the `winner`'s
    /// is behind it.
    pub fn lead(&self, winner: &Ranked) -> Option<f64> {
        let played = self.refined.iter().filter(|other| !other.is_like(winner));
        let played = played.map(|other| other.score - winner.score);
        // Those like a player were played by it.
        let benched = self.finalists.iter().filter(|other| {
            let mut players = self.players.iter().map(|&k| &self.finalists[k]);
            !other.is_like(winner) && !players.any(|player| player.is_like(other))
        });
        let benched = benched.map(|other| other.score - self.origin().score);
        played.chain(benched).min_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::Shape;
    use crate::scenes::Scene;
    use crate::solver::Measurement;
    use crate::solver::aberration::{BlindZernike, Exposure, ZernikeSearch};

    /// Only what is close and different plays, and what has played best wins.
    #[test]
    fn close_finalists_play_off() {
        let shape = Shape::new(1, 32, 32);
        let measured = Measurement::exact(Scene::Shapes.render(shape, 1));
        let search = ZernikeSearch {
            shape,
            exposure: Exposure::Fitted,
        };
        let config = BlindZernikeConfig::for_noise(1e-3);
        let solver = BlindZernike::new(search, measured, config, 0).unwrap();
        let finalist = |score: f64, astigmatism: f64, tilt: f64| {
            let c = vec![0.0, tilt, 0.0, astigmatism, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0];
            let mut ranked = solver.on_mean_frame(solver.whittle.start(c));
            ranked.score = score;
            ranked
        };
        let mut playoff = Playoff::new(vec![
            finalist(0.0, 0.0, 0.0),
            finalist(5.0, 0.0, 1.5),
            finalist(8.0, 3.0, 0.0),
            finalist(30.0, -4.0, 0.5),
        ]);
        assert_eq!(playoff.players, [0, 2]);
        for score in [2.0, -7.0] {
            let mut played = playoff.origin().clone();
            played.score = score;
            assert_eq!(playoff.next(played).is_some(), score == 2.0);
        }
        let winner = playoff.winner();
        assert_eq!((winner.score, playoff.origin().score), (-7.0, 8.0));
        assert_eq!(playoff.lead(&winner), Some(9.0));
    }
}
