//! A segment is sent again.

use core::ffi::c_void;

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};

use crate::{
    add::add_atomic,
    kernel::field,
    settings::setting,
    store::{counters, find},
};

const TCP_SYN_SENT: u8 = 2;

/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "tcp_retransmit_skb")]
pub fn retransmit_btf(ctx: BtfTracePointContext) -> i32 {
    retransmit(ctx.arg::<*const c_void>(0))
}

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "tcp_retransmit_skb")]
pub fn retransmit_raw(ctx: RawTracePointContext) -> i32 {
    retransmit(ctx.arg::<*const c_void>(0))
}

#[inline(always)]
fn retransmit(sock: *const c_void) -> i32 {
    let Some(state) = find(sock) else { return 0 };
    let tcp_state: u8 = field(sock, setting!(offsets.sock_state));
    if let Some(counters) = counters(state) {
        // SAFETY: both places are in the map's value.
        unsafe {
            if tcp_state == TCP_SYN_SENT {
                add_atomic(&raw mut (*counters).syn_retransmits, 1);
            } else {
                add_atomic(&raw mut (*counters).retransmits, 1);
            }
        }
    }
    0
}
