//! A program has got data.

use core::ffi::c_void;

use aya_ebpf::{
    macros::{btf_tracepoint, kprobe, raw_tracepoint},
    programs::{BtfTracePointContext, ProbeContext, RawTracePointContext},
};

use crate::{
    kernel::{now, typed_field},
    round_trip::Sock,
    settings::setting,
    store::find,
    turns,
};

/// `MSG_PEEK`: it stays there. `MSG_ERRQUEUE`: it is what was sent, with when that was.
const NOT_TAKEN: i32 = 2 | 0x2000;

/// At the end of the call.
///
/// # Minimum kernel version
/// 6.3
#[btf_tracepoint(function = "sock_recv_length")]
pub fn receive_btf(ctx: BtfTracePointContext) -> i32 {
    if ctx.arg::<i32>(1) > 0 && ctx.arg::<i32>(2) & NOT_TAKEN == 0 {
        let sock = ctx.arg::<*const c_void>(0);
        if let Some(state) = find(sock) {
            let ready_at = state.ready_at;
            turns::received(sock, state, || handed_over_at(sock, ready_at));
        }
    }
    0
}

/// `tcp_recvmsg()` has just looked at the clock, for what it copied (`tcp_rcv_space_adjust()`): the program looks there, since the
/// clock itself costs more than all the rest of it. What is not received by that function (TLS in the kernel, sockets in a
/// map) has been taken off the connection before, and at another time.
///
/// # Arguments
/// `sock`: a typed one; `ready_at`: since when the data has been there, or 0.
#[inline(always)]
fn handed_over_at(sock: *const c_void, ready_at: u64) -> u64 {
    if setting!(clocked_receive) != 0
        && is_plain(sock)
        && let Some(tcp) = Sock::Typed(sock).tcp()
    {
        // SAFETY: 8 bytes of `struct tcp_sock`.
        let time: u64 = unsafe { tcp.field(setting!(offsets.tcp_clock)) };
        if time > ready_at {
            return time;
        }
    }
    now()
}

/// Whether it is received from as was meant when it was made. The functions differ, and that one does not, where who listened was ready
/// for MPTCP and the client was not. (One whose listener was in a map as well, and that is in one itself, is taken for plain.)
#[inline(always)]
fn is_plain(sock: *const c_void) -> bool {
    // SAFETY: the verifier knows what it is; so for all of these fields, which are pointers.
    unsafe {
        let functions: *const c_void = typed_field(sock, setting!(offsets.sock_functions));
        let first: *const c_void = typed_field(sock, setting!(offsets.sock_first_functions));
        let receive = |functions| typed_field::<u64>(functions, setting!(offsets.functions_receive));
        functions == first || receive(functions) == receive(first)
    }
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
        turns::received(sock, state, now);
    }
    0
}
