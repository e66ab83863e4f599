//! Scenes on a GPU, with `shaders/display.wgsl`.

mod check;

use std::sync::Arc;

use eframe::wgpu;

use super::{ColourMap, Layer, Scene, Transform, Window};
use crate::clip::Clip;

pub use check::{paint, specimen, verified};

/// The shader's text.
pub const SHADER: &str = include_str!("../../../shaders/display.wgsl");

/// Bytes of the shader's `Scene`, to a multiple of 16.
const UNIFORM_BYTES: u64 = 64;

/// What all panes that are drawn into one format have in common.
pub struct Pipeline {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    colours: wgpu::TextureView,
}

/// What one pane has on the GPU.
pub struct Drawing {
    uniforms: wgpu::Buffer,
    bind_group: wgpu::BindGroup,
    layers: [Uploaded; 2],
}

/// A frame in a texture, with what it was made of.
#[derive(Clone)]
struct Uploaded {
    clip: Arc<Clip>,
    frame: usize,
    texture: wgpu::Texture,
}

impl Pipeline {
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, target: wgpu::TextureFormat) -> Self {
        let shader = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("display"),
            source: wgpu::ShaderSource::Wgsl(SHADER.into()),
        });
        let texture = |binding| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::FRAGMENT,
            ty: wgpu::BindingType::Texture {
                sample_type: wgpu::TextureSampleType::Float { filterable: false },
                view_dimension: wgpu::TextureViewDimension::D2,
                multisampled: false,
            },
            count: None,
        };
        let uniforms = wgpu::BindGroupLayoutEntry {
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            ..texture(0)
        };
        let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("display"),
            entries: &[uniforms, texture(1), texture(2), texture(3)],
        });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            label: Some("display"),
            bind_group_layouts: &[Some(&layout)],
            immediate_size: 0,
        });
        let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
            label: Some("display"),
            layout: Some(&pipeline_layout),
            vertex: wgpu::VertexState {
                module: &shader,
                entry_point: Some("corner"),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                buffers: &[],
            },
            primitive: wgpu::PrimitiveState::default(),
            depth_stencil: None,
            multisample: wgpu::MultisampleState::default(),
            fragment: Some(wgpu::FragmentState {
                module: &shader,
                entry_point: Some(if target.is_srgb() { "linear" } else { "shown" }),
                compilation_options: wgpu::PipelineCompilationOptions::default(),
                targets: &[Some(target.into())],
            }),
            multiview_mask: None,
            cache: None,
        });
        Self {
            pipeline,
            layout,
            colours: colours(device, queue),
        }
    }

    /// Brings what a pane shows onto the GPU: frames only where they have changed.
    pub fn prepare(
        &self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        drawing: &mut Option<Drawing>,
        scene: &Scene,
    ) {
        let before = drawing.take();
        let right = scene
            .beyond
            .as_ref()
            .map_or(&scene.layer, |(layer, _)| layer);
        let (uniforms, bound, had) = match before {
            Some(before) => (
                before.uniforms,
                Some(before.bind_group),
                before.layers.map(Some),
            ),
            None => (uniform_buffer(device), None, [None, None]),
        };
        let [had_left, had_right] = had;
        let textures = |layer: &Option<Uploaded>| layer.as_ref().map(|had| had.texture.clone());
        let old = [textures(&had_left), textures(&had_right)];
        let left = upload(device, queue, &scene.layer, had_left, None);
        let layers = match scene.beyond {
            // One texture serves both where there is no divider.
            None => [left.clone(), left],
            Some(_) => {
                let right = upload(device, queue, right, had_right, Some(&left.texture));
                [left, right]
            }
        };
        queue.write_buffer(&uniforms, 0, &uniform_bytes(scene));
        let same = old
            .iter()
            .zip(&layers)
            .all(|(old, new)| old.as_ref() == Some(&new.texture));
        let bind_group = bound.filter(|_| same).unwrap_or_else(|| {
            let views = layers.each_ref().map(|layer| {
                layer
                    .texture
                    .create_view(&wgpu::TextureViewDescriptor::default())
            });
            let entry = |binding, resource| wgpu::BindGroupEntry { binding, resource };
            device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("display"),
                layout: &self.layout,
                entries: &[
                    entry(0, uniforms.as_entire_binding()),
                    entry(1, wgpu::BindingResource::TextureView(&views[0])),
                    entry(2, wgpu::BindingResource::TextureView(&views[1])),
                    entry(3, wgpu::BindingResource::TextureView(&self.colours)),
                ],
            })
        });
        *drawing = Some(Drawing {
            uniforms,
            bind_group,
            layers,
        });
    }

    /// Draws over the whole viewport.
    pub fn draw(&self, pass: &mut wgpu::RenderPass<'_>, drawing: &Drawing) {
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &drawing.bind_group, &[]);
        pass.draw(0..3, 0..1);
    }
}

fn texture_of(
    size: wgpu::Extent3d,
    format: wgpu::TextureFormat,
) -> wgpu::TextureDescriptor<'static> {
    wgpu::TextureDescriptor {
        label: Some("display"),
        size,
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::TEXTURE_BINDING | wgpu::TextureUsages::COPY_DST,
        view_formats: &[],
    }
}

fn fill(queue: &wgpu::Queue, texture: &wgpu::Texture, bytes: &[u8]) {
    let layout = wgpu::TexelCopyBufferLayout {
        offset: 0,
        bytes_per_row: Some(4 * texture.width()),
        rows_per_image: None,
    };
    queue.write_texture(texture.as_image_copy(), bytes, layout, texture.size());
}

fn colours(device: &wgpu::Device, queue: &wgpu::Queue) -> wgpu::TextureView {
    let tables = ColourMap::ALL.map(ColourMap::table);
    let size = wgpu::Extent3d {
        width: tables[0].len() as u32,
        height: tables.len() as u32,
        depth_or_array_layers: 1,
    };
    let texture = device.create_texture(&texture_of(size, wgpu::TextureFormat::Rgba8Unorm));
    let entries = tables.into_iter().flatten();
    let bytes: Vec<u8> = entries.flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
    fill(queue, &texture, &bytes);
    texture.create_view(&wgpu::TextureViewDescriptor::default())
}

/// The layer as a texture: the one there was, where it fits and no other layer uses it.
fn upload(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    layer: &Layer,
    had: Option<Uploaded>,
    taken: Option<&wgpu::Texture>,
) -> Uploaded {
    let [width, height] = layer.size().map(|side| side as u32);
    let fits = |had: &Uploaded| {
        (had.texture.width(), had.texture.height()) == (width, height)
            && taken != Some(&had.texture)
    };
    let had = had.filter(fits);
    if let Some(had) = &had
        && Arc::ptr_eq(&had.clip, &layer.clip)
        && had.frame == layer.frame
    {
        return had.clone();
    }
    let texture = had.map(|had| had.texture).unwrap_or_else(|| {
        let size = wgpu::Extent3d {
            width,
            height,
            depth_or_array_layers: 1,
        };
        device.create_texture(&texture_of(size, wgpu::TextureFormat::R32Float))
    });
    let bytes: Vec<u8> = layer
        .values()
        .iter()
        .flat_map(|v| v.to_le_bytes())
        .collect();
    fill(queue, &texture, &bytes);
    Uploaded {
        clip: layer.clip.clone(),
        frame: layer.frame,
        texture,
    }
}

fn uniform_buffer(device: &wgpu::Device) -> wgpu::Buffer {
    device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("display"),
        size: UNIFORM_BYTES,
        usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    })
}

/// The shader's `Scene`.
fn uniform_bytes(scene: &Scene) -> [u8; UNIFORM_BYTES as usize] {
    // Beyond every share of a pane where there is no divider.
    let nowhere = (&scene.layer, 2.0);
    let (right, wipe) = scene
        .beyond
        .as_ref()
        .map_or(nowhere, |(right, wipe)| (right, *wipe));
    let Window { min, size } = scene.seen;
    let [left, right] = [&scene.layer.look, &right.look].map(|look| {
        let transform = match look.transform {
            Transform::Keep => 0u32,
            Transform::Square => 1,
            Transform::Root => 2,
        };
        [
            look.range.low.to_le_bytes(),
            look.range.scale().to_le_bytes(),
            (look.map as u32).to_le_bytes(),
            transform.to_le_bytes(),
        ]
    });
    let head = [min[0], min[1], size[0], size[1]].map(f32::to_le_bytes);
    let words = [
        head,
        left,
        right,
        [wipe, 0.0, 0.0, 0.0].map(f32::to_le_bytes),
    ];
    let mut bytes = [0; UNIFORM_BYTES as usize];
    let places = bytes.as_chunks_mut::<4>().0;
    places
        .iter_mut()
        .zip(words.into_iter().flatten())
        .for_each(|(place, word)| *place = word);
    bytes
}
