//! The probes: where the time, the packets and the connections go. One file for each thing that is watched; in it, a
//! program for each way to get there (the loader takes the first that the kernel admits).
#![no_std]
#![no_main]
#![feature(asm_experimental_arch, core_intrinsics)]
#![expect(internal_features, reason = "atomic additions: this target has no others")]

mod add;
mod histogram;
mod iterator;
mod kernel;
mod maps;
mod places;
mod settings;
mod store;
mod targets;
mod turns;

mod data_ready;
mod destroy;
mod drop;
mod empty;
mod own;
mod packet;
mod receive;
mod retransmit;
mod round_trip;
mod seed;
mod send;
mod set_state;
mod tls;
mod under_way;
mod wire;

/// Some helpers are for GPL-compatible programs only; the kernel knows this string as one.
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
pub static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the verifier would refuse a program in which this can be reached.
    unsafe { core::hint::unreachable_unchecked() }
}
