//! Connections: begun, established, failed, closed. Each of it is done once, however often the program runs for it.

use core::ffi::c_void;

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use meshmark_common::probe::{
    CLIENT, ConnectFailure, FLAG_CLOSED, Measure, NOT_SENT, SERVER, SockState, TLS_HELLO, TLS_NEW,
    TLS_SERVER_HELLO, UNKNOWN_TARGET,
};

use crate::{
    add::add_atomic,
    histogram::record,
    kernel::{field, now},
    maps::CONNECT_FAILURES,
    settings::setting,
    store::{OVERFLOW_FAILURES, find, insert, leave, overflow, tally},
    targets::{self, AF_INET, AF_INET6},
    wire,
};

const TCP_ESTABLISHED: i32 = 1;
const TCP_SYN_SENT: i32 = 2;
const TCP_SYN_RECV: i32 = 3;
const TCP_CLOSE: i32 = 7;
const IPPROTO_TCP: u16 = 6;

/// # Minimum kernel version
/// 5.5
#[btf_tracepoint(function = "inet_sock_set_state")]
pub fn set_state_btf(ctx: BtfTracePointContext) -> i32 {
    set_state(ctx.arg::<*const c_void>(0), ctx.arg::<i32>(1), ctx.arg::<i32>(2))
}

/// # Minimum kernel version
/// 4.17
#[raw_tracepoint(tracepoint = "inet_sock_set_state")]
pub fn set_state_raw(ctx: RawTracePointContext) -> i32 {
    set_state(ctx.arg::<*const c_void>(0), ctx.arg::<i32>(1), ctx.arg::<i32>(2))
}

#[inline(always)]
fn set_state(sock: *const c_void, old: i32, new: i32) -> i32 {
    if new == TCP_SYN_SENT {
        begin(sock, CLIENT);
    } else if new == TCP_SYN_RECV {
        begin(sock, SERVER);
    } else if new == TCP_ESTABLISHED {
        establish(sock, old);
    } else if new == TCP_CLOSE {
        close(sock, old);
    }
    0
}

#[inline(always)]
fn begin(sock: *const c_void, role: u8) {
    if !is_tcp(sock) {
        return;
    }
    let target = match targets::of_sock(sock, role) {
        Some(target) => target as u16,
        // Before 6.15 it still has its listener's address here, which may be every: whose it is shows when it is established.
        None if role == SERVER && setting!(addresses) != 0 => UNKNOWN_TARGET,
        None => {
            // What is known of it is of where it connected before, or of another socket whose end was not seen.
            leave(sock);
            return;
        }
    };
    // Else it is a socket that connects again.
    if find(sock).is_some_and(|state| {
        state.role == role && state.flags & FLAG_CLOSED == 0 && state.established_at == 0
    }) {
        return;
    }
    let mut state = new_state(target, role);
    state.began_at = now();
    if insert(sock, &state)
        && role == CLIENT
        && let Some(tally) = tally(&state)
    {
        // SAFETY: the place is in the map's value.
        unsafe { add_atomic(&raw mut (*tally).counters.attempts, 1) };
    }
}

#[inline(always)]
fn establish(sock: *const c_void, old: i32) {
    let Some(state) = find(sock) else {
        take_up(sock, old);
        return;
    };
    if state.established_at != 0 {
        return;
    }
    if setting!(addresses) != 0 && state.role == SERVER {
        let Some(target) = targets::of_sock(sock, SERVER) else {
            leave(sock);
            return;
        };
        state.target = target as u16;
    }
    let now = now();
    state.established_at = now;
    wire::meet(sock, state);
    if let Some(tally) = tally(state) {
        record(Measure::Connect, state, tally, now.wrapping_sub(state.began_at));
        // SAFETY: the place is in the map's value.
        unsafe { add_atomic(&raw mut (*tally).counters.opened, 1) };
    }
}

/// Its handshake was under way when the programs came: it is opened as others are, but since when is not known.
#[inline(always)]
fn take_up(sock: *const c_void, old: i32) {
    let role = match old {
        TCP_SYN_SENT => CLIENT,
        TCP_SYN_RECV => SERVER,
        _ => return,
    };
    if !is_tcp(sock) {
        return;
    }
    let Some(target) = targets::of_sock(sock, role) else { return };
    let mut state = new_state(target as u16, role);
    state.established_at = now();
    if insert(sock, &state)
        && let Some(tally) = tally(&state)
    {
        // SAFETY: the place is in the map's value.
        unsafe { add_atomic(&raw mut (*tally).counters.opened, 1) };
    }
}

#[inline(always)]
fn is_tcp(sock: *const c_void) -> bool {
    let family = targets::family(sock);
    (family == AF_INET || family == AF_INET6)
        && field::<u16>(sock, setting!(offsets.sock_protocol)) == IPPROTO_TCP
}

/// Of a connection whose handshake begins.
#[inline(always)]
pub fn new_state(target: u16, role: u8) -> SockState {
    SockState {
        turn_at: 0,
        ready_at: 0,
        began_at: 0,
        established_at: 0,
        tls_at: 0,
        requests: 0,
        target,
        role,
        phase: 0,
        flags: 0,
        tls: TLS_NEW,
        peer: 0,
        link: 0,
        round_trips: 0,
        shared: 0,
    }
}

#[inline(always)]
fn close(sock: *const c_void, old: i32) {
    let Some(state) = find(sock) else { return };
    if state.flags & FLAG_CLOSED != 0 {
        return;
    }
    state.flags |= FLAG_CLOSED;
    if old == TCP_SYN_SENT {
        fail(sock, state);
        return;
    }
    if state.established_at == 0 && old == TCP_SYN_RECV {
        return;
    }
    if let Some(tally) = tally(state) {
        if state.established_at != 0 {
            record(Measure::Lifetime, state, tally, now().wrapping_sub(state.established_at));
            record(Measure::RequestsPerConnection, state, tally, u64::from(state.requests));
        }
        // SAFETY: both places are in the map's value.
        unsafe {
            add_atomic(&raw mut (*tally).counters.closed, 1);
            if state.tls == TLS_HELLO || state.tls == TLS_SERVER_HELLO {
                add_atomic(&raw mut (*tally).counters.tls_unfinished, 1);
            }
        }
    }
}

/// A connect without success.
#[inline(always)]
fn fail(sock: *const c_void, state: &SockState) {
    let v6 = targets::family(sock) == AF_INET6;
    let mut error: u32 = field(sock, setting!(offsets.sock_error));
    // The state comes before the search for a port, whose error is the call's alone.
    if error == 0 && field::<u32>(sock, setting!(offsets.tcp_segments_out)) == 0 {
        error = NOT_SENT;
    }
    let key = ConnectFailure {
        address: if v6 {
            field(sock, setting!(offsets.sock_remote6))
        } else {
            let four: [u8; 4] = field(sock, setting!(offsets.sock_remote4));
            [four[0], four[1], four[2], four[3], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        },
        error,
        target: u32::from(state.target),
        port: targets::port(sock, true),
        version: if v6 { 6 } else { 4 },
        padding: [0; 5],
    };
    if let Some(count) = CONNECT_FAILURES.get_ptr_mut(&key) {
        add_atomic(count, 1);
    } else if CONNECT_FAILURES.insert(&key, &1, BPF_NOEXIST.into()).is_err() {
        // Another CPU was first, or there is no room.
        match CONNECT_FAILURES.get_ptr_mut(&key) {
            Some(count) => add_atomic(count, 1),
            None => overflow(OVERFLOW_FAILURES),
        }
    }
}
