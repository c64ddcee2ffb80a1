//! How long data is on the way, of connections whose two ends are both on this machine: from when the one end sent it to when the other's
//! kernel took it up. So that nobody need look for the other end, each knows its place from the handshake on.

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

/// A client that is established, and waits for its server to be.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Meeting {
    sock: u64,
    place: u64,
}

/// The connection is established at this end. The client's is first; the server's knows it by its address and port, unless these are
/// translated on the way.
#[inline(always)]
pub fn meet(sock: *const c_void, state: &mut SockState) {
    if !is_measured(Measure::Wire) || setting!(store) != STORE_SOCKET {
        return;
    }
    let Some(place) = places::place_of(sock) else { return };
    let remote = state.role != CLIENT;
    let client =
        AddressKey { address: targets::address(sock, remote), port: u32::from(targets::port(sock, remote)) };
    if state.role == CLIENT {
        // Where there is no room, it is not known.
        let _ = MEETINGS.insert(&client, &Meeting { sock: sock as u64, place: u64::from(place) }, 0);
        return;
    }
    // SAFETY: copied at once.
    let Some(Meeting { sock, place: there }) = (unsafe { MEETINGS.get(&client) }).copied() else { return };
    let _ = MEETINGS.remove(&client);
    if let Some(other) = places::look_up(there as u32, sock)
        && other.role == CLIENT
        && other.peer == 0
    {
        // Until the place of one of them is free.
        other.peer = (place + 1) as u16;
        state.peer = (there + 1) as u16;
    }
}

/// There is data that nobody has received.
#[inline(always)]
pub fn came(state: &SockState) {
    if !is_measured(Measure::Wire) || !state.requests.is_multiple_of(LOOKED_INTO) {
        return;
    }
    let turns = if state.role == CLIENT { state.phase == IN_TURN } else { state.phase == 0 };
    if !turns {
        return;
    }
    let Some(other) = places::peer(state) else { return };
    let has_sent = if other.role == CLIENT { other.phase == IN_TURN } else { other.phase == 0 };
    let (sent_at, came_at) = (other.turn_at, state.ready_at);
    if !has_sent || sent_at == 0 || came_at < sent_at {
        return;
    }
    if let Some(tally) = tally(state) {
        record(Measure::Wire, state, tally, came_at - sent_at);
    }
}
