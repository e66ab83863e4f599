//! The views, and what is exported of them.

use eframe::egui::{Key, accesskit::Role};
use vdps::display::animation::Arrangement;
use vdps::media::{ReadOptions, open};

use super::*;

/// Chooses an entry of a drop-down list by its name and label.
fn choose(window: &mut Harness<'static, Studio>, list: &str, entry: &str) {
    window.get_by_role_and_label(Role::ComboBox, list).click();
    // A list that opens finds its place first.
    window.run_steps(6);
    click(window, entry);
    window.run_steps(2);
}

fn count(window: &Harness<'static, Studio>, text: &str) -> usize {
    window.query_all_by_label_contains(text).count()
}

#[test]
fn panes_say_what_they_show_and_can_show_either_quantity() {
    let mut window = with_demo();
    assert!(sees(&window, "amplitude"));
    assert!(sees(&window, "intensity"));
    choose(&mut window, "Values", "as intensity");
    assert_eq!(count(&window, "amplitude"), 0);
    choose(&mut window, "Values", "as amplitude");
    assert!(sees(&window, "amplitude"));
    choose(&mut window, "Contrast", "full range");
    assert!(!sees(&window, "low percentile"));
    choose(&mut window, "Contrast", "percentiles");
    assert!(sees(&window, "low percentile") && sees(&window, "high percentile"));
}

#[test]
fn a_pane_is_maximised_and_put_back() {
    let mut window = with_demo();
    assert_eq!(count(&window, "picture of"), 4);
    let first = window.query_all_by_label("Maximise").next();
    first.expect("each pane has a button").click();
    window.step();
    window.step();
    assert_eq!(count(&window, "picture of"), 1);
    click(&mut window, "Back");
    assert_eq!(count(&window, "picture of"), 4);
    window.key_press(Key::M);
    window.step();
    assert_eq!(count(&window, "picture of"), 1);
    window.key_press(Key::M);
    window.step();
    window.step();
    assert_eq!(count(&window, "picture of"), 4);
}

#[test]
fn a_divider_wipes_between_two_clips() {
    let mut window = with_demo();
    choose(&mut window, "pane 2", "True video");
    click(&mut window, "Wipe");
    let divider =
        |window: &Harness<'static, Studio>| window.get_by_label("wipe divider").rect().center();
    let before = divider(&window);
    window.drag_at(before);
    window.step();
    window.hover_at(before + eframe::egui::vec2(60.0, 0.0));
    window.step();
    window.drop_at(before + eframe::egui::vec2(60.0, 0.0));
    window.step();
    window.step();
    let moved = divider(&window).x - before.x;
    assert!((moved - 60.0).abs() < 8.0, "moved by {moved}");
}

#[test]
fn escape_closes_a_list_before_it_stops_a_run() {
    let mut window = with_demo();
    click(&mut window, "Start");
    until(&mut window, "the first steps", |window| {
        sees(window, "step ")
    });
    click(&mut window, "Pause");
    let list = window.get_by_role_and_label(Role::ComboBox, "Contrast");
    list.click();
    window.run_steps(6);
    assert!(sees(&window, "full range"));
    window.key_press(Key::Escape);
    window.run_steps(6);
    assert!(!sees(&window, "full range") && sees(&window, "Resume"));
}

#[test]
fn a_line_is_drawn_and_its_values_plotted() {
    let mut window = with_demo();
    assert!(!sees(&window, "intensity by um"));
    click(&mut window, "Profile");
    until(&mut window, "the profile", |window| {
        sees(window, "intensity by um")
    });
}

#[test]
fn a_pane_without_an_estimate_says_where_to_look() {
    let window = with_demo();
    assert!(sees(
        &window,
        "No estimate yet: Re-measured shows A of a first guess"
    ));
}

#[test]
fn a_figure_holds_the_panes() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_demo();
    until(&mut window, "the live residual", |window| {
        sees(window, "rms")
    });
    let path = folder.path().join("figure");
    window.state_mut().export_figure(path.clone());
    until(&mut window, "the figure", |window| {
        sees(window, "The figure is in")
    });
    let figure = image::open(path.with_extension("png")).unwrap().into_rgb8();
    // Two columns of 64 pixels, six times as large, beside margins and colour bars.
    assert!(figure.width() > 2 * 6 * 64 && figure.height() > 2 * 6 * 64);
    let colours: std::collections::HashSet<_> = figure.pixels().collect();
    assert!(colours.len() > 100, "{} colours", colours.len());
    let error = folder.path().join("no/such\0folder/figure.png");
    window.state_mut().export_figure(error);
    until(&mut window, "the error", |window| {
        sees(window, "could not be written")
    });
}

#[test]
fn an_animation_holds_the_estimates_of_a_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = with_demo();
    let path = folder.path().join("run.gif");
    let export = |window: &mut Harness<'static, Studio>| {
        let path = path.clone();
        window
            .state_mut()
            .export_animation(path, Arrangement::AllFrames);
        window.step();
    };
    export(&mut window);
    assert!(sees(&window, "Start a run first"));
    click(&mut window, "Start");
    until(&mut window, "the end", |window| sees(window, "Finished in"));
    export(&mut window);
    until(&mut window, "the animation", |window| {
        sees(window, "The animation is in")
    });
    let clip = open(&path, &ReadOptions::default()).unwrap().clip;
    assert!(clip.shape().frames >= 2, "{}", clip.shape());
    assert_ne!(clip.frame(0), clip.frame(clip.shape().frames - 1));
}

#[test]
fn the_gpu_draws_the_window_that_the_processor_draws() {
    const NAME: &str = "the_gpu_draws_the_window_that_the_processor_draws";
    if crate::display::device_or_skip(NAME).is_none() {
        return;
    }
    let pictures = [false, true].map(|on_gpu| {
        let builder = Harness::builder().with_size([1280.0, 800.0]);
        let builder = if on_gpu { builder.wgpu() } else { builder };
        let mut window = builder.build_eframe(|context| {
            let opening = Opening {
                capture: Some(demo("measurement.gif")),
                truth: Some(demo("truth.gif")),
                setup: Some(Setup::default()),
                ..Opening::default()
            };
            Studio::new(&context.egui_ctx, None, plan(), opening).expect("threads can be had")
        });
        until(&mut window, "the live residual", |window| {
            sees(window, "measurement.gif is open") && sees(window, "rms")
        });
        let verdict = match on_gpu {
            true => "The GPU draws the panes",
            false => "The processor draws the panes: the window is drawn without wgpu.",
        };
        click(&mut window, "View");
        until(&mut window, verdict, |window| sees(window, verdict));
        click(&mut window, "View");
        choose(&mut window, "pane 2", "True video");
        click(&mut window, "Wipe");
        window.step();
        window.render().expect("there is a device")
    });
    let [processor, gpu] = &pictures;
    assert_eq!(processor.dimensions(), gpu.dimensions());
    let apart = |(a, b): (&image::Rgba<u8>, &image::Rgba<u8>)| {
        a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 2)
    };
    let differ = processor
        .pixels()
        .zip(gpu.pixels())
        .filter(|&pair| apart(pair));
    // Where a pixel of the window straddles two of the video, rounding decides.
    let (differ, all) = (differ.count(), processor.pixels().len());
    assert!(differ < all / 100, "{differ} of {all} pixels differ");
}
