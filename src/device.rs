//! Which device computes, and why.
//!
//! A real GPU (through wgpu: Vulkan, Metal or Direct3D 12) if it passes the self-test,
//! else the processor. Software GPU drivers are many times slower than the processor
//! they run on, so one is used only when asked for by name.

mod guard;
mod memory;
mod selftest;

pub use guard::guarded;
pub(crate) use guard::panic_text;
pub(crate) use selftest::{NETWORK, NETWORK_NUMBERS};
pub use selftest::{SelfTest, self_test};

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::str::FromStr;
use std::sync::{Mutex, Once};
use std::task::{Context, Poll, Waker};

use burn::tensor::wgpu::{WgpuBackend, wgpu};
use burn::tensor::{Device, DeviceKind};
use cubecl_runtime::config::{CubeClRuntimeConfig, RuntimeConfig};

/// Which device was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DeviceRequest {
    /// The first GPU that passes the self-test, else the CPU.
    #[default]
    Auto,
    Cpu,
    /// The GPU of this number in [`list`], or an error.
    Gpu(usize),
    /// A software GPU driver, for testing.
    Software,
}

impl FromStr for DeviceRequest {
    type Err = DeviceError;

    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::UnknownRequest(text.to_owned());
        match text.to_ascii_lowercase().as_str() {
            "auto" => Ok(Self::Auto),
            "cpu" => Ok(Self::Cpu),
            "gpu" => Ok(Self::Gpu(0)),
            "software" => Ok(Self::Software),
            other => match other.strip_prefix("gpu:").map(str::parse) {
                Some(Ok(index)) => Ok(Self::Gpu(index)),
                _ => Err(unknown()),
            },
        }
    }
}

impl fmt::Display for DeviceRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Cpu => f.write_str("cpu"),
            Self::Gpu(index) => write!(f, "gpu:{index}"),
            Self::Software => f.write_str("software"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    #[error("`{0}` names no device: use auto, cpu, gpu, gpu:N or software")]
    UnknownRequest(String),
    #[error(
        "there is no GPU {index}: {} found; use `--device cpu`, or update the graphics driver",
        match found { 0 => "none was".to_owned(), n => format!("only {n} (from 0) were") }
    )]
    NoGpu { index: usize, found: usize },
    #[error("no software Vulkan driver was found (on Debian: package mesa-vulkan-drivers)")]
    NoSoftware,
    #[error("{name} cannot be used: {reason}")]
    Unusable { name: String, reason: String },
    #[error("{name} computes wrongly: {test}; update its driver or use `--device cpu`")]
    SelfTest { name: String, test: SelfTest },
}

/// What sort of device it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Cpu,
    DiscreteGpu,
    IntegratedGpu,
    VirtualGpu,
    OtherGpu,
    SoftwareGpu,
}

impl Kind {
    /// How far the small golden networks may be off, relative to the largest value: GPUs may
    /// round square roots, exponentials and sums less exactly.
    pub fn network_tolerance(self) -> f64 {
        match self {
            Self::Cpu => 2e-5,
            _ => 1e-4,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "CPU",
            Self::DiscreteGpu => "discrete GPU",
            Self::IntegratedGpu => "integrated GPU",
            Self::VirtualGpu => "virtual GPU",
            Self::OtherGpu => "GPU",
            Self::SoftwareGpu => "software GPU",
        })
    }
}

/// A device of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub name: String,
    pub kind: Kind,
    /// How it is reached: `Vulkan`, `Metal`, `Dx12`, or `CPU`.
    pub backend: String,
    /// Driver and version; empty for the CPU.
    pub driver: String,
    /// Whether it is the processor posing as a GPU.
    pub software: bool,
    /// What opens it, if anything does.
    pub request: Option<DeviceRequest>,
}

/// An opened device.
#[derive(Clone, Debug)]
pub struct ComputeDevice {
    burn: Device,
    pub name: String,
    pub kind: Kind,
    /// Why this one, in a sentence.
    pub why: String,
}

impl ComputeDevice {
    /// The processor; always there.
    pub fn cpu(why: impl Into<String>) -> Self {
        Self {
            burn: Device::flex(),
            name: cpu_name(),
            kind: Kind::Cpu,
            why: why.into(),
        }
    }

    pub fn burn(&self) -> &Device {
        &self.burn
    }

    /// Readies the process for networks on this device; call it before one is loaded.
    pub(crate) fn prepare_for_networks(&self) {
        if self.kind == Kind::Cpu {
            memory::keep_freed_memory();
        }
    }
}

impl fmt::Display for ComputeDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Every device of this machine: GPUs in the order of `gpu:N`, then software GPUs, then
/// the CPU. Opens none.
pub fn list() -> Vec<Found> {
    let adapters = adapters();
    let mut found: Vec<Found> = adapters.iter().map(Adapter::found).collect();
    found.push(Found {
        name: cpu_name(),
        kind: Kind::Cpu,
        backend: "CPU".into(),
        driver: String::new(),
        software: false,
        request: Some(DeviceRequest::Cpu),
    });
    found
}

/// Opens the device asked for.
///
/// A GPU is tested first against built-in numbers. `auto` goes on to the next one, and
/// at last to the CPU, when a device cannot be opened or fails; the others are errors.
pub fn open(request: DeviceRequest) -> Result<ComputeDevice, DeviceError> {
    match request {
        DeviceRequest::Auto => Ok(open_best()),
        DeviceRequest::Cpu => Ok(ComputeDevice::cpu("asked for")),
        DeviceRequest::Gpu(index) => {
            let gpus = adapters().into_iter().filter(|a| !a.kind_is_software());
            let gpus: Vec<Adapter> = gpus.collect();
            let adapter = gpus.get(index).ok_or(DeviceError::NoGpu {
                index,
                found: gpus.len(),
            })?;
            open_tested(adapter, "asked for".into())
        }
        DeviceRequest::Software => {
            let all = adapters();
            let adapter = all.iter().find(|a| a.kind_is_software());
            open_tested(
                adapter.ok_or(DeviceError::NoSoftware)?,
                "asked for by name".into(),
            )
        }
    }
}

fn open_best() -> ComputeDevice {
    let mut reasons = Vec::new();
    let adapters = adapters();
    for adapter in &adapters {
        if adapter.kind_is_software() {
            reasons.push(format!(
                "{} is a software GPU, slower than the CPU",
                adapter.info.name
            ));
            continue;
        }
        match open_tested(adapter, "the first GPU that passed the self-test".into()) {
            Ok(device) => return device,
            Err(error) => reasons.push(error.to_string()),
        }
    }
    if reasons.is_empty() {
        reasons.push("no GPU was found".into());
    }
    ComputeDevice::cpu(reasons.join("; "))
}

fn open_tested(adapter: &Adapter, why: String) -> Result<ComputeDevice, DeviceError> {
    let name = adapter.info.name.clone();
    let burn = adapter.open()?;
    let device = ComputeDevice {
        burn,
        name,
        kind: adapter.kind(),
        why,
    };
    let test = self_test(&device)?;
    if test.passed() {
        Ok(device)
    } else {
        Err(DeviceError::SelfTest {
            name: device.name,
            test,
        })
    }
}

fn cpu_name() -> String {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    format!("CPU ({threads} threads)")
}

/// A graphics adapter, and how Burn names it.
struct Adapter {
    info: wgpu::AdapterInfo,
    /// Its number among the adapters of its type on its backend.
    index: usize,
    /// Its number among the real GPUs.
    gpu: Option<usize>,
}

impl Adapter {
    fn kind(&self) -> Kind {
        match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => Kind::DiscreteGpu,
            wgpu::DeviceType::IntegratedGpu => Kind::IntegratedGpu,
            wgpu::DeviceType::VirtualGpu => Kind::VirtualGpu,
            wgpu::DeviceType::Cpu => Kind::SoftwareGpu,
            wgpu::DeviceType::Other => Kind::OtherGpu,
        }
    }

    fn kind_is_software(&self) -> bool {
        self.kind() == Kind::SoftwareGpu
    }

    fn found(&self) -> Found {
        let software = self.kind_is_software();
        Found {
            name: self.info.name.clone(),
            kind: self.kind(),
            backend: format!("{:?}", self.info.backend),
            driver: format!("{} {}", self.info.driver, self.info.driver_info)
                .trim()
                .to_owned(),
            software,
            request: match self.gpu {
                Some(index) => Some(DeviceRequest::Gpu(index)),
                None => software.then_some(DeviceRequest::Software),
            },
        }
    }

    /// Opens the adapter, once in a process: a second call hands out the same device.
    fn open(&self) -> Result<Device, DeviceError> {
        static OPENED: Mutex<Vec<(DeviceKind, WgpuBackend, Device)>> = Mutex::new(Vec::new());
        let unusable = |reason: String| DeviceError::Unusable {
            name: self.info.name.clone(),
            reason,
        };
        let api = match self.info.backend {
            wgpu::Backend::Vulkan => WgpuBackend::Vulkan,
            wgpu::Backend::Metal => WgpuBackend::Metal,
            wgpu::Backend::Dx12 => WgpuBackend::Dx12,
            other => return Err(unusable(format!("{other} is not supported for computing"))),
        };
        let kind = match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => DeviceKind::DiscreteGpu(self.index),
            wgpu::DeviceType::IntegratedGpu => DeviceKind::IntegratedGpu(self.index),
            wgpu::DeviceType::VirtualGpu => DeviceKind::VirtualGpu(self.index),
            wgpu::DeviceType::Cpu => DeviceKind::Cpu,
            wgpu::DeviceType::Other => {
                return Err(unusable("its driver does not say what it is".into()));
            }
        };
        let mut opened = OPENED.lock().unwrap_or_else(|poison| poison.into_inner());
        if let Some((_, _, device)) = opened.iter().find(|(k, a, _)| (k, a) == (&kind, &api)) {
            return Ok(device.clone());
        }
        let device = guarded(|| {
            Device::wgpu_options()
                .device_kind(kind.clone())
                .graphics_api(api)
                .init()
                .map_err(|error| error.to_string())
        })
        .map_err(unusable)?;
        opened.push((kind, api, device.clone()));
        Ok(device)
    }
}

/// Adapters for computing, real GPUs first (discrete before integrated), each card once.
fn adapters() -> Vec<Adapter> {
    fix_runtime_config();
    let backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL | wgpu::Backends::DX12;
    let infos = guarded(|| {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = backends;
        let instance = wgpu::Instance::new(descriptor);
        let adapters = ready(instance.enumerate_adapters(backends));
        Ok(adapters.iter().map(wgpu::Adapter::get_info).collect())
    })
    .unwrap_or_else(|_: String| Vec::new());
    arrange(infos)
}

fn arrange(infos: Vec<wgpu::AdapterInfo>) -> Vec<Adapter> {
    let mut adapters: Vec<Adapter> = Vec::new();
    for (position, info) in infos.iter().enumerate() {
        let same_type = |other: &&wgpu::AdapterInfo| {
            (other.backend, other.device_type) == (info.backend, info.device_type)
        };
        let index = infos[..position].iter().filter(same_type).count();
        let known = |other: &Adapter| {
            other.info.backend != info.backend
                && (other.info.vendor, other.info.device) == (info.vendor, info.device)
        };
        if !adapters.iter().any(known) {
            adapters.push(Adapter {
                info: info.clone(),
                index,
                gpu: None,
            });
        }
    }
    adapters.sort_by_key(|adapter| match adapter.kind() {
        Kind::DiscreteGpu => 0,
        Kind::IntegratedGpu => 1,
        Kind::VirtualGpu => 2,
        Kind::OtherGpu => 3,
        Kind::SoftwareGpu | Kind::Cpu => 4,
    });
    let real = adapters.iter_mut().filter(|a| !a.kind_is_software());
    for (number, adapter) in real.enumerate() {
        adapter.gpu = Some(number);
    }
    adapters
}

/// Waits for a future that never has to wait, as wgpu's are outside browsers.
fn ready<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::yield_now();
    }
}

/// Without this, a `cubecl.toml` in the user's folder would change the GPU runtime.
fn fix_runtime_config() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // False means something on the GPU ran before; then its settings stand.
        CubeClRuntimeConfig::try_set(CubeClRuntimeConfig::default());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_read_and_written() {
        for text in ["auto", "cpu", "gpu:0", "gpu:3", "software"] {
            let request: DeviceRequest = text.parse().unwrap();
            assert_eq!(request.to_string(), text);
        }
        assert_eq!(
            "GPU".parse::<DeviceRequest>().unwrap(),
            DeviceRequest::Gpu(0)
        );
        for text in ["", "gpu:", "gpu:x", "cuda", "gpu:-1"] {
            let message = text.parse::<DeviceRequest>().unwrap_err().to_string();
            assert!(message.contains("gpu:N"), "{message}");
        }
    }

    #[test]
    fn the_cpu_is_always_listed_and_always_opens() {
        let cpu = list().pop().unwrap();
        assert_eq!((cpu.kind, cpu.software), (Kind::Cpu, false));
        let device = open(DeviceRequest::Cpu).unwrap();
        assert_eq!(device.kind, Kind::Cpu);
        assert!(!device.why.is_empty());
    }

    #[test]
    fn an_absent_gpu_is_an_error_that_names_the_way_on() {
        let message = open(DeviceRequest::Gpu(99)).unwrap_err().to_string();
        assert!(message.contains("--device cpu"), "{message}");
    }

    fn info(
        name: &str,
        device: u32,
        kind: wgpu::DeviceType,
        api: wgpu::Backend,
    ) -> wgpu::AdapterInfo {
        let mut info = wgpu::AdapterInfo::new(kind, api);
        info.name = name.into();
        info.device = device;
        info
    }

    #[test]
    fn real_gpus_come_first_and_cards_only_once() {
        use wgpu::{Backend, DeviceType};
        let adapters = arrange(vec![
            info("llvmpipe", 1, DeviceType::Cpu, Backend::Vulkan),
            info("iGPU", 2, DeviceType::IntegratedGpu, Backend::Vulkan),
            info("card A", 3, DeviceType::DiscreteGpu, Backend::Vulkan),
            info("card A", 3, DeviceType::DiscreteGpu, Backend::Vulkan),
            info("iGPU", 2, DeviceType::IntegratedGpu, Backend::Dx12),
        ]);
        let names: Vec<&str> = adapters.iter().map(|a| a.info.name.as_str()).collect();
        assert_eq!(names, ["card A", "card A", "iGPU", "llvmpipe"]);
        assert_eq!((adapters[0].index, adapters[1].index), (0, 1));
        assert_eq!(adapters[2].gpu, Some(2));
        assert_eq!(adapters[3].found().request, Some(DeviceRequest::Software));
    }
}
