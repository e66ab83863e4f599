//! A whole sitting before the window, as a user has one.
//!
//! Where `VDPS_RECORD` names a folder, a picture of the window is written there at every stage.

use std::path::PathBuf;

use eframe::egui::accesskit::Role;
use eframe::egui::{Pos2, vec2};
use egui_kittest::kittest::Queryable;
use vdps::app::Studio;

use super::{Harness, click, sees, until, with_demo};

/// Takes pictures on the way.
struct Recorder {
    folder: Option<PathBuf>,
    taken: usize,
}

impl Recorder {
    fn new() -> Self {
        let folder = std::env::var_os("VDPS_RECORD").map(PathBuf::from);
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder).expect("the folder can be made");
        }
        Self { folder, taken: 0 }
    }

    fn take(&mut self, window: &mut Harness<'static, Studio>) {
        let Some(folder) = &self.folder else {
            return;
        };
        let picture = window.render().expect("the window can be drawn");
        let path = folder.join(format!("{:04}.png", self.taken));
        picture.save(path).expect("the folder can be written to");
        self.taken += 1;
    }
}

/// Drags with the mouse along a line, and calls `at_each` place on the way.
fn drag(
    window: &mut Harness<'static, Studio>,
    from: Pos2,
    to: Pos2,
    mut at_each: impl FnMut(&mut Harness<'static, Studio>, Pos2),
) {
    const PLACES: usize = 12;
    window.drag_at(from);
    window.step();
    for place in 1..=PLACES {
        let pointer = from + (to - from) * (place as f32 / PLACES as f32);
        window.hover_at(pointer);
        window.step();
        window.step();
        at_each(window, pointer);
    }
    window.drop_at(to);
    window.step();
    window.step();
}

/// The live residual once it belongs to what the sliders say.
fn live_residual(window: &mut Harness<'static, Studio>) -> f64 {
    until(window, "the live residual", |window| {
        window.state().live_residual_rms().is_some()
    });
    window.state().live_residual_rms().expect("it is there")
}

#[test]
fn a_capture_is_explored_reconstructed_blind_compared_and_kept() {
    let mut recorder = Recorder::new();
    let mut window = with_demo();
    recorder.take(&mut window);

    // Drag the distance until the residual falls.
    window.state_mut().setup_mut().dist_mm.value = 14.0;
    window.step();
    let far = live_residual(&mut window);
    let slider = window
        .get_by_role_and_label(Role::Slider, "distance")
        .rect();
    let (start, left) = (
        slider.right_center() - vec2(0.5 * slider.width(), 0.0),
        slider.left_center() + vec2(4.0, 0.0),
    );
    let mut residuals = Vec::new();
    drag(&mut window, start, left, |window, place| {
        residuals.push((live_residual(window), place));
        recorder.take(window);
    });
    let &(least, best) = residuals
        .iter()
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .expect("the slider was dragged");
    drag(&mut window, left, best, |window, _| recorder.take(window));
    let best_mm = window.state_mut().setup_mut().dist_mm.value;
    assert!(least < 0.5 * far, "{far} at 14 mm, {residuals:?}");
    assert!((4.0..6.5).contains(&best_mm), "{best_mm} mm, {residuals:?}");

    // Run blind, and watch the estimates converge.
    click(&mut window, "Distance unknown");
    click(&mut window, "Blur width unknown");
    click(&mut window, "Parameters");
    click(&mut window, "Start");
    let mut estimates = Vec::new();
    while !sees(&window, "Finished in") {
        window.step();
        let step = window.state().shown_step();
        if step.is_some() && estimates.last() != step.as_ref() {
            estimates.extend(step);
            if estimates.len() % 4 == 1 {
                recorder.take(&mut window);
            }
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(estimates.len() >= 5, "{estimates:?}");
    recorder.take(&mut window);
    assert!(sees(&window, "What to believe"));
    let found = window.state().found("distance");
    assert_eq!(found.len(), 10);
    assert!(found.iter().all(|mm| (mm - 5.0).abs() < 0.5), "{found:?}");

    // Wipe against the measurement.
    click(&mut window, "Wipe");
    until(&mut window, "the divider", |window| {
        window.query_by_label("wipe divider").is_some()
    });
    let divider = window.get_by_label("wipe divider").rect().center();
    drag(
        &mut window,
        divider,
        divider + vec2(120.0, 0.0),
        |window, _| recorder.take(window),
    );
    let moved = window.get_by_label("wipe divider").rect().center().x - divider.x;
    assert!((moved - 120.0).abs() < 8.0, "moved by {moved}");

    // Keep a figure.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("figure.png");
    window.state_mut().export_figure(path.clone());
    until(&mut window, "the figure", |window| {
        sees(window, "The figure is in")
    });
    let figure = image::open(&path).unwrap().into_rgb8();
    assert!(figure.width() > 300 && figure.height() > 300);
}
