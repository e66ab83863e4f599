//! The Source panel: which part of a capture is used, and what is wrong with it.

use eframe::egui::{OutputCommand, accesskit::Role, pos2};
use egui_kittest::kittest::Queryable;
use vdps::app::Studio;
use vdps::clip::{Clip, Shape};
use vdps::media::{self, WriteOptions};

use super::{Harness, click, demo, sees, until, with_demo};

fn set(window: &mut Harness<'static, Studio>, label: &str, value: f64) {
    let field = window.get_by_role_and_label(Role::SpinButton, label);
    field.set_value_accesskit(value);
    window.step();
    window.step();
}

/// What "Copy as a command" copies.
fn command(window: &mut Harness<'static, Studio>) -> String {
    let copied = |window: &Harness<'static, Studio>| {
        let commands = &window.output().platform_output.commands;
        commands.iter().find_map(|command| match command {
            OutputCommand::CopyText(text) => Some(text.clone()),
            _ => None,
        })
    };
    window.get_by_role_and_label(Role::Button, "Run").click();
    window.step();
    window.step();
    window.get_by_label("Copy as a command").click();
    for _ in 0..4 {
        window.step();
        if let Some(text) = copied(window) {
            return text;
        }
    }
    panic!("nothing was copied");
}

#[test]
fn frames_and_region_change_what_is_shown_and_what_is_run() {
    let mut window = with_demo();
    click(&mut window, "Frames and region");
    set(&mut window, "last", 8.0);
    until(&mut window, "fewer frames", |window| {
        sees(window, "measurement.gif is now 8x64x64")
    });
    set(&mut window, "top", 20.0);
    set(&mut window, "height", 32.0);
    until(&mut window, "fewer rows", |window| {
        sees(window, "measurement.gif is now 8x32x64")
    });
    assert!(sees(&window, "frame 1 of 8"));
    let command = command(&mut window);
    assert!(
        command.contains("measurement.gif --frames=..8 --crop=32x64+20+0 --target="),
        "{command}"
    );
    click(&mut window, "Start");
    until(&mut window, "the run", |window| sees(window, "step "));
    click(&mut window, "Stop");
    until(&mut window, "the stop", |window| sees(window, "Stopped."));
    click(&mut window, "All of the frame");
    // The stopped run was never saved.
    window.step();
    click(&mut window, "Open it");
    until(&mut window, "all rows", |window| {
        sees(window, "measurement.gif is now 8x64x64")
    });
}

#[test]
fn a_region_is_drawn_on_a_picture() {
    let mut window = with_demo();
    click(&mut window, "Frames and region");
    click(&mut window, "Draw region");
    let picture = window.get_by_label("picture of Measurement").rect();
    let at = |x: f32, y: f32| {
        pos2(0.0, 0.0) + picture.min.to_vec2() + picture.size() * eframe::egui::vec2(x, y)
    };
    window.drag_at(at(0.4, 0.3));
    window.step();
    window.hover_at(at(0.5, 0.5));
    window.step();
    window.drop_at(at(0.6, 0.7));
    window.step();
    until(&mut window, "the region", |window| {
        sees(window, "measurement.gif is now 10x")
    });
    let shape = window.state().capture_shape().unwrap();
    assert!(
        (4..60).contains(&shape.height) && (4..60).contains(&shape.width),
        "{shape}"
    );
    let command = command(&mut window);
    assert!(
        command.contains(&format!("--crop={}x{}+", shape.height, shape.width)),
        "{command}"
    );
}

#[test]
fn a_truth_of_another_shape_and_a_region_that_does_not_fit_are_notices() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short.npy");
    let clip = Clip::filled(Shape::new(3, 64, 64), 0.5);
    media::save(&short, &clip, &WriteOptions::default()).unwrap();
    let mut window = with_demo();
    window
        .state_mut()
        .open(demo("measurement.gif"), Some(short));
    until(&mut window, "the error", |window| {
        sees(window, "but the true video 3x64x64")
    });
    assert_eq!(window.state().capture_shape(), Some(Shape::new(10, 64, 64)));
    window
        .state_mut()
        .cut(|cut| cut.region = Some("40x40+30+0".parse().unwrap()));
    until(&mut window, "the error", |window| {
        sees(
            window,
            "40x40+30+0 (rows x columns) does not fit into frames of 64x64",
        )
    });
    assert_eq!(window.state().capture_shape(), Some(Shape::new(10, 64, 64)));
}

#[test]
fn a_folder_of_pictures_is_a_capture() {
    let folder = tempfile::tempdir().unwrap();
    let frames = folder.path().join("frames");
    let shape = Shape::new(4, 16, 20);
    let values = (0..shape.len()).map(|i| (i % 13) as f32 / 13.0).collect();
    media::save(&frames, &Clip::new(shape, values), &WriteOptions::default()).unwrap();
    let mut window = with_demo();
    window.state_mut().open(frames, None);
    until(&mut window, "the folder", |window| {
        sees(window, "frames is open")
    });
    assert_eq!(window.state().capture_shape(), Some(shape));
}
