//! Runs: watched, changed on the way, branched, compared, saved.

use std::path::Path;

use vdps::app::{Method, Opening, Prior, Setup, Studio};

use super::{Harness, click, demo, sees, until, window, with_demo};

/// A network small enough for tests, with weights that mean nothing.
fn tiny_network() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/selftest/unet_dim8_heads32.safetensors")
}

/// The steps of the estimates that were seen, until something else is.
fn steps_until(window: &mut Harness<'static, Studio>, end: &str) -> Vec<usize> {
    let seen = std::cell::RefCell::new(Vec::new());
    until(window, end, |window| {
        let step = window.state().shown_step();
        let mut seen = seen.borrow_mut();
        if let Some(step) = step.filter(|step| seen.last() != Some(step)) {
            seen.push(step);
        }
        sees(window, end)
    });
    seen.into_inner()
}

#[test]
fn the_reference_solver_forms_x0_step_by_step_and_branches() {
    let setup = Setup {
        method: Method::Reference,
        prior: Prior::Checkpoint,
        checkpoint: Some(tiny_network()),
        steps: 6,
        ..Setup::default()
    };
    let mut window = window(Opening {
        capture: Some(demo("measurement.gif")),
        truth: Some(demo("truth.gif")),
        setup: Some(setup),
        run: true,
        ..Opening::default()
    });
    let steps = steps_until(&mut window, "Finished in");
    assert!(steps.len() >= 5 && steps.last() == Some(&6), "{steps:?}");

    click(&mut window, "Runs");
    assert!(sees(&window, "6 of 6"));
    // At its end there is nothing to branch.
    window.state_mut().show_step(3);
    window.state_mut().setup_mut().guidance = 2.0;
    window.step();
    click(&mut window, "Branch from step 3");
    until(&mut window, "the branch", |window| {
        sees(window, "run 1 from step 3")
    });
    let steps = steps_until(&mut window, "Finished in");
    assert_eq!(steps.last(), Some(&6));
    assert!(sees(&window, "from step 4: guidance 2"));

    let folder = tempfile::tempdir().unwrap();
    window.state_mut().save_result(folder.path().join("branch"));
    until(&mut window, "the files", |window| sees(window, "Saved"));
    let record = std::fs::read_to_string(folder.path().join("branch/run.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(record["changes"][0]["step"], 3);
    assert_eq!(record["changes"][0]["change"]["guidance"], 2.0);
    let command: Vec<&str> = record["command_line"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|word| word.as_str())
        .collect();
    assert!(command.contains(&"--change=3:guidance=2"), "{command:?}");

    let saved = folder.path().join("branch/reconstruction.gif");
    window.state_mut().open(saved, None);
    // Run 1 was never saved.
    window.step();
    window.step();
    click(&mut window, "Open it");
    until(&mut window, "the saved clip", |window| {
        sees(window, "reconstruction.gif is open")
    });
}

#[test]
fn a_slider_moved_during_a_run_counts_from_the_next_step() {
    let mut window = with_demo();
    let setup = window.state_mut().setup_mut();
    setup.method = Method::Instant;
    click(&mut window, "Start");
    until(&mut window, "the first steps", |window| {
        window.state().shown_step().is_some()
    });
    click(&mut window, "Pause");
    window.state_mut().setup_mut().dist_mm.value = 5.5;
    until(&mut window, "the change", |window| {
        sees(window, "distance 5.500 mm")
    });
    // What a run cannot be changed to is said.
    window.state_mut().setup_mut().dist_mm.unknown = true;
    window.step();
    assert!(sees(&window, "Restart uses what the panels say"));
    window.state_mut().setup_mut().dist_mm.unknown = false;
    click(&mut window, "Resume");
    until(&mut window, "the end", |window| sees(window, "Finished in"));
}

#[test]
fn plots_are_saved_as_pictures_and_tables() {
    let mut window = with_demo();
    window.state_mut().setup_mut().method = Method::Instant;
    click(&mut window, "Start");
    until(&mut window, "the end", |window| sees(window, "Finished in"));
    let folder = tempfile::tempdir().unwrap();
    for tab in ["Convergence", "Spectrum", "Parameters"] {
        click(&mut window, tab);
        let (table, picture) = (
            folder.path().join("plot.csv"),
            folder.path().join("plot.png"),
        );
        window.state_mut().save_plot(&table);
        window.state_mut().save_plot(&picture);
        window.step();
        assert!(sees(&window, "plot.png"), "{tab}");
        let lines = std::fs::read_to_string(&table).unwrap().lines().count();
        assert!(lines > 2, "{tab}: {lines} lines");
        assert!(image::open(&picture).is_ok());
    }
    window
        .state_mut()
        .save_plot(Path::new("no/such/folder/plot.csv"));
    window.step();
    assert!(sees(&window, "The plot cannot be saved"));
}
