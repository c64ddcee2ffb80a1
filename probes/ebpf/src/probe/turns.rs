//! Turns of a connection: who speaks, and since when. A turn that is seen twice is one: the second time, it is somebody else's
//! already.

use core::ffi::c_void;

use meshmark_common::probe::{CLIENT, FLAG_CARRIED, FLAG_SEEDED, IN_TURN, Measure, SockState, Tally};

use crate::{
    add::add_alone,
    histogram::{is_measured, record_alone},
    own,
    round_trip::{self, Sock},
    store::tally,
};

/// Something was sent, or is about to be. A server's turn is recorded here, all of it.
#[inline(always)]
pub fn sent(sock: Sock, state: &mut SockState, now: u64) {
    if state.role == CLIENT && state.phase == 0 {
        state.turn_at = now;
        state.phase = IN_TURN;
        state.flags &= !FLAG_SEEDED;
        return;
    }
    if state.role != CLIENT {
        let Some(tally) = tally(state) else { return };
        if state.phase == IN_TURN {
            // A packet that was held back may have been made before.
            let length = now.saturating_sub(state.turn_at);
            heard(state, tally, state.began_at, state.turn_at);
            own::end(sock.pointer(), state, tally, length);
            end(state, tally, length);
            state.turn_at = now;
            return;
        }
        discard(state, tally);
    }
    // What turned the turn, seen again (at another device, or by the second copy of the program), or the rest of what was made with it.
    if now == state.turn_at {
        return;
    }
    if let Some(tcp) = sock.tcp() {
        round_trip::look(tcp, state);
    }
}

/// Something was received, and handed to the program. The clock is looked at only where a turn begins or ends.
#[inline(always)]
pub fn received(sock: *const c_void, state: &mut SockState, clock: impl Fn() -> u64) {
    let ready_at = state.ready_at;
    state.ready_at = 0;
    if state.role != CLIENT {
        if state.phase == 0 {
            state.turn_at = clock();
            state.began_at = ready_at;
            state.phase = IN_TURN;
            state.flags &= !FLAG_SEEDED;
            own::begin(sock, state);
        }
        return;
    }
    let Some(tally) = tally(state) else { return };
    if state.phase == IN_TURN {
        let now = clock();
        let began_at = state.turn_at;
        let length = now.saturating_sub(began_at);
        heard(state, tally, ready_at, now);
        own::waited(state, began_at, length);
        end(state, tally, length);
    } else {
        discard(state, tally);
    }
}

/// What turned the turn to this end: since when it was there, and how long before the program took it.
///
/// # Arguments
/// `ready_at`: 0 where nobody knows.
#[inline(always)]
fn heard(state: &SockState, tally: *mut Tally, ready_at: u64, taken_at: u64) {
    if ready_at == 0 || !is_measured(Measure::Queue) {
        return;
    }
    record_alone(Measure::Queue, state, tally, taken_at.wrapping_sub(ready_at));
    // SAFETY: both places are in the map's value.
    unsafe {
        add_alone(&raw mut (*tally).counters.timed, 1);
        add_alone(&raw mut (*tally).counters.ready_at_sum, ready_at);
    }
}

#[inline(always)]
fn end(state: &mut SockState, tally: *mut Tally, length: u64) {
    state.phase = 0;
    record_alone(Measure::Turn, state, tally, length);
    state.requests = state.requests.wrapping_add(1);
    let first = state.flags & FLAG_CARRIED == 0;
    // Where there is a histogram of them, that counts them.
    let counted = is_measured(Measure::Turn);
    if counted && !first {
        return;
    }
    state.flags |= FLAG_CARRIED;
    // SAFETY: both places are in the map's value.
    unsafe {
        if !counted {
            add_alone(&raw mut (*tally).counters.requests, 1);
        }
        if first {
            add_alone(&raw mut (*tally).counters.first_requests, 1);
        }
    }
}

/// No turn is known; one may have begun before the connection was watched.
#[inline(always)]
fn discard(state: &mut SockState, tally: *mut Tally) {
    if state.flags & FLAG_SEEDED != 0 {
        state.flags &= !FLAG_SEEDED;
        // SAFETY: the place is in the map's value.
        unsafe { add_alone(&raw mut (*tally).counters.discarded, 1) };
    }
}
