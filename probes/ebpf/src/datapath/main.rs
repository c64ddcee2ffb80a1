//! The lab's data path: what stands in for Cilium's.
#![no_std]
#![no_main]

mod clock;
mod config;
mod conntrack;
mod counters;
mod deliver;
mod events;
mod family;
mod flow_state;
mod from_pod;
mod icmp;
mod judge;
mod maps;
mod packet;
mod parse;
mod policy;
mod proxy;
mod quick;
mod recent;
mod scratch;
mod services;
mod to_pod;

mod connect;
mod getpeername;
mod recvmsg;
mod sendmsg;

/// Some helpers are for GPL-compatible programs only; the kernel knows this string as one.
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
pub static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: the verifier would refuse a program in which this can be reached.
    unsafe { core::hint::unreachable_unchecked() }
}
