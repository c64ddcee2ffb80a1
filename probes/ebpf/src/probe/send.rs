//! A program sends: where its packet is handed to the device, or else at the beginning of the call, or, by `sock_send_length`, at its
//! end: there, what the peer does meanwhile on another CPU is not seen to be later.

use core::ffi::c_void;

use aya_ebpf::{
    helpers::bpf_ktime_get_ns,
    macros::{btf_tracepoint, fentry, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, FEntryContext, ProbeContext, RawTracePointContext},
};

use crate::{kernel::typed_field, round_trip::Sock, settings::setting, store::find, turns};

/// TCP has stamped the packet when it made it (`skb_set_delivery_time()` in `__tcp_transmit_skb()`): no clock is looked at here, and no
/// helper called. The queue has softirqs switched off, so that nothing comes in between on any kernel. What is sent on its way by this
/// machine, but is not its own, has no socket.
///
/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "net_dev_queue")]
pub fn send_packet_btf(ctx: BtfTracePointContext) -> i32 {
    let packet = ctx.arg::<*const c_void>(0);
    // SAFETY: the verifier knows what it is; so for all three fields.
    let (length, sock): (u32, *const c_void) = unsafe {
        (typed_field(packet, setting!(hot.skb_data_length)), typed_field(packet, setting!(hot.skb_sock)))
    };
    // An acknowledgement alone is no turn; whatever TCP sends of a program's lies outside of the packet's first piece.
    if length == 0 || sock.is_null() {
        return 0;
    }
    if let Some(state) = find(sock) {
        // SAFETY: as above.
        let stamped_at = unsafe { typed_field(packet, setting!(hot.skb_time)) };
        // Not `Typed`: kernels that know what the socket is do not all let the helper have it that makes it one of TCP.
        turns::sent(Sock::Untyped(sock), state, stamped_at);
    }
    0
}

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
