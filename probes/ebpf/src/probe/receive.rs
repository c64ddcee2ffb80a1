//! A program has got data.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::bpf_ktime_get_ns,
    macros::{btf_tracepoint, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, ProbeContext, RawTracePointContext},
};

use crate::{store::find, turns};

/// `MSG_PEEK`: it stays there.
const PEEK: i32 = 2;

/// At the end of the call.
///
/// # Minimum kernel version
/// 6.3
#[btf_tracepoint(function = "sock_recv_length")]
pub fn receive_btf(ctx: BtfTracePointContext) -> i32 {
    if ctx.arg::<i32>(1) > 0 && ctx.arg::<i32>(2) & PEEK == 0 {
        receive(ctx.arg::<*const c_void>(0));
    }
    0
}

/// At the end of every piece that was copied to the program.
///
/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "tcp_rcv_space_adjust")]
pub fn receive_piece_btf(ctx: BtfTracePointContext) -> i32 {
    receive(ctx.arg::<*const c_void>(0))
}

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "tcp_rcv_space_adjust")]
pub fn receive_piece_raw(ctx: RawTracePointContext) -> i32 {
    receive(ctx.arg::<*const c_void>(0))
}

/// # Minimum kernel version
/// 4.17
#[kprobe(function = "tcp_rcv_space_adjust")]
pub fn receive_piece_kprobe(ctx: ProbeContext) -> u32 {
    if let Some(sock) = ctx.arg::<*const c_void>(0) {
        receive(sock);
    }
    0
}

#[inline(always)]
fn receive(sock: *const c_void) -> i32 {
    if let Some(state) = find(sock) {
        // SAFETY: takes nothing.
        turns::received(state, unsafe { bpf_ktime_get_ns() });
    }
    0
}
