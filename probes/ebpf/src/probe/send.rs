//! A program sends: where its packet is handed to the device, or else at the beginning of the call.

use core::ffi::c_void;

use aya_ebpf::{
    macros::{btf_tracepoint, fentry, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, FEntryContext, ProbeContext, RawTracePointContext},
};

use crate::{
    kernel::{field, now, typed_field},
    round_trip::Sock,
    settings::setting,
    store::find,
    turns,
};

/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "net_dev_queue")]
pub fn send_btf(ctx: BtfTracePointContext) -> i32 {
    let packet = ctx.arg::<*const c_void>(0);
    // SAFETY: the verifier knows what it is; so for all three fields.
    unsafe {
        queued(
            typed_field(packet, setting!(offsets.skb_data_length)),
            || typed_field(packet, setting!(offsets.skb_sock)),
            || typed_field(packet, setting!(offsets.skb_time)),
        )
    }
}

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "net_dev_queue")]
pub fn send_raw(ctx: RawTracePointContext) -> i32 {
    let packet = ctx.arg::<*const c_void>(0);
    queued(
        field(packet, setting!(offsets.skb_data_length)),
        || field(packet, setting!(offsets.skb_sock)),
        || field(packet, setting!(offsets.skb_time)),
    )
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

/// TCP has stamped the packet when it made it (`skb_set_delivery_time()` in `__tcp_transmit_skb()`): no clock is looked at here, unless
/// somebody has taken the stamp off (`tc` that redirected it, before 5.18). The queue has softirqs switched off (`__dev_queue_xmit()`),
/// so that nothing comes in between on any kernel. A packet that passes several devices with its socket is seen at each, before its
/// peer has it.
///
/// # Arguments
/// `length`: bytes outside of the packet's first piece, where all is that TCP sends of a program's. An acknowledgement alone has none,
/// and is no turn.
#[inline(always)]
fn queued(length: u32, sock: impl Fn() -> *const c_void, time: impl Fn() -> u64) -> i32 {
    if length == 0 {
        return 0;
    }
    let sock = sock();
    if sock.is_null() {
        return 0;
    }
    if let Some(state) = find(sock) {
        let time = match time() {
            0 => now(),
            stamped_at => stamped_at,
        };
        // Not `Typed`: kernels that know what the socket is do not all let the helper have it that makes it one of TCP.
        turns::sent(Sock::Untyped(sock), state, time);
    }
    0
}

#[inline(always)]
fn send(sock: Sock) -> i32 {
    if let Some(state) = find(sock.pointer()) {
        turns::sent(sock, state, now());
    }
    0
}
