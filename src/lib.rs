//! VDPS Studio: video reconstruction beyond a dynamic scattering layer.
//!
//! | module | holds |
//! |---|---|
//! | [`adam`] | the optimiser that several layers descend with |
//! | [`clip`] | a grey video clip in memory |
//! | [`display`] | colours, contrast, figures and animations, on the processor and the GPU |
//! | [`hash`] | SHA-256 of a file or a folder |
//! | [`noise`] | random numbers that mean the same on every device |
//! | [`media`] | video in and out, a file per format |
//! | [`physics`] | forward models: measurement from video, and its gradients |
//! | [`prior`] | what is known of video: the diffusion network, denoisers, formulas |
//! | [`solver`] | stepwise reconstruction: instant, fast and reference |
//! | [`train`] | training a prior of one's own |
//! | [`metrics`] | PSNR, SSIM, residuals |
//! | [`run`] | what a run is: plan, record, results folder; the scoreboard |
//! | [`scenes`] | generated scenes, a function of place, time and seed each |
//! | [`device`] | which device computes, and why |
//! | [`verify`] | whether a device computes the published method |
//! | [`worker`] | the threads that step solvers and answer sliders |
//! | [`app`] | the window |
//! | [`cli`] | the command line, a file per command |
//!
//! A module knows those it builds on, not those that build on it: forward models nothing of
//! solvers, and none of them the command line. The one circle is [`prior`] and [`device`]: a
//! network runs on a device, and a device is tested with a network before it is trusted.

pub mod adam;
pub mod app;
pub mod cli;
pub mod clip;
pub mod device;
pub mod display;
pub mod hash;
pub mod length;
pub mod media;
pub mod metrics;
pub mod noise;
pub mod physics;
pub mod prior;
pub mod run;
pub mod scenes;
pub mod solver;
pub mod train;
pub mod verify;
pub mod worker;
