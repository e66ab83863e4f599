//! Demos one after the other, unattended.

use eframe::egui;
use serde::{Deserialize, Serialize};

use crate::run::demos::{DEMOS, Demo};

/// Which demos are shown and for how long; it outlives the window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Playlist {
    pub entries: Vec<Entry>,
    /// How long a result is played before the next demo.
    pub result_s: f64,
    /// How long nobody must have touched anything before the demos go on.
    pub untouched_s: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The demo's name.
    pub demo: String,
    pub on: bool,
    /// The least time in which its estimate forms.
    pub forms_s: f64,
}

/// On a fast machine a run would be over before anybody has seen it.
const FORMS_S: f64 = 32.0;

impl Default for Playlist {
    fn default() -> Self {
        let mut list = Self {
            entries: Vec::new(),
            result_s: 12.0,
            untouched_s: 60.0,
        };
        list.complete();
        list
    }
}

impl Playlist {
    /// Holds each demo of this program once, whatever an earlier version kept.
    pub fn complete(&mut self) {
        self.entries
            .retain(|entry| Demo::named(&entry.demo).is_ok());
        for demo in &DEMOS {
            if !self.entries.iter().any(|entry| entry.demo == demo.name) {
                self.entries.push(Entry {
                    demo: demo.name.to_owned(),
                    on: true,
                    forms_s: FORMS_S,
                });
            }
        }
    }

    pub fn forms_s(&self, demo: &Demo) -> f64 {
        let entry = self.entries.iter().find(|entry| entry.demo == demo.name);
        entry.map_or(FORMS_S, |entry| entry.forms_s)
    }

    /// The one after `present`, round and round; none where none is on.
    pub fn next(&self, present: Option<&Demo>) -> Option<&'static Demo> {
        let at = present.and_then(|demo| {
            let entries = &mut self.entries.iter();
            entries.position(|entry| entry.demo == demo.name)
        });
        let from = at.map_or(0, |at| at + 1);
        let (before, after) = self.entries.split_at(from.min(self.entries.len()));
        let next = after.iter().chain(before).find(|entry| entry.on)?;
        Demo::named(&next.demo).ok()
    }

    /// The list to edit.
    pub fn edit(&mut self, ui: &mut egui::Ui) {
        let last = self.entries.len().saturating_sub(1);
        let mut swap = None;
        egui::Grid::new("playlist").num_columns(4).show(ui, |ui| {
            for (index, entry) in self.entries.iter_mut().enumerate() {
                let title = Demo::named(&entry.demo).map_or("", |demo| demo.title);
                let name = ui
                    .checkbox(&mut entry.on, title)
                    .on_hover_text("Whether it is shown");
                let seconds = egui::DragValue::new(&mut entry.forms_s)
                    .range(1.0..=600.0)
                    .suffix(" s");
                ui.add_enabled(entry.on, seconds)
                    .labelled_by(name.id)
                    .on_hover_text("The least time in which its estimate forms");
                let up = egui::Button::new("Earlier");
                if ui.add_enabled(index > 0, up).clicked() {
                    swap = Some((index - 1, index));
                }
                let down = egui::Button::new("Later");
                if ui.add_enabled(index < last, down).clicked() {
                    swap = Some((index, index + 1));
                }
                ui.end_row();
            }
        });
        if let Some((a, b)) = swap {
            self.entries.swap(a, b);
        }
        let mut seconds = |text: &str, value: &mut f64, about: &str| {
            ui.horizontal(|ui| {
                let name = ui.label(text);
                let drag = egui::DragValue::new(value).range(1.0..=3600.0).suffix(" s");
                ui.add(drag).labelled_by(name.id).on_hover_text(about);
            });
        };
        seconds(
            "each result plays for",
            &mut self.result_s,
            "Before the next demo begins",
        );
        seconds(
            "after a touch wait for",
            &mut self.untouched_s,
            "In presenter mode a key or a click stops the list; it goes on when nobody has \
             touched anything for this long",
        );
    }
}

/// The demos are going on by themselves.
#[derive(Debug, Default)]
pub(super) struct Tour {
    /// When the present result began to play.
    result_since: Option<f64>,
    /// When somebody last touched something.
    touched: Option<f64>,
}

/// What a tour does now.
#[derive(Debug, PartialEq)]
pub(super) enum Turn {
    /// Wait for the run.
    Watch,
    /// The next demo begins in so many seconds.
    Result(f64),
    /// Held by a touch for so many seconds yet.
    Held(f64),
    /// Nobody has touched anything for long enough.
    GoOn,
    Next,
}

impl Tour {
    pub fn touch(&mut self, now: f64) {
        self.touched = Some(now);
    }

    /// `busy` while a demo is read or computed; times in seconds.
    pub fn turn(&mut self, now: f64, busy: bool, list: &Playlist) -> Turn {
        if let Some(touched) = self.touched {
            let left = touched + list.untouched_s - now;
            self.result_since = None;
            if left > 0.0 {
                return Turn::Held(left);
            }
            self.touched = None;
            return Turn::GoOn;
        }
        if busy {
            self.result_since = None;
            return Turn::Watch;
        }
        let since = *self.result_since.get_or_insert(now);
        match since + list.result_s - now {
            left if left > 0.0 => Turn::Result(left),
            _ => {
                self.result_since = None;
                Turn::Next
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demos_follow_each_other_round_and_round() {
        let mut list = Playlist::default();
        let order = |list: &Playlist| {
            let mut demo = None;
            let mut names = Vec::new();
            for _ in 0..DEMOS.len() + 1 {
                demo = list.next(demo);
                names.extend(demo.map(|demo| demo.name));
            }
            names
        };
        assert_eq!(order(&list).first(), order(&list).last());
        list.entries.iter_mut().skip(2).for_each(|e| e.on = false);
        list.entries.swap(0, 1);
        assert_eq!(order(&list)[..3], ["blind", "scatter", "blind"]);
        list.entries.iter_mut().for_each(|entry| entry.on = false);
        assert!(order(&list).is_empty());
    }

    #[test]
    fn a_list_of_another_version_is_completed() {
        let mut list = Playlist::default();
        list.entries.truncate(1);
        list.entries[0].forms_s = 5.0;
        list.entries.push(Entry {
            demo: "unicorn".into(),
            on: true,
            forms_s: 1.0,
        });
        list.complete();
        assert_eq!(list.entries.len(), DEMOS.len());
        assert_eq!(list.forms_s(&DEMOS[0]), 5.0);
    }

    #[test]
    fn a_tour_waits_for_the_run_plays_the_result_and_heeds_a_touch() {
        let list = Playlist::default();
        let mut tour = Tour::default();
        assert_eq!(tour.turn(0.0, true, &list), Turn::Watch);
        assert_eq!(tour.turn(40.0, false, &list), Turn::Result(12.0));
        assert_eq!(tour.turn(50.0, false, &list), Turn::Result(2.0));
        tour.touch(51.0);
        assert_eq!(tour.turn(61.0, false, &list), Turn::Held(50.0));
        assert_eq!(tour.turn(111.0, false, &list), Turn::GoOn);
        assert_eq!(tour.turn(111.0, false, &list), Turn::Result(12.0));
        assert_eq!(tour.turn(123.0, false, &list), Turn::Next);
    }
}
