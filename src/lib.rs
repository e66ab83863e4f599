//! VDPS Studio: video reconstruction beyond a dynamic scattering layer.
//!
//! The layers point one way; nothing below knows what stands above it:
//!
//! | layer | holds |
//! |---|---|
//! | [`clip`] | a grey video clip in memory |
//! | [`media`] | video in and out, a file per format |
//! | [`physics`] | forward models: measurement from video, and its gradients |
//! | [`prior`] | the video diffusion network, its schedule, its checkpoints |
//! | [`solver`] | stepwise reconstruction: reference and instant |
//! | [`metrics`] | PSNR, SSIM, residuals |
//! | [`run`] | what a run is: configuration, provenance, results folder |
//! | [`device`] | which device computes, and why |
//! | [`cli`] | the command line, a file per command |

pub mod cli;
pub mod clip;
pub mod device;
pub mod media;
pub mod metrics;
pub mod noise;
pub mod physics;
pub mod prior;
pub mod run;
pub mod solver;
pub mod verify;
