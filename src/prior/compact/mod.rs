//! A small video denoiser of our own: fast enough for a laptop's processor, and shipped inside.
//!
//! A U-Net within frames, at half the video's size and below; in every block some channels look at
//! the frame before, at the one behind, and at the clip's mean. What frames say of each other is
//! worked out by a formula first ([`evidence`]). One network serves every noise level, any size and
//! any number of frames.
//!
//! It is written for processors directly, with its slopes: the same arithmetic through tensors is
//! several times slower there, and training time is what limits a small network. For GPUs there is
//! that arithmetic too: [`TensorNetwork`].

mod activation;
mod backward;
mod config;
mod denoiser;
mod evidence;
mod file;
mod forward;
mod kernel;
mod layout;
mod maps;
mod network;
mod prior;
mod shift;
mod strip;
mod tensor;
mod vectors;

pub use config::Config as CompactConfig;
pub use denoiser::LEVELS;
pub use layout::Layout;
pub use network::Network;
pub use prior::{CompactPrior, EMBEDDED_FILE, embedded};
pub use tensor::TensorNetwork;
