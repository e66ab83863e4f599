use std::path::Path;

use eframe::egui::{self, RichText};

/// What became of saving a result.
pub fn of_saving(folder: &Path, result: &Result<Vec<String>, String>) -> Notice {
    let folder = folder.display();
    match result {
        // With run.json.
        Ok(files) => Notice::hint(format!("Saved {} files into {folder}", files.len() + 1)),
        Err(error) => Notice::error(
            format!("Nothing could be saved into {folder}"),
            error.clone(),
        ),
    }
}

/// What happened last, and what to do next.
pub struct Notice {
    text: String,
    /// Of an error: all that is known, to copy.
    detail: Option<String>,
}

impl Notice {
    pub fn hint(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            detail: None,
        }
    }

    pub fn error(text: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            detail: Some(detail.into()),
        }
    }

    /// All that it says.
    pub fn words(&self) -> String {
        match &self.detail {
            Some(detail) => format!("{}: {detail}", self.text),
            None => self.text.clone(),
        }
    }

    pub fn show(&self, ui: &mut egui::Ui) {
        ui.horizontal_wrapped(|ui| match &self.detail {
            None => {
                ui.label(&self.text);
            }
            Some(detail) => {
                let colour = ui.visuals().error_fg_color;
                ui.label(
                    RichText::new(format!("{}:", self.text))
                        .color(colour)
                        .strong(),
                );
                ui.label(detail);
                if ui
                    .small_button("Copy")
                    .on_hover_text("Copy this message")
                    .clicked()
                {
                    ui.ctx().copy_text(self.words());
                }
            }
        });
    }
}
