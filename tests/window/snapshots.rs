//! What the window looks like in its main states.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test --release --test vdps snapshots` draws the pictures anew.

use egui_kittest::SnapshotOptions;
use vdps::app::{Method, Opening, Studio};

use super::{Harness, click, sees, until, window, with_demo};

/// Another software renderer rounds edges otherwise, and times that are told differ from run to
/// run: so many of the million pixels may be off.
const MAY_DIFFER: usize = 12_000;

fn compare(window: &mut Harness<'static, Studio>, name: &str) {
    window.step();
    window.step();
    let options = SnapshotOptions::default()
        .threshold(1.5)
        .max_failed_pixels(MAY_DIFFER);
    window.snapshot_options(name, &options);
}

#[test]
fn the_gallery() {
    if crate::display::device_or_skip("the_gallery").is_none() {
        return;
    }
    let mut window = window(Opening::default());
    until(&mut window, "the pictures", |window| {
        window.state().has_gallery_pictures()
    });
    compare(&mut window, "gallery");
}

#[test]
fn a_capture_that_is_open() {
    if crate::display::device_or_skip("a_capture_that_is_open").is_none() {
        return;
    }
    let mut window = with_demo();
    until(&mut window, "the live residual", |window| {
        window.state().live_residual_rms().is_some()
    });
    compare(&mut window, "open");
}

#[test]
fn a_result_and_its_presentation() {
    if crate::display::device_or_skip("a_result_and_its_presentation").is_none() {
        return;
    }
    let mut window = with_demo();
    window.state_mut().setup_mut().method = Method::Instant;
    click(&mut window, "Start");
    until(&mut window, "the end", |window| sees(window, "Finished in"));
    window.state_mut().hold_at(0);
    compare(&mut window, "result");
    window.key_press(eframe::egui::Key::F11);
    window.step();
    window.state_mut().hold_at(0);
    compare(&mut window, "presenter");
}
