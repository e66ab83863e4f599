//! The forward model's panel, and the map of the residual.

use eframe::egui::accesskit::Role;
use eframe::egui::{Event, Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable;
use vdps::app::{Method, Model, Setup, Studio};

use super::{Harness, click, sees, until, with_demo};

fn setup(window: &mut Harness<'static, Studio>) -> Setup {
    window.state_mut().setup_mut().clone()
}

fn press(window: &mut Harness<'static, Studio>, label: &str, key: Key) {
    window.get_by_label(label).focus();
    window.step();
    window.key_press(key);
    window.step();
    window.step();
}

#[test]
fn a_range_is_set_by_keyboard_and_closes_to_a_known_value() {
    let mut window = with_demo();
    click(&mut window, "Distance unknown");
    let before = setup(&mut window).dist_mm;
    assert!(before.unknown && (before.min, before.max) == (2.5, 10.0));
    press(&mut window, "distance low", Key::ArrowRight);
    press(&mut window, "distance high", Key::ArrowLeft);
    let after = setup(&mut window).dist_mm;
    assert!(after.min > 2.5 && after.max < 10.0, "{after:?}");
    window
        .get_by_label("distance high")
        .set_value_accesskit(after.min);
    window.step();
    window.step();
    let closed = setup(&mut window).dist_mm;
    assert!(!closed.unknown && closed.value == after.min, "{closed:?}");
}

#[test]
fn the_map_is_drawn_and_a_click_on_it_moves_the_sliders() {
    let mut window = with_demo();
    click(&mut window, "Distance unknown");
    click(&mut window, "Blur width unknown");
    click(&mut window, "Map");
    until(&mut window, "the map", |window| sees(window, "lowest at"));
    // The panel makes room for it in the next frames.
    window.run_steps(3);
    // Its middle is the middle of the ranges.
    click(&mut window, "map of the residual");
    let picked = setup(&mut window);
    let (dist, width) = (picked.dist_mm.value, picked.sigma_px.value);
    assert!(
        (dist - 6.25).abs() < 0.3 && (width - 1.25).abs() < 0.1,
        "{dist} {width}"
    );
    // Wherever the sliders stand, the data point at what the demo was made with.
    until(&mut window, "the place of the least residual", |window| {
        sees(window, "lowest at distance 5") || sees(window, "lowest at distance 4.8")
    });
}

#[test]
fn an_aberration_shows_its_pupil_and_what_it_makes_of_a_point() {
    let mut window = with_demo();
    window.state_mut().setup_mut().model = Model::Zernike;
    until(&mut window, "the pictures", |window| {
        window.query_by_label("PSF picture").is_some()
            && window.query_by_label("pupil phase picture").is_some()
    });
    let slider = window.get_by_role_and_label(Role::Slider, "defocus");
    slider.set_value_accesskit(1.5);
    window.step();
    window.step();
    assert_eq!(setup(&mut window).coefficients[4], 1.5);
    click(&mut window, "log");
    assert!(sees(&window, "PSF picture"));
}

#[test]
fn a_preset_is_taken_undone_saved_and_deleted() {
    let mut window = with_demo();
    let before = setup(&mut window);
    click(&mut window, "Presets");
    click(&mut window, "Real capture");
    let taken = setup(&mut window);
    assert!(taken.fit_gain && taken.pitch_um == Some(24.0) && taken.sigma_px.unknown);
    window.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    window.step();
    assert_eq!(setup(&mut window), before);

    window.state_mut().setup_mut().dist_mm.value = 7.5;
    click(&mut window, "Presets");
    click(&mut window, "Save, rename or delete ...");
    window.get_by_label("name").focus();
    window.step();
    window.get_by_label("name").type_text("bench 3");
    window.step();
    window.step();
    click(&mut window, "Save preset");
    click(&mut window, "Done");
    window.state_mut().setup_mut().dist_mm.value = 2.0;
    click(&mut window, "Presets");
    click(&mut window, "bench 3");
    assert_eq!(setup(&mut window).dist_mm.value, 7.5);
    click(&mut window, "Presets");
    click(&mut window, "Save, rename or delete ...");
    click(&mut window, "Delete 1");
    // Without the row, the dialog is in the middle again a frame later.
    window.step();
    click(&mut window, "Done");
    click(&mut window, "Presets");
    assert!(sees(&window, "none yet"));
}

#[test]
fn units_are_the_users_choice() {
    let mut window = with_demo();
    click(&mut window, "distance unit");
    click(&mut window, "um");
    let drag = window.get_by_value("5000 um");
    drag.click();
    window.step();
    window.step();
    window.key_combination_modifiers(Modifiers::COMMAND, &[Key::A]);
    window.event(Event::Text("0.0075 m".into()));
    window.step();
    window.key_press(Key::Enter);
    window.step();
    window.step();
    assert_eq!(setup(&mut window).dist_mm.value, 7.5);
}

#[test]
fn a_painted_mask_is_what_the_run_reads() {
    let mut window = with_demo();
    let chosen = window.state_mut().setup_mut();
    (chosen.model, chosen.method) = (Model::Inpaint, Method::Instant);
    window.step();
    click(&mut window, "brush");
    let canvas = window.get_by_label("mask to paint on").rect();
    window.drag_at(canvas.center());
    window.step();
    window.hover_at(canvas.center() + vec2(40.0, 0.0));
    window.step();
    window.drop_at(canvas.center() + vec2(40.0, 0.0));
    window.step();
    window.step();
    assert!(sees(&window, "% of the pixels measured"));
    let drawing = setup(&mut window).drawn.unwrap();
    let share = drawing.share();
    assert!(share < 0.999 && share > 0.9, "{share}");
    click(&mut window, "Start");
    until(&mut window, "the end", |window| sees(window, "Finished in"));
    assert!(drawing.file().is_file());
    std::fs::remove_file(drawing.file()).unwrap();
}
