//! TLS handshakes, read off the first bytes of packets: from the `ClientHello` to the client's `Finished` (TLS 1.3) or to the
//! last change of cipher (TLS 1.2), as this end sees them. Nothing of what is encrypted is looked at.

use core::ffi::c_void;

use aya_ebpf::{
    EbpfContext, helpers::generated::bpf_sk_fullsock, macros::cgroup_skb, programs::SkBuffContext,
};
use meshmark_common::probe::{
    CLIENT, FLAG_TLS_CLIENT_CHANGED, FLAG_TLS_KEY_SENT, Measure, SockState, TLS_DONE, TLS_HELLO, TLS_NEW,
    TLS_NONE, TLS_SERVER_HELLO,
};

use crate::{
    histogram::record,
    kernel::now,
    store::{find, tally},
};

const ALLOW: i32 = 1;
const TCP: u8 = 6;

/// Types of records, and of the handshake messages in them.
const CHANGE_CIPHER: u8 = 20;
const HANDSHAKE: u8 = 22;
const DATA: u8 = 23;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const NEW_SESSION_TICKET: u8 = 4;
const CERTIFICATE: u8 = 11;
const CLIENT_KEY: u8 = 16;

/// # Minimum kernel version
/// 5.11 (state of sockets from here and from tracepoints)
#[cgroup_skb(ingress)]
pub fn tls_ingress(ctx: SkBuffContext) -> i32 {
    look(&ctx, false);
    ALLOW
}

/// # Minimum kernel version
/// 5.11
#[cgroup_skb(egress)]
pub fn tls_egress(ctx: SkBuffContext) -> i32 {
    look(&ctx, true);
    ALLOW
}

#[inline(always)]
fn look(ctx: &SkBuffContext, sent: bool) {
    // SAFETY: the context is the kernel's; its socket is looked at by the helper only.
    let sock = unsafe {
        let sock = (*ctx.as_ptr().cast::<aya_ebpf::bindings::__sk_buff>()).__bindgen_anon_2.sk;
        if sock.is_null() {
            return;
        }
        bpf_sk_fullsock(sock)
    };
    if sock.is_null() {
        return;
    }
    let Some(state) = find(sock.cast_const().cast::<c_void>()) else { return };
    if state.tls >= TLS_DONE {
        return;
    }
    let Some(payload) = payload(ctx) else { return };
    step(state, ctx, payload, sent == (state.role == CLIENT));
}

/// Where the packet's data begins. `None`: it has none, or is not TCP.
#[inline(always)]
fn payload(ctx: &SkBuffContext) -> Option<usize> {
    let first: u8 = ctx.load(0).ok()?;
    let (protocol, ip): (u8, usize) = match first >> 4 {
        4 => (ctx.load(9).ok()?, usize::from(first & 15) * 4),
        6 => (ctx.load(6).ok()?, 40),
        _ => return None,
    };
    if protocol != TCP {
        return None;
    }
    let length: u8 = ctx.load(ip + 12).ok()?;
    let at = ip + usize::from(length >> 4) * 4;
    (at < ctx.len() as usize).then_some(at)
}

#[inline(always)]
fn step(state: &mut SockState, ctx: &SkBuffContext, at: usize, from_client: bool) {
    let Ok(record) = ctx.load::<[u8; 6]>(at) else {
        // Less than the head of a record: no first one of TLS is sent so.
        if state.tls == TLS_NEW {
            state.tls = TLS_NONE;
        }
        return;
    };
    // Data in the middle of a record looks like anything; what follows is exact enough to be none of it.
    let is_record = record[1] == 3 && record[2] <= 4;
    let message = if record[0] == HANDSHAKE && is_record { record[5] } else { 0 };
    let change = record == [CHANGE_CIPHER, 3, 3, 0, 1, 1];
    match state.tls {
        TLS_NEW => {
            if from_client && message == CLIENT_HELLO {
                state.tls = TLS_HELLO;
                state.tls_at = now();
            } else {
                state.tls = TLS_NONE;
            }
        }
        TLS_HELLO => {
            if !from_client && message == SERVER_HELLO {
                state.tls = TLS_SERVER_HELLO;
            }
        }
        _ if from_client => {
            let next = if change { ctx.load::<u8>(at + 6).unwrap_or(0) } else { record[0] };
            if message == CLIENT_KEY || message == CERTIFICATE {
                state.flags |= FLAG_TLS_KEY_SENT;
            } else if is_record && next == DATA {
                end(state);
            } else if change {
                if next == HANDSHAKE {
                    end(state);
                } else {
                    state.flags |= FLAG_TLS_CLIENT_CHANGED;
                }
            } else if record[0] == HANDSHAKE && is_record && state.flags & FLAG_TLS_CLIENT_CHANGED != 0 {
                end(state);
            }
        }
        _ => {
            // TLS 1.3 servers also send a change of cipher, which means nothing, but before the client has sent a key.
            if state.flags & FLAG_TLS_KEY_SENT != 0 && (change || message == NEW_SESSION_TICKET) {
                end(state);
            }
        }
    }
}

#[inline(always)]
fn end(state: &mut SockState) {
    state.tls = TLS_DONE;
    if let Some(tally) = tally(state) {
        record(Measure::Tls, state, tally, now().wrapping_sub(state.tls_at));
    }
}
