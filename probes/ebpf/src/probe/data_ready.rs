//! Data is there, and whoever waits for it is woken.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::bpf_ktime_get_ns,
    macros::{btf_tracepoint, fentry, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, FEntryContext, ProbeContext, RawTracePointContext},
};

use crate::store::find;

/// # Minimum kernel version
/// 6.3
#[btf_tracepoint(function = "sk_data_ready")]
pub fn data_ready_btf(ctx: BtfTracePointContext) -> i32 {
    data_ready(ctx.arg::<*const c_void>(0))
}

/// # Minimum kernel version
/// 6.3
#[raw_tracepoint(tracepoint = "sk_data_ready")]
pub fn data_ready_raw(ctx: RawTracePointContext) -> i32 {
    data_ready(ctx.arg::<*const c_void>(0))
}

/// # Minimum kernel version
/// 5.5
#[fentry(function = "sock_def_readable")]
pub fn data_ready_fentry(ctx: FEntryContext) -> i32 {
    data_ready(ctx.arg::<*const c_void>(0))
}

/// # Minimum kernel version
/// 4.17
#[kprobe(function = "sock_def_readable")]
pub fn data_ready_kprobe(ctx: ProbeContext) -> u32 {
    if let Some(sock) = ctx.arg::<*const c_void>(0) {
        data_ready(sock);
    }
    0
}

#[inline(always)]
fn data_ready(sock: *const c_void) -> i32 {
    if let Some(state) = find(sock)
        && state.ready_at == 0
    {
        // SAFETY: takes nothing.
        state.ready_at = unsafe { bpf_ktime_get_ns() };
    }
    0
}
