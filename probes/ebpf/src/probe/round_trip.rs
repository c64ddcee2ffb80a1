//! Round-trip times, as the kernel keeps them for a connection: looked at whenever a segment comes.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::generated::bpf_skc_to_tcp_sock,
    macros::{btf_tracepoint, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, ProbeContext, RawTracePointContext},
};
use meshmark_common::probe::{Measure, SockState};

use crate::{
    add::add_atomic,
    histogram::record,
    kernel::{field, typed_field},
    settings::setting,
    store::{counters, find},
};

/// # Minimum kernel version
/// 5.9
#[btf_tracepoint(function = "tcp_probe")]
pub fn round_trip_btf(ctx: BtfTracePointContext) -> i32 {
    let sock = ctx.arg::<*const c_void>(0);
    let Some(state) = find(sock) else { return 0 };
    // SAFETY: the verifier has seen that it is a socket.
    let tcp = unsafe { bpf_skc_to_tcp_sock(sock.cast_mut()) }.cast_const().cast::<c_void>();
    if tcp.is_null() {
        return 0;
    }
    // SAFETY: both are 4 bytes of `struct tcp_sock`.
    let (smoothed, lowest) = unsafe {
        (typed_field(tcp, setting!(offsets.tcp_srtt)), typed_field(tcp, setting!(offsets.tcp_lowest_rtt)))
    };
    round_trip(state, smoothed, lowest)
}

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "tcp_probe")]
pub fn round_trip_raw(ctx: RawTracePointContext) -> i32 {
    untyped(ctx.arg::<*const c_void>(0))
}

/// # Minimum kernel version
/// 4.17
#[kprobe(function = "tcp_rcv_established")]
pub fn round_trip_kprobe(ctx: ProbeContext) -> u32 {
    if let Some(sock) = ctx.arg::<*const c_void>(0) {
        untyped(sock);
    }
    0
}

#[inline(always)]
fn untyped(sock: *const c_void) -> i32 {
    let Some(state) = find(sock) else { return 0 };
    round_trip(state, field(sock, setting!(offsets.tcp_srtt)), field(sock, setting!(offsets.tcp_lowest_rtt)))
}

/// The kernel keeps eight times the smoothed time, in microseconds, and all ones for no lowest.
#[inline(always)]
fn round_trip(state: &SockState, smoothed: u32, lowest: u32) -> i32 {
    if smoothed == 0 {
        return 0;
    }
    record(Measure::SmoothedRtt, state, u64::from(smoothed) * 125);
    if lowest != u32::MAX
        && let Some(counters) = counters(state)
    {
        // SAFETY: both places are in the map's value.
        unsafe {
            add_atomic(&raw mut (*counters).lowest_rtt_sum, u64::from(lowest));
            add_atomic(&raw mut (*counters).lowest_rtt_count, 1);
        }
    }
    0
}
