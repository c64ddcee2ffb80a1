//! A program sends. At the beginning of the call, but by `sock_send_length`, which is at its end: there, what the peer does
//! meanwhile on another CPU is not seen to be later.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::bpf_ktime_get_ns,
    macros::{btf_tracepoint, fentry, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, FEntryContext, ProbeContext, RawTracePointContext},
};

use crate::{round_trip::Sock, store::find, turns};

/// Tracepoint `tcp_sendmsg_locked`.
///
/// # Minimum kernel version
/// 6.16
#[btf_tracepoint(function = "tcp_sendmsg_locked")]
pub fn send_btf(ctx: BtfTracePointContext) -> i32 {
    send(Sock::Typed(ctx.arg(0)))
}

/// # Minimum kernel version
/// 6.16
#[raw_tracepoint(tracepoint = "tcp_sendmsg_locked")]
pub fn send_raw(ctx: RawTracePointContext) -> i32 {
    send(Sock::Untyped(ctx.arg(0)))
}

/// # Minimum kernel version
/// 5.5
#[fentry(function = "tcp_sendmsg")]
pub fn send_fentry(ctx: FEntryContext) -> i32 {
    send(Sock::Typed(ctx.arg(0)))
}

/// # Minimum kernel version
/// 4.17
#[kprobe(function = "tcp_sendmsg")]
pub fn send_kprobe(ctx: ProbeContext) -> u32 {
    if let Some(sock) = ctx.arg::<*const c_void>(0) {
        send(Sock::Untyped(sock));
    }
    0
}

/// Tracepoint `sock_send_length`.
///
/// # Minimum kernel version
/// 6.3
#[btf_tracepoint(function = "sock_send_length")]
pub fn send_end_btf(ctx: BtfTracePointContext) -> i32 {
    if ctx.arg::<i32>(1) > 0 {
        send(Sock::Typed(ctx.arg(0)));
    }
    0
}

#[inline(always)]
fn send(sock: Sock) -> i32 {
    if let Some(state) = find(sock.pointer()) {
        // SAFETY: takes nothing.
        turns::sent(sock, state, unsafe { bpf_ktime_get_ns() });
    }
    0
}
