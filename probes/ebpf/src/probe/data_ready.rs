//! Data is there, and whoever waits for it is woken. Since when: the kernel has looked at the clock when it took up the segment.

use core::ffi::c_void;

use aya_ebpf::{
    macros::{btf_tracepoint, fentry, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, FEntryContext, ProbeContext, RawTracePointContext},
};

use crate::{
    kernel::now,
    round_trip::{self, Sock},
    settings::setting,
    store::find,
    wire,
};

/// # Minimum kernel version
/// 6.3
#[btf_tracepoint(function = "sk_data_ready")]
pub fn data_ready_btf(ctx: BtfTracePointContext) -> i32 {
    data_ready(Sock::Typed(ctx.arg(0)))
}

/// # Minimum kernel version
/// 6.3
#[raw_tracepoint(tracepoint = "sk_data_ready")]
pub fn data_ready_raw(ctx: RawTracePointContext) -> i32 {
    data_ready(Sock::Untyped(ctx.arg(0)))
}

/// # Minimum kernel version
/// 5.5
#[fentry(function = "sock_def_readable")]
pub fn data_ready_fentry(ctx: FEntryContext) -> i32 {
    data_ready(Sock::Typed(ctx.arg(0)))
}

/// # Minimum kernel version
/// 4.17
#[kprobe(function = "sock_def_readable")]
pub fn data_ready_kprobe(ctx: ProbeContext) -> u32 {
    if let Some(sock) = ctx.arg::<*const c_void>(0) {
        data_ready(Sock::Untyped(sock));
    }
    0
}

#[inline(always)]
fn data_ready(sock: Sock) -> i32 {
    if let Some(state) = find(sock.pointer()) {
        let Some(tcp) = sock.tcp() else { return 0 };
        if state.ready_at == 0 {
            state.ready_at = taken_up_at(tcp);
            wire::came(state);
            // Here and not where the program receives, which may be on another CPU: these fields have just been written.
            round_trip::look(tcp, state);
        }
    }
    0
}

/// `tcp_clock_cache`: `ktime_get_ns()` of `tcp_mstamp_refresh()`, which `tcp_rcv_established()` and
/// `tcp_rcv_state_process()` begin with. Reading the clock anew costs more than all the rest of the program.
#[inline(always)]
fn taken_up_at(tcp: Sock) -> u64 {
    let offset = setting!(offsets.tcp_clock);
    if offset != 0 {
        // SAFETY: 8 bytes of `struct tcp_sock`.
        let time: u64 = unsafe { tcp.field(offset) };
        if time != 0 {
            return time;
        }
    }
    now()
}
