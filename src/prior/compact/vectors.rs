//! Which vectors a processor has.

#[cfg(target_arch = "x86_64")]
use pulp::Simd;
use pulp::WithSimd;

/// Runs `op` with the widest vectors of the processor.
#[cfg(target_arch = "x86_64")]
pub fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    // By hand: `pulp::Arch` knows 256 bits only with a feature that Burn leaves out, and asking
    // for it would build all of Burn's arithmetic twice.
    if let Some(simd) = pulp::x86::V4::try_new() {
        Simd::vectorize(simd, op)
    } else if let Some(simd) = pulp::x86::V3::try_new() {
        Simd::vectorize(simd, op)
    } else {
        pulp::Arch::new().dispatch(op)
    }
}

/// Runs `op` with the widest vectors of the processor.
#[cfg(not(target_arch = "x86_64"))]
pub fn dispatch<Op: WithSimd>(op: Op) -> Op::Output {
    pulp::Arch::new().dispatch(op)
}
