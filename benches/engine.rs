//! What a step costs: forward models with their gradients, an iteration of the instant
//! solver, a small network. `vdps bench` times the published network.

use criterion::{Criterion, criterion_group, criterion_main};
use vdps::clip::{Clip, Shape};
use vdps::device::ComputeDevice;
use vdps::noise::Noise;
use vdps::physics::{Blur, ForwardModel, Optics, Scatter, ZernikeBlur};
use vdps::prior::{NetworkPrior, Prior, UNet, UNetConfig};
use vdps::solver::{Instant, InstantConfig, Measurement, Solver};

const SHAPE: Shape = Shape::new(10, 64, 64);

fn forward_models(c: &mut Criterion) {
    let mut group = c.benchmark_group("measurement and gradients");
    let models: [Box<dyn ForwardModel>; 4] = [
        Box::new(Scatter::new(SHAPE, Optics::SYNTHETIC, 5.0, 1.0).unwrap()),
        Box::new(Blur::new(SHAPE, Blur::PUBLISHED_SIGMA_PX).unwrap()),
        Box::new(ZernikeBlur::new(SHAPE, vec![0.5; 10]).unwrap()),
        Box::new(Scatter::new(Shape::new(10, 128, 128), Optics::SYNTHETIC, 5.0, 1.0).unwrap()),
    ];
    for model in &models {
        let u = Clip::filled(model.shape(), 0.5);
        let name = format!("{} {}", model.name(), model.shape());
        group.bench_function(name, |b| {
            b.iter(|| {
                let linearised = model.linearise(&u);
                (linearised.pullback)(&linearised.measurement, true)
            });
        });
    }
}

fn instant(c: &mut Criterion) {
    let model = Scatter::new(SHAPE, Optics::SYNTHETIC, 5.0, 1.0).unwrap();
    let config = InstantConfig {
        // More than criterion asks for, so that no iteration is free.
        iterations: usize::MAX / 2,
        ..InstantConfig::for_noise(1e-3)
    };
    let measurement = Measurement::exact(Clip::filled(SHAPE, 0.25));
    let mut solver = Instant::new(Box::new(model), measurement, config).unwrap();
    c.bench_function("instant iteration", |b| b.iter(|| solver.step().unwrap()));
}

fn network(c: &mut Criterion) {
    let config = UNetConfig {
        dim: 16,
        ..UNetConfig::published_ucf()
    };
    let device = ComputeDevice::cpu("bench");
    let prior = NetworkPrior::new(UNet::random(&config, 0, device.burn()), device);
    let x = Noise::seeded(0).normal_clip(Shape::new(10, 32, 32));
    let mut group = c.benchmark_group("network of dim 16, 10x32x32");
    group.sample_size(10);
    group.bench_function("evaluation", |b| b.iter(|| prior.predict(&x, 500).unwrap()));
    group.bench_function("evaluation and gradient", |b| {
        b.iter(|| {
            let (eps, pullback) = prior.predict_with_pullback(&x, 500).unwrap();
            pullback(&eps).unwrap()
        });
    });
}

criterion_group!(benches, forward_models, instant, network);
criterion_main!(benches);
