//! The window, driven by the labels a user reads.

mod capture;
mod demos;
mod failures;
mod model;
mod runs;
mod session;
mod snapshots;
mod views;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use vdps::app::{Opening, Plan, Setup, Studio};
use vdps::cli::gui::plan;

const PATIENCE: Duration = Duration::from_secs(180);

fn demo(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("data/demo")
        .join(name)
}

fn window(opening: Opening) -> Harness<'static, Studio> {
    window_with(plan(), opening)
}

fn window_with(plan: Plan, opening: Opening) -> Harness<'static, Studio> {
    Harness::builder()
        .with_size([1280.0, 800.0])
        .build_eframe(|context| {
            Studio::new(&context.egui_ctx, None, plan, opening).expect("threads can be had")
        })
}

fn with_demo() -> Harness<'static, Studio> {
    let mut window = window(Opening {
        capture: Some(demo("measurement.gif")),
        truth: Some(demo("truth.gif")),
        setup: Some(Setup::default()),
        ..Opening::default()
    });
    until(&mut window, "the capture is read", |window| {
        sees(window, "measurement.gif is open")
    });
    window
}

/// Whether something on screen says this, among other things.
fn sees(window: &Harness<'static, Studio>, text: &str) -> bool {
    window.query_all_by_label_contains(text).next().is_some()
}

fn until(
    window: &mut Harness<'static, Studio>,
    what: &str,
    reached: impl Fn(&Harness<'static, Studio>) -> bool,
) {
    let started = Instant::now();
    while !reached(window) {
        assert!(
            started.elapsed() < PATIENCE,
            "waited for: {what}; the window says: {}",
            window.state().notice()
        );
        window.step();
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn click(window: &mut Harness<'static, Studio>, label: &str) {
    window.get_by_label(label).click();
    window.step();
    window.step();
}

#[test]
fn an_empty_window_says_where_to_begin() {
    let mut window = window(Opening::default());
    window.step();
    assert!(sees(&window, "Drop a capture here"));
    assert!(sees(&window, "Open a capture, or choose a demo"));
}

#[test]
fn a_bad_file_is_named_and_the_capture_stays() {
    let mut window = with_demo();
    window.state_mut().open(PathBuf::from("no/such.gif"), None);
    until(&mut window, "the error", |window| {
        sees(window, "The file cannot be opened")
    });
    assert!(sees(&window, "such.gif"));
    assert!(sees(&window, "measurement.gif"));
}

#[test]
fn a_capture_is_reconstructed_and_its_result_judged() {
    let mut window = with_demo();
    until(&mut window, "the live residual", |window| {
        sees(window, "rms")
    });
    click(&mut window, "Start");
    until(&mut window, "the first steps", |window| {
        sees(window, "step ")
    });
    until(&mut window, "the end", |window| sees(window, "Finished in"));
    assert!(sees(&window, "x noise"));
    assert!(sees(&window, "What to believe"));
    assert!(sees(&window, "dB"));
}

#[test]
fn a_run_pauses_steps_and_stops() {
    let mut window = with_demo();
    click(&mut window, "Start");
    until(&mut window, "the first steps", |window| {
        sees(window, "step ")
    });
    click(&mut window, "Pause");
    assert!(sees(&window, "Resume"));
    click(&mut window, "Stop");
    until(&mut window, "the stop", |window| sees(window, "Stopped."));
    assert!(sees(&window, "Start"));
}
