//! Bundled demos: the gallery, the tour, presenter mode.

use eframe::egui::accesskit::Role;
use egui_kittest::kittest::Queryable;
use vdps::app::{Model, Opening, Studio};
use vdps::run::demos::Demo;

use super::{Harness, click, sees, until, window};

fn at_full_speed(name: &str, tour: bool) -> Harness<'static, Studio> {
    window(Opening {
        demo: Some(Demo::named(name).unwrap()),
        tour,
        full_speed: true,
        ..Opening::default()
    })
}

#[test]
fn a_card_opens_its_demo_with_its_model_and_starts_slowed_to_be_watched() {
    let mut window = window(Opening::default());
    window.step();
    click(&mut window, "Out of focus");
    until(&mut window, "the first steps", |window| {
        sees(window, "step ")
    });
    assert_eq!(window.state_mut().setup_mut().model, Model::Blur);
    assert!(sees(&window, "slowed to be watched: 32 s at least"));
    click(&mut window, "Full speed");
    assert!(!sees(&window, "slowed to be watched"));
    until(&mut window, "the end", |window| sees(window, "Finished in"));
}

#[test]
fn the_gallery_opens_over_a_capture_and_cards_can_be_chosen_by_key() {
    let mut window = at_full_speed("haze", false);
    until(&mut window, "the end", |window| sees(window, "Finished in"));
    click(&mut window, "Demos ...");
    until(&mut window, "the cards", |window| {
        sees(window, "Each opens in place")
    });
    window.get_by_label("Missing pixels").focus();
    window.step();
    window.key_press(eframe::egui::Key::Enter);
    until(&mut window, "the demo", |window| {
        sees(window, "three pixels in ten")
    });
    click(&mut window, "Stop");
}

#[test]
fn a_tour_goes_on_by_itself_until_somebody_takes_over() {
    let mut window = at_full_speed("haze", true);
    until(&mut window, "the run", |window| {
        sees(window, "the next demo follows by itself")
    });
    until(&mut window, "the result", |window| {
        sees(window, "next demo in")
    });
    until(&mut window, "the next demo", |window| {
        sees(window, "Swimming cells")
    });
    window.key_press(eframe::egui::Key::ArrowRight);
    until(&mut window, "the end of the tour", |window| {
        sees(window, "The demos stop here")
    });
    assert!(sees(&window, "Play all demos"));
}

#[test]
fn presenter_mode_shows_the_demo_in_large_and_leaves_by_f11_or_esc() {
    use eframe::egui::Key;
    let mut window = at_full_speed("haze", true);
    until(&mut window, "the first steps", |window| {
        sees(window, "step ")
    });
    for leave in [Key::F11, Key::Escape] {
        assert!(sees(&window, "Forward model"));
        window.key_press(Key::F11);
        window.step();
        window.step();
        assert!(sees(&window, "Leave") && !sees(&window, "Forward model"));
        until(&mut window, "the numbers", |window| sees(window, "PSNR"));
        window.key_press(leave);
        window.step();
        window.step();
    }
    assert!(sees(&window, "Forward model") && !sees(&window, "Leave"));
}

#[test]
fn a_touch_in_presenter_mode_holds_the_playlist_for_a_while() {
    use eframe::egui::Key;
    let mut window = at_full_speed("haze", true);
    window.key_press(Key::F11);
    until(&mut window, "the result", |window| {
        sees(window, "next demo in")
    });
    window.key_press(Key::ArrowRight);
    until(&mut window, "the hold", |window| {
        sees(window, "held; goes on in")
    });
    until(&mut window, "the next demo", |window| {
        sees(window, "Swimming cells")
    });
}

#[test]
fn the_playlist_can_be_edited() {
    let mut window = window(Opening::default());
    window.step();
    click(&mut window, "Present");
    click(&mut window, "Playlist ...");
    until(&mut window, "the list", |window| {
        sees(window, "each result plays for")
    });
    for title in ["Through a scattering layer", "Through an unknown layer"] {
        window.get_by_role_and_label(Role::CheckBox, title).click();
        window.step();
    }
    click(&mut window, "Play the playlist");
    until(&mut window, "the first demo that is on", |window| {
        sees(window, "badly out of shape")
    });
    assert!(sees(&window, "Leave"));
}
