//! A socket goes: what is kept of it elsewhere has to go, too.

use core::ffi::c_void;

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};

use crate::store::forget;

/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "tcp_destroy_sock")]
pub fn destroy_btf(ctx: BtfTracePointContext) -> i32 {
    forget(ctx.arg::<*const c_void>(0));
    0
}

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "tcp_destroy_sock")]
pub fn destroy_raw(ctx: RawTracePointContext) -> i32 {
    forget(ctx.arg::<*const c_void>(0));
    0
}
