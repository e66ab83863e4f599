//! Whether a device draws what the processor draws.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use eframe::wgpu;

use super::{Pipeline, texture_of};
use crate::clip::{Clip, Shape};
use crate::display::{ColourMap, Layer, Look, Range, Scene, Transform, Window};

/// How long a device may take for a small picture.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pipeline for a window's format, once the device has drawn what the processor draws.
///
/// # Errors
/// What the device got wrong.
pub fn verified(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    target: wgpu::TextureFormat,
) -> Result<Pipeline, String> {
    let (scene, width, height) = (specimen(), 48, 40);
    let drawn = paint(device, queue, &scene, width, height, target.is_srgb())?;
    let wanted = scene.paint(width, height);
    let differ = |(drawn, wanted): &(&[u8; 3], &[u8; 3])| {
        drawn
            .iter()
            .zip(wanted.iter())
            .any(|(a, b)| a.abs_diff(*b) > 1)
    };
    match drawn.iter().zip(&wanted).filter(differ).count() {
        0 => guarded(device, || Pipeline::new(device, queue, target)),
        wrong => Err(format!(
            "{wrong} of {} pixels of a test picture have wrong colours",
            wanted.len()
        )),
    }
}

/// A picture drawn by the GPU, as [`Scene::paint`] draws it; `srgb`: into a target that turns
/// linear light into sRGB itself.
///
/// # Errors
/// What the device complains of.
pub fn paint(
    device: &wgpu::Device,
    queue: &wgpu::Queue,
    scene: &Scene,
    width: usize,
    height: usize,
    srgb: bool,
) -> Result<Vec<[u8; 3]>, String> {
    let format = match srgb {
        true => wgpu::TextureFormat::Rgba8UnormSrgb,
        false => wgpu::TextureFormat::Rgba8Unorm,
    };
    let (sender, mapped) = std::sync::mpsc::channel();
    let row_bytes = (4 * width as u32).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
    let buffer = guarded(device, || {
        let pipeline = Pipeline::new(device, queue, format);
        let mut drawing = None;
        pipeline.prepare(device, queue, &mut drawing, scene);
        let size = wgpu::Extent3d {
            width: width as u32,
            height: height as u32,
            depth_or_array_layers: 1,
        };
        let target = device.create_texture(&wgpu::TextureDescriptor {
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            ..texture_of(size, format)
        });
        let view = target.create_view(&wgpu::TextureViewDescriptor::default());
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("display"),
            size: u64::from(row_bytes) * height as u64,
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: &view,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations::default(),
                })],
                ..wgpu::RenderPassDescriptor::default()
            });
            if let Some(drawing) = &drawing {
                pipeline.draw(&mut pass, drawing);
            }
        }
        encoder.copy_texture_to_buffer(
            target.as_image_copy(),
            wgpu::TexelCopyBufferInfo {
                buffer: &buffer,
                layout: wgpu::TexelCopyBufferLayout {
                    offset: 0,
                    bytes_per_row: Some(row_bytes),
                    rows_per_image: None,
                },
            },
            size,
        );
        queue.submit([encoder.finish()]);
        buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            let _ = sender.send(result);
        });
        buffer
    })?;
    let waited = device.poll(wgpu::PollType::Wait {
        submission_index: None,
        timeout: Some(PATIENCE),
    });
    waited.map_err(|error| error.to_string())?;
    let mapped = mapped
        .recv_timeout(PATIENCE)
        .map_err(|error| error.to_string())?;
    mapped.map_err(|error| error.to_string())?;
    let bytes = buffer
        .get_mapped_range(..)
        .map_err(|error| error.to_string())?;
    let rows = bytes.chunks_exact(row_bytes as usize);
    Ok(rows
        .flat_map(|row| row[..4 * width].as_chunks::<4>().0)
        .map(|&[red, green, blue, _]| [red, green, blue])
        .collect())
}

/// Runs `work`, whose mistakes become an error in place of a panic.
fn guarded<T>(device: &wgpu::Device, work: impl FnOnce() -> T) -> Result<T, String> {
    let scope = device.push_error_scope(wgpu::ErrorFilter::Validation);
    let made = work();
    // On native devices the answer is there at once.
    match pin!(scope.pop()).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(None) => Ok(made),
        Poll::Ready(Some(error)) => Err(error.to_string()),
        Poll::Pending => Err("the device does not say whether it can".into()),
    }
}

/// A small scene that asks for everything the shader can do.
pub fn specimen() -> Scene {
    let shape = Shape::new(1, 7, 11);
    let mut ramp: Vec<f32> = (0..shape.len()).map(|i| i as f32 / 64.0 - 0.1).collect();
    (ramp[20], ramp[40], ramp[60]) = (f32::NAN, f32::INFINITY, f32::NEG_INFINITY);
    let signed = ramp.iter().map(|v| 0.5 - v).collect();
    let layer = |data: Vec<f32>, map, low, high, transform| Layer {
        clip: Arc::new(Clip::new(shape, data)),
        frame: 0,
        look: Look {
            map,
            range: Range { low, high },
            transform,
        },
    };
    let left = layer(ramp, ColourMap::Viridis, 0.0, 1.0, Transform::Root);
    let right = layer(signed, ColourMap::Diverging, -0.5, 0.5, Transform::Keep);
    Scene {
        layer: left,
        beyond: Some((right, 0.49)),
        seen: Window {
            min: [0.03, 0.02],
            size: [0.93, 0.95],
        },
    }
}
