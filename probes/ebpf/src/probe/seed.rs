//! Connections that were there before: once, over all TCP sockets of a network namespace.

use meshmark_common::probe::{CLIENT, FLAG_CARRIED, FLAG_SEEDED, Listener, SERVER, SockState, TLS_NONE};

use crate::{
    add::add_atomic,
    iterator::IteratorContext,
    kernel::field,
    maps::{LISTENERS, LOCAL_PORTS},
    set_state::new_state,
    settings::setting,
    store::{OVERFLOW_LISTENERS, find, insert, overflow, tally},
    targets, wire,
};

const TCP_ESTABLISHED: u8 = 1;
const TCP_CLOSE_WAIT: u8 = 8;
const TCP_LISTEN: u8 = 10;

/// Listeners come before connections, so that the connections of a server are known by their port.
///
/// # Minimum kernel version
/// 5.9
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/tcp")]
pub extern "C" fn seed(ctx: *const IteratorContext) -> i32 {
    // SAFETY: the kernel calls it with this structure.
    let Some(sock) = (unsafe { IteratorContext::sock(ctx) }) else { return 0 };
    let state: u8 = field(sock, setting!(offsets.sock_state));
    let listener =
        Listener { namespace: targets::namespace(sock), port: u32::from(targets::port(sock, false)) };
    if state == TCP_LISTEN {
        if LISTENERS.insert(&listener, &1, 0).is_err() {
            overflow(OVERFLOW_LISTENERS);
        }
        return 0;
    }
    if state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT {
        return 0;
    }
    // It was established after the programs were attached.
    if find(sock).is_some() {
        return 0;
    }
    let role = if is_server(&listener, targets::port(sock, true)) { SERVER } else { CLIENT };
    let Some(target) = targets::of_sock(sock, role) else { return 0 };
    let state =
        SockState { flags: FLAG_SEEDED | FLAG_CARRIED, tls: TLS_NONE, ..new_state(target as u16, role) };
    if insert(sock, &state)
        && let Some(tally) = tally(&state)
    {
        // SAFETY: the place is in the map's value.
        unsafe { add_atomic(&raw mut (*tally).counters.seeded, 1) };
        if let Some(state) = find(sock) {
            wire::meet(sock, state);
        }
    }
    0
}

/// Somebody listens on its port. Or its port is not one that clients are given, and its peer's is: it was accepted for another
/// port than its own (TPROXY, `bpf_sk_assign()`), or whoever accepted it listens no more.
#[inline(always)]
fn is_server(local: &Listener, remote: u16) -> bool {
    // SAFETY: only whether it is there.
    if unsafe { LISTENERS.get(local) }.is_some() {
        return true;
    }
    let Some(ports) = LOCAL_PORTS.get(0) else { return false };
    let of_clients = |port: u32| ports.low <= port && port <= ports.high;
    !of_clients(local.port) && of_clients(u32::from(remote))
}
