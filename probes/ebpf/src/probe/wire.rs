//! How long data is on the way, of connections whose two ends are both on this machine: from when the one end sent it to when the other's
//! kernel took it up. So that nobody need look for the other end, each knows its place from the handshake on, or from when it was found.

use core::ffi::c_void;

use meshmark_common::probe::{AddressKey, CLIENT, IN_TURN, LOOKED_INTO, Measure, STORE_SOCKET, SockState};

use crate::{
    histogram::{is_measured, record},
    maps::MEETINGS,
    places,
    settings::setting,
    store::tally,
    targets,
};

/// One end of a connection, which waits for the other to be known.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Meeting {
    sock: u64,
    established_at: u64,
    place: u64,
}

/// The connection is established at this end, or was before. Whichever end comes second knows the first by the client's address and
/// port, unless these are translated on the way.
#[inline(always)]
pub fn meet(sock: *const c_void, state: &mut SockState) {
    if !is_measured(Measure::Wire) || setting!(store) != STORE_SOCKET {
        return;
    }
    let Some(place) = places::place_of(sock) else { return };
    let remote = state.role != CLIENT;
    let client =
        AddressKey { address: targets::address(sock, remote), port: u32::from(targets::port(sock, remote)) };
    // SAFETY: copied at once.
    if let Some(first) = unsafe { MEETINGS.get(&client) }.copied()
        && let Some(other) = places::look_up(first.place as u32, first.sock)
        // Of a socket that is no more there may be an entry, and another one at its address.
        && other.established_at == first.established_at
        && at_once(other, state)
        && other.role != state.role
        && other.peer == 0
    {
        let link = first.sock as u16 ^ state.established_at as u16 | 1;
        (other.peer, other.link) = ((place + 1) as u16, link);
        (state.peer, state.link) = ((first.place + 1) as u16, link);
        let _ = MEETINGS.remove(&client);
        return;
    }
    let established_at = state.established_at;
    // A new connection's client is established before its server.
    if state.role != CLIENT && established_at != 0 {
        return;
    }
    let meeting = Meeting { sock: sock as u64, established_at, place: u64::from(place) };
    // Where there is no room, it is not known.
    let _ = MEETINGS.insert(&client, &meeting, 0);
}

/// Whether they can be the ends of one new connection, or are both of such as were there before.
#[inline(always)]
fn at_once(client: &SockState, server: &SockState) -> bool {
    const SECOND: u64 = 1_000_000_000;
    server.established_at.wrapping_sub(client.established_at) < SECOND
}

/// There is data that nobody has received.
#[inline(always)]
pub fn came(state: &SockState) {
    if is_measured(Measure::Wire) && state.requests.is_multiple_of(LOOKED_INTO) {
        followed(state);
    }
}

/// A function of its own, as those of `own.rs` are.
#[inline(never)]
fn followed(state: &SockState) {
    if !has_sent(state) {
        return;
    }
    let Some(other) = places::peer(state) else { return };
    let (sent_at, came_at) = (other.turn_at, state.ready_at);
    if !has_sent(other) || sent_at == 0 || came_at < sent_at {
        return;
    }
    if let Some(tally) = tally(state) {
        record(Measure::Wire, state, tally, came_at - sent_at);
    }
}

/// What is said next is for this end to hear. (Before anything was said, that is a server's.)
#[inline(always)]
fn has_sent(state: &SockState) -> bool {
    (state.role == CLIENT) == (state.phase == IN_TURN)
}
