//! The residual over two parameters, coarse first, on a thread of its own.

mod grid;

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Clock};

use grid::Grid;

use super::inbox::Inbox;
use super::{Notify, Slot, guarded};
use crate::solver::{Landscape, Survey};

/// Makes the survey on the map's thread: clips are copied for it.
pub type MakeSurvey = Box<dyn FnOnce() -> anyhow::Result<Survey> + Send>;

/// A question: how large is the residual from here to there?
pub struct MapRequest {
    /// Comes back with the answers.
    pub id: u64,
    pub survey: MakeSurvey,
    /// From one end to the other, in the parameter's unit.
    pub x: (f64, f64),
    /// None where there is only one parameter.
    pub y: Option<(f64, f64)>,
    /// Places along an axis are one more than this in the end, a power of two.
    pub intervals: usize,
}

/// The map so far.
#[derive(Clone, Debug)]
pub struct MapAnswer {
    pub id: u64,
    pub result: Result<Map, String>,
}

#[derive(Clone, Debug)]
pub struct Map {
    /// On the finest grid; what is not there yet has the value of a place close by.
    pub landscape: Arc<Landscape>,
    /// Share of the places that are computed.
    pub done: f32,
    pub lowest: Lowest,
    /// Where the likelihood of both parameters is within 95 % of the highest.
    pub likely: Vec<[[f64; 2]; 2]>,
    /// Whether every place had a reconstruction of its own.
    pub refitted: bool,
}

/// Where the residual is least, and how sure that is by the noise or, where it is larger, by the
/// misfit: 95 % for one parameter, the other at its best, to half a step of the grid.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lowest {
    pub at: (f64, f64),
    pub residual_rms: f64,
    pub x: (f64, f64),
    pub y: (f64, f64),
}

/// Intervals along an axis at first.
const COARSEST: usize = 8;
/// The least time between two answers that refine a map.
const SHOW_EVERY: Duration = Duration::from_millis(100);
/// The thread of maps: the newest request wins, and an outdated one is given up between two
/// places. It leaves one processor to others.
pub struct Mapper {
    inbox: Inbox<MapRequest>,
    answers: Arc<Slot<MapAnswer>>,
    thread: Option<JoinHandle<()>>,
}

impl Mapper {
    /// # Errors
    /// A system that gives no more threads.
    pub fn spawn(notify: Notify) -> std::io::Result<Self> {
        let inbox: Inbox<MapRequest> = Inbox::default();
        let answers = Arc::new(Slot::default());
        let (theirs, slot) = (inbox.clone(), answers.clone());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads((processors - 1).max(1))
            .thread_name(|_| "map".into())
            .build()
            .map_err(std::io::Error::other)?;
        let thread = std::thread::Builder::new()
            .name("maps".into())
            .spawn(move || {
                while let Some(request) = theirs.next() {
                    let id = request.id;
                    let tell = |result| {
                        slot.put(MapAnswer { id, result });
                        notify();
                    };
                    let wanted = || !theirs.is_outdated();
                    let drawn = guarded(|| {
                        let show = |map| tell(Ok(map));
                        let drawn = pool.install(|| draw(request, &wanted, show));
                        drawn.map_err(|error| format!("{error:#}"))
                    });
                    if let Err(error) = drawn {
                        tell(Err(error));
                    }
                }
            })?;
        Ok(Self {
            inbox,
            answers,
            thread: Some(thread),
        })
    }

    pub fn ask(&self, request: MapRequest) {
        self.inbox.put(request);
    }

    /// The newest answer since the last call.
    pub fn answer(&self) -> Option<MapAnswer> {
        self.answers.take()
    }
}

impl Drop for Mapper {
    fn drop(&mut self) {
        self.inbox.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Draws a map level after level while it is wanted.
fn draw(
    request: MapRequest,
    wanted: &(dyn Fn() -> bool + Sync),
    show: impl Fn(Map) + Send,
) -> anyhow::Result<()> {
    let survey = (request.survey)()?;
    let mut grid = Grid::new(request.x, request.y, request.intervals);
    let mut stride = (request.intervals / COARSEST).max(1);
    let mut shown = Clock::now();
    loop {
        for x in (0..grid.x.len()).step_by(stride) {
            let missing: Vec<usize> = (0..grid.y.len())
                .step_by(stride)
                .filter(|&y| grid.at(x, y).is_none())
                .collect();
            if missing.is_empty() {
                continue;
            }
            let ys: Vec<f64> = missing.iter().map(|&y| grid.y[y]).collect();
            let column = survey.column(grid.x[x], &ys, wanted)?;
            if !wanted() {
                return Ok(());
            }
            for (y, value) in missing.into_iter().zip(column) {
                grid.set(x, y, value);
            }
            // The first level is shown when it is whole.
            let coarse = stride * COARSEST >= request.intervals;
            if !coarse && shown.elapsed() >= SHOW_EVERY {
                show(grid.map(stride, &survey));
                shown = Clock::now();
            }
        }
        show(grid.map(stride, &survey));
        shown = Clock::now();
        if stride == 1 {
            return Ok(());
        }
        stride /= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip::{Clip, Shape};
    use crate::noise::Noise;
    use crate::physics::{ForwardModel, Optics, Scatter};
    use crate::solver::{Exposed, Measurement, Plane};

    fn request(id: u64, frames: usize) -> MapRequest {
        let survey = move || {
            let shape = Shape::new(frames, 16, 16);
            let scene = Noise::seeded(1).normal_clip(shape);
            let scene: Clip = scene.map(|v| (0.5 + 0.2 * v).clamp(0.0, 1.0));
            let model = Scatter::new(shape, Optics::SYNTHETIC, 5.0, 1.0)?;
            let measurement = Measurement::exact(model.apply(&scene));
            let plane = Plane::Scatter(Optics::SYNTHETIC);
            let exposed = Exposed::AsGiven;
            Ok(Survey::new(
                plane,
                &measurement,
                Some(&scene),
                None,
                exposed,
            )?)
        };
        MapRequest {
            id,
            survey: Box::new(survey),
            x: (3.0, 7.0),
            y: Some((0.5, 1.5)),
            intervals: 16,
        }
    }

    #[test]
    fn every_level_is_shown_and_the_finest_finds_the_truth() {
        let maps = std::sync::Mutex::new(Vec::new());
        draw(request(1, 1), &|| true, |map| {
            maps.lock().unwrap().push(map)
        })
        .unwrap();
        let maps = maps.into_inner().unwrap();
        let coarse = &maps[0];
        assert!((coarse.done - 81.0 / 289.0).abs() < 1e-6, "{}", coarse.done);
        assert!(coarse.landscape.mean_square.iter().all(|v| v.is_finite()));
        assert_eq!(coarse.lowest.at, (5.0, 1.0));
        let last = maps.last().unwrap();
        assert_eq!((last.done, last.lowest.at), (1.0, (5.0, 1.0)));
        let (low, high) = last.lowest.x;
        assert!(low < 5.0 && high > 5.0 && high - low < 1.0);
        // A place of the first level keeps its value.
        assert_eq!(coarse.landscape.at(4, 2), last.landscape.at(4, 2));
    }

    #[test]
    fn what_is_outdated_is_given_up_and_a_failure_is_told() {
        let shown = |_| panic!("nobody wants it");
        assert!(draw(request(1, 1), &|| false, shown).is_ok());

        let mapper = Mapper::spawn(Arc::new(|| ())).unwrap();
        mapper.ask(request(1, 40));
        mapper.ask(request(2, 1));
        let started = Clock::now();
        let answer = loop {
            if let Some(answer) = mapper.answer().filter(|answer| answer.id == 2)
                && answer.result.as_ref().is_ok_and(|map| map.done == 1.0)
            {
                break answer;
            }
            assert!(started.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(1));
        };
        assert_eq!(answer.result.unwrap().lowest.at, (5.0, 1.0));

        mapper.ask(MapRequest {
            x: (-3.0, -1.0),
            ..request(3, 1)
        });
        let error = loop {
            if let Some(answer) = mapper.answer() {
                break answer.result.unwrap_err();
            }
            assert!(started.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(1));
        };
        assert!(error.contains("distance"), "{error}");
    }
}
