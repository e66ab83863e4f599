//! Which priors the trials try, and which one they choose.

/// A prior that the rounds can use.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    /// Its place among the denoisers.
    pub denoiser: usize,
    pub pull: f64,
}

/// What a trial says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Verdict {
    /// Squared error of the prediction of what was left out.
    pub error: f64,
    /// The best weight of the rounds against their start.
    pub share: f64,
}

/// How much closer another denoiser than the first must predict to be chosen: errors that differ by
/// less say nothing, and the first is the better one on the mean.
const LEAD: f64 = 0.01;

/// The trials in their order. For each denoiser every other pull is tried, then the two beside the
/// one of these that predicted best: the error has one valley, so the best of all is among them or
/// beside it.
pub(super) struct Search {
    denoisers: usize,
    /// Rising, an odd number of them.
    pulls: Vec<f64>,
    verdicts: Vec<Verdict>,
}

impl Search {
    pub fn new(denoisers: usize, pulls: Vec<f64>) -> Self {
        Self {
            denoisers,
            pulls,
            verdicts: Vec::new(),
        }
    }

    /// Trials in all.
    pub fn trials(&self) -> usize {
        self.denoisers * self.trials_each()
    }

    fn coarse(&self) -> usize {
        self.pulls.len() / 2
    }

    fn trials_each(&self) -> usize {
        match self.coarse() {
            0 => 1,
            coarse => coarse + 2,
        }
    }

    /// What trial `index` tries. Which the last two of a denoiser are is known once its others are
    /// judged.
    pub fn candidate(&self, index: usize) -> Candidate {
        let (denoiser, trial) = (index / self.trials_each(), index % self.trials_each());
        let (first, coarse) = (index - trial, self.coarse());
        let place = match trial {
            _ if coarse == 0 => 0,
            trial if trial < coarse => 2 * trial + 1,
            trial => {
                2 * self.best_of(first, coarse).map_or(0, |i| i - first) + 2 * (trial - coarse)
            }
        };
        Candidate {
            denoiser,
            pull: self.pulls[place],
        }
    }

    pub fn judge(&mut self, verdict: Verdict) {
        self.verdicts.push(verdict);
    }

    /// The candidate that predicted best, and what its trial says, once all are judged.
    pub fn best(&self) -> Option<(Candidate, Verdict)> {
        if self.verdicts.len() < self.trials() {
            return None;
        }
        let best = self.best_of(0, self.trials())?;
        Some((self.candidate(best), self.verdicts[best]))
    }

    /// The trial that did best among the judged ones of `count` from `first` on.
    fn best_of(&self, first: usize, count: usize) -> Option<usize> {
        let handicapped = |index: usize| {
            let handicap = if index < self.trials_each() {
                0.0
            } else {
                LEAD
            };
            self.verdicts[index].error * (1.0 + handicap)
        };
        let judged = first..self.verdicts.len().min(first + count);
        judged.min_by(|&a, &b| handicapped(a).total_cmp(&handicapped(b)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::config::powers_of_two;
    use super::*;

    /// Searches with errors by `error`; what was tried, and what was chosen.
    fn searched(
        denoisers: usize,
        pulls: &[f64],
        error: impl Fn(Candidate) -> f64,
    ) -> (Vec<Candidate>, Candidate) {
        let mut search = Search::new(denoisers, pulls.to_vec());
        let mut tried = Vec::new();
        for index in 0..search.trials() {
            assert!(search.best().is_none());
            let candidate = search.candidate(index);
            let error = error(candidate);
            search.judge(Verdict { error, share: 1.0 });
            tried.push(candidate);
        }
        (tried, search.best().unwrap().0)
    }

    #[test]
    fn the_bottom_of_any_valley_is_found() {
        let pulls = powers_of_two(-4, 4);
        for &bottom in &pulls {
            let away = |c: Candidate| (c.pull / bottom).ln().abs() + 5.0 * c.denoiser as f64;
            let (tried, chosen) = searched(2, &pulls, away);
            assert_eq!(tried.len(), 12);
            assert_eq!((chosen.denoiser, chosen.pull), (0, bottom));
            let second = tried.iter().filter(|c| c.denoiser == 1);
            assert!(second.clone().count() == 6 && second.clone().any(|c| c.pull == bottom));
        }
    }

    #[test]
    fn another_denoiser_must_lead_to_be_chosen() {
        let chosen = |second| {
            let error = |c: Candidate| [1.0, second][c.denoiser] + (c.pull - 1.0).abs();
            searched(2, &[0.5, 1.0, 2.0], error).1.denoiser
        };
        assert_eq!([1.0, 0.995, 0.98].map(chosen), [0, 0, 1]);
    }

    #[test]
    fn a_single_pull_is_tried_once_for_each_denoiser() {
        let (tried, chosen) = searched(3, &[0.5], |c| -(c.denoiser as f64));
        assert_eq!(tried.len(), 3);
        assert_eq!((chosen.denoiser, chosen.pull), (2, 0.5));
    }
}
