//! Segments are sent again. As many as the kernel counts itself (`RetransSegs`, `TCPRetransFail`): what it hands down at once may
//! be several, and what could not be handed down was not sent.

use core::ffi::c_void;

use aya_ebpf::{
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};

use crate::{
    add::add_atomic,
    kernel::field,
    settings::setting,
    store::{find, tally},
};

const TCP_SYN_SENT: u8 = 2;

/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "tcp_retransmit_skb")]
pub fn retransmit_btf(ctx: BtfTracePointContext) -> i32 {
    let error = if setting!(retransmit_error) == 0 { 0 } else { ctx.arg::<i32>(2) };
    retransmit(ctx.arg::<*const c_void>(0), ctx.arg::<*const c_void>(1), error)
}

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "tcp_retransmit_skb")]
pub fn retransmit_raw(ctx: RawTracePointContext) -> i32 {
    let error = if setting!(retransmit_error) == 0 { 0 } else { ctx.arg::<i32>(2) };
    retransmit(ctx.arg::<*const c_void>(0), ctx.arg::<*const c_void>(1), error)
}

/// # Arguments
/// `error`: that of the attempt, where the kernel runs the tracepoint for failed ones, too.
#[inline(always)]
fn retransmit(sock: *const c_void, skb: *const c_void, error: i32) -> i32 {
    if error != 0 {
        return 0;
    }
    let Some(state) = find(sock) else { return 0 };
    let segments: u16 = field(skb, setting!(offsets.skb_segments));
    let segments = if segments == 0 { 1 } else { u64::from(segments) };
    let tcp_state: u8 = field(sock, setting!(offsets.sock_state));
    if let Some(tally) = tally(state) {
        // SAFETY: both places are in the map's value.
        unsafe {
            if tcp_state == TCP_SYN_SENT {
                add_atomic(&raw mut (*tally).counters.syn_retransmits, segments);
            } else {
                add_atomic(&raw mut (*tally).counters.retransmits, segments);
            }
        }
    }
    0
}
