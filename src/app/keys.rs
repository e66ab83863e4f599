//! Shortcuts.

use eframe::egui;

use super::Studio;
use super::dialog::Chosen;

impl Studio {
    pub(super) fn keys(&mut self, ctx: &egui::Context) {
        use egui::{Key, KeyboardShortcut, Modifiers};
        let pressed = |modifiers, key| {
            ctx.input_mut(|input| input.consume_shortcut(&KeyboardShortcut::new(modifiers, key)))
        };
        if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::Z) {
            self.redo();
        } else if pressed(Modifiers::COMMAND, Key::Z) {
            self.undo();
        } else if pressed(Modifiers::COMMAND, Key::O) {
            self.choose(Chosen::Capture);
        } else if pressed(Modifiers::COMMAND, Key::S) && self.runs.can_save() {
            self.choose(Chosen::Folder);
        }
        if pressed(Modifiers::NONE, Key::F11) {
            self.toggle_presenter(ctx);
        }
        // Escape closes what is open before it stops anything.
        let modal = is_asking(ctx);
        if self.presenter.on && !modal && pressed(Modifiers::NONE, Key::Escape) {
            self.toggle_presenter(ctx);
        }
        // Typing into a field comes first.
        if modal || ctx.text_edit_focused() {
            return;
        }
        release_focus(ctx);
        // A control that was reached by keyboard takes the keys that mean something to it.
        let is_free = !ctx.egui_wants_keyboard_input();
        if is_free && pressed(Modifiers::NONE, Key::Space) {
            self.toggle_pause();
        } else if pressed(Modifiers::NONE, Key::Escape) {
            match self.region.on {
                true => self.region = super::RegionTool::default(),
                false => self.worker.cancel(),
            }
        } else if pressed(Modifiers::NONE, Key::Period) {
            self.step_once();
        } else if is_free && pressed(Modifiers::NONE, Key::ArrowRight) {
            self.show_frame(1);
        } else if is_free && pressed(Modifiers::NONE, Key::ArrowLeft) {
            self.show_frame(-1);
        }
    }
}

/// A control that was clicked gives the keyboard back, so that Space does not click it again.
fn release_focus(ctx: &egui::Context) {
    if ctx.input(|input| input.pointer.any_released())
        && let Some(focused) = ctx.memory(|memory| memory.focused())
    {
        ctx.memory_mut(|memory| memory.surrender_focus(focused));
    }
}

/// Whether a dialog, a menu or a list is open over the window.
pub(super) fn is_asking(ctx: &egui::Context) -> bool {
    ctx.memory(|memory| memory.top_modal_layer().is_some()) || egui::Popup::is_any_open(ctx)
}
