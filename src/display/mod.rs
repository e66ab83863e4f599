//! How values become pictures: colours, contrast, figures and animations.
//!
//! It knows no window. A [`Scene`] is what one pane shows; [`Scene::paint`] draws it on the
//! processor and [`gpu`] with `shaders/display.wgsl`, to the same colours within one level.

pub mod animation;
mod colours;
mod contrast;
pub mod figure;
pub mod gpu;
mod letters;
mod profile;
mod quantity;
mod round;
mod scale_bar;
mod scene;
pub mod sheet;

pub use colours::ColourMap;
pub use contrast::{Contrast, Range};
pub(crate) use letters::{FONT, built_in_letters};
pub use profile::{bilinear, profile};
pub use quantity::{Quantity, Transform};
pub use round::{round_down, round_up, short, signed_range};
pub use scale_bar::{ScaleBar, length};
pub use scene::{Layer, Look, Scene, Window};
