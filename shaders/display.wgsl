// A pane: a frame's values as colours, and right of a divider those of another one.
// Its twin on the processor is `Scene::paint` in src/display/scene.rs.

struct Look {
    low: f32,
    scale: f32,
    map: u32,
    // 0 keeps a value, 1 squares it, 2 takes its root.
    transform: u32,
}

struct Scene {
    // The part of the frame that is seen, in shares of it.
    seen_min: vec2f,
    seen_size: vec2f,
    left: Look,
    right: Look,
    // Where the divider is, as a share of the pane's width.
    wipe: f32,
}

@group(0) @binding(0) var<uniform> scene: Scene;
@group(0) @binding(1) var left: texture_2d<f32>;
@group(0) @binding(2) var right: texture_2d<f32>;
// A row for each colour map.
@group(0) @binding(3) var colours: texture_2d<f32>;

struct Corner {
    @builtin(position) position: vec4f,
    // From the pane's upper left corner, in shares of it.
    @location(0) share: vec2f,
}

// One triangle that covers the viewport.
@vertex
fn corner(@builtin(vertex_index) index: u32) -> Corner {
    let share = vec2f(f32((index << 1u) & 2u), f32(index & 2u));
    return Corner(vec4f(share.x * 2.0 - 1.0, 1.0 - share.y * 2.0, 0.0, 1.0), share);
}

// By its bits: compilers may take it for granted that no number is infinite or none at all.
fn is_finite(value: f32) -> bool {
    return (bitcast<u32>(value) & 0x7f800000u) != 0x7f800000u;
}

fn value_at(frame: texture_2d<f32>, place: vec2f) -> f32 {
    let size = textureDimensions(frame);
    let pixel = vec2u(max(place * vec2f(size), vec2f(0.0)));
    return textureLoad(frame, min(pixel, size - 1u), 0).r;
}

fn colour_of(look: Look, value: f32) -> vec3f {
    if !is_finite(value) {
        return vec3f(1.0, 0.0, 1.0);
    }
    var shown = value;
    if look.transform == 1u {
        shown = value * value;
    } else if look.transform == 2u {
        shown = sqrt(max(value, 0.0));
    }
    let share = clamp((shown - look.low) * look.scale, 0.0, 1.0);
    let last = textureDimensions(colours).x - 1u;
    let at = share * f32(last);
    let below = min(u32(at), last - 1u);
    let a = textureLoad(colours, vec2u(below, look.map), 0).rgb;
    let b = textureLoad(colours, vec2u(below + 1u, look.map), 0).rgb;
    return mix(a, b, at - f32(below));
}

fn pane(share: vec2f) -> vec3f {
    let place = scene.seen_min + share * scene.seen_size;
    if share.x < scene.wipe {
        return colour_of(scene.left, value_at(left, place));
    }
    return colour_of(scene.right, value_at(right, place));
}

// For targets that hold colours as they are shown.
@fragment
fn shown(in: Corner) -> @location(0) vec4f {
    return vec4f(pane(in.share), 1.0);
}

// For targets that turn linear light into sRGB themselves.
@fragment
fn linear(in: Corner) -> @location(0) vec4f {
    let colour = pane(in.share);
    let dark = colour / 12.92;
    let bright = pow((colour + vec3f(0.055)) / 1.055, vec3f(2.4));
    return vec4f(select(bright, dark, colour <= vec3f(0.04045)), 1.0);
}
