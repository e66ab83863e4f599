//! Draws scenes: on the GPU where the window has one that is right about a test picture, from
//! pictures made on the processor elsewhere.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crossbeam_channel::{Receiver, bounded};
use eframe::egui::{self, Color32, ColorImage, Pos2, Rect, TextureHandle, TextureOptions};
use eframe::egui_wgpu::{self, CallbackResources, CallbackTrait, RenderState, ScreenDescriptor};
use eframe::wgpu;

use crate::clip::Clip;
use crate::display::gpu::{Drawing, Pipeline, verified};
use crate::display::{Layer, Look, Scene};
use crate::worker::Notify;

/// Where a picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// A pane; left or right of its divider.
    Pane(usize, bool),
    /// A frame of the strip.
    Strip(usize),
}

#[derive(Default)]
pub struct Canvas {
    textures: HashMap<Place, (Made, TextureHandle)>,
    gpu: Gpu,
}

#[derive(Default)]
enum Gpu {
    #[default]
    NotAsked,
    Asked(RenderState, Receiver<Result<Pipeline, String>>),
    /// Side of the largest texture it takes.
    Trusted {
        largest: u32,
    },
    Absent {
        because: String,
    },
}

/// What a texture was made of.
struct Made {
    /// Held, so that no other clip can take its place in memory.
    clip: Arc<Clip>,
    frame: usize,
    look: Look,
}

/// What the panes have on the GPU, by their index.
struct Resources {
    pipeline: Pipeline,
    drawings: HashMap<usize, Option<Drawing>>,
}

impl Canvas {
    /// Looks, in a thread of its own, whether the window's GPU can be trusted.
    pub fn begin(&mut self, frame: &eframe::Frame, notify: &Notify) {
        match &self.gpu {
            Gpu::NotAsked => self.gpu = ask(frame.wgpu_render_state(), notify.clone()),
            Gpu::Asked(state, verdict) => {
                if let Ok(verdict) = verdict.try_recv() {
                    self.gpu = take(state, verdict);
                }
            }
            Gpu::Trusted { .. } | Gpu::Absent { .. } => {}
        }
    }

    /// What draws the panes, and why.
    pub fn about(&self) -> String {
        match &self.gpu {
            Gpu::NotAsked | Gpu::Asked(..) => "The panes' GPU is being tested.".into(),
            Gpu::Trusted { .. } => {
                "The GPU draws the panes; it was right about a test picture.".into()
            }
            Gpu::Absent { because } => format!("The processor draws the panes: {because}."),
        }
    }

    /// Draws a scene into `rect` of pane `index`.
    pub fn paint(&mut self, ui: &egui::Ui, index: usize, rect: Rect, scene: &Scene) {
        let layers = std::iter::once(&scene.layer).chain(scene.beyond.iter().map(|(l, _)| l));
        let side = layers.flat_map(Layer::size).max().unwrap_or(0);
        if let Gpu::Trusted { largest } = self.gpu
            && side <= largest as usize
        {
            let pane = Pane {
                index,
                scene: scene.clone(),
            };
            ui.painter()
                .add(egui_wgpu::Callback::new_paint_callback(rect, pane));
            return;
        }
        let seen = Rect::from_min_size(scene.seen.min.into(), scene.seen.size.into());
        let whole = ui.painter();
        let largest = ui.input(|input| input.max_texture_side);
        let Some((beyond, wipe)) = &scene.beyond else {
            let texture = self.texture(ui.ctx(), Place::Pane(index, false), &scene.layer, largest);
            whole.image(texture, rect, seen, Color32::WHITE);
            return;
        };
        let (left, right) = rect.split_left_right_at_fraction(wipe.clamp(0.0, 1.0));
        for (layer, part, is_right) in [(&scene.layer, left, false), (beyond, right, true)] {
            let texture = self.texture(ui.ctx(), Place::Pane(index, is_right), layer, largest);
            whole.with_clip_rect(part.intersect(ui.clip_rect())).image(
                texture,
                rect,
                seen,
                Color32::WHITE,
            );
        }
    }

    /// Draws a whole frame of the strip.
    pub fn thumbnail(&mut self, ui: &egui::Ui, index: usize, rect: Rect, layer: &Layer) {
        let side = (2.0 * rect.width().max(rect.height())) as usize;
        let texture = self.texture(ui.ctx(), Place::Strip(index), layer, side);
        let whole = Rect::from_min_max(Pos2::ZERO, Pos2::new(1.0, 1.0));
        ui.painter().image(texture, rect, whole, Color32::WHITE);
    }

    /// One texture for each place, remade only when what it shows has changed.
    /// `largest` is what it has of rows and columns at most.
    fn texture(
        &mut self,
        ctx: &egui::Context,
        place: Place,
        layer: &Layer,
        largest: usize,
    ) -> egui::TextureId {
        if let Some((made, texture)) = self.textures.get(&place)
            && Arc::ptr_eq(&made.clip, &layer.clip)
            && (made.frame, made.look) == (layer.frame, layer.look)
        {
            return texture.id();
        }
        let made = Made {
            clip: layer.clip.clone(),
            frame: layer.frame,
            look: layer.look,
        };
        let [width, height] = layer.size().map(|side| side.min(largest));
        let pixels = Scene::whole(layer.clone()).paint(width, height);
        let colours = pixels
            .into_iter()
            .map(|[r, g, b]| Color32::from_rgb(r, g, b));
        let image = ColorImage::new([width, height], colours.collect());
        let texture = match self.textures.remove(&place) {
            Some((_, mut texture)) => {
                texture.set(image, TextureOptions::NEAREST);
                texture
            }
            None => ctx.load_texture(format!("{place:?}"), image, TextureOptions::NEAREST),
        };
        let id = texture.id();
        self.textures.insert(place, (made, texture));
        id
    }
}

fn ask(state: Option<&RenderState>, notify: Notify) -> Gpu {
    let Some(state) = state else {
        return Gpu::Absent {
            because: "the window is drawn without wgpu".into(),
        };
    };
    let (sender, verdict) = bounded(1);
    let (device, queue, format) = (
        state.device.clone(),
        state.queue.clone(),
        state.target_format,
    );
    std::thread::spawn(move || {
        let tried = catch_unwind(AssertUnwindSafe(|| verified(&device, &queue, format)));
        let _ = sender.send(tried.unwrap_or_else(|_| Err("its driver failed".into())));
        notify();
    });
    Gpu::Asked(state.clone(), verdict)
}

fn take(state: &RenderState, verdict: Result<Pipeline, String>) -> Gpu {
    match verdict {
        Ok(pipeline) => {
            state.renderer.write().callback_resources.insert(Resources {
                pipeline,
                drawings: HashMap::new(),
            });
            Gpu::Trusted {
                largest: state.device.limits().max_texture_dimension_2d,
            }
        }
        Err(because) => Gpu::Absent { because },
    }
}

/// A pane as egui's renderer sees it.
struct Pane {
    index: usize,
    scene: Scene,
}

impl CallbackTrait for Pane {
    fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        _screen: &ScreenDescriptor,
        _encoder: &mut wgpu::CommandEncoder,
        resources: &mut CallbackResources,
    ) -> Vec<wgpu::CommandBuffer> {
        if let Some(Resources { pipeline, drawings }) = resources.get_mut() {
            let drawing = drawings.entry(self.index).or_default();
            pipeline.prepare(device, queue, drawing, &self.scene);
        }
        Vec::new()
    }

    fn paint(
        &self,
        _info: egui::PaintCallbackInfo,
        pass: &mut wgpu::RenderPass<'static>,
        resources: &CallbackResources,
    ) {
        if let Some(Resources { pipeline, drawings }) = resources.get()
            && let Some(Some(drawing)) = drawings.get(&self.index)
        {
            pipeline.draw(pass, drawing);
        }
    }
}
