//! Turns of a connection: who speaks, and since when. A turn that is seen twice is one: the second time, it is somebody else's
//! already.

use meshmark_common::probe::{CLIENT, Counters, FLAG_CARRIED, FLAG_SEEDED, IN_TURN, Measure, SockState};

use crate::{
    add::add_in_task,
    histogram::{is_measured, record_in_task},
    round_trip::{self, Sock},
    store::counters,
};

/// Something was sent, or is about to be.
#[inline(always)]
pub fn sent(sock: Sock, state: &mut SockState, now: u64) {
    if state.role == CLIENT && state.phase == 0 {
        state.turn_at = now;
        state.phase = IN_TURN;
        state.flags &= !FLAG_SEEDED;
        return;
    }
    if state.role != CLIENT {
        let Some(counters) = counters(state) else { return };
        if state.phase == IN_TURN {
            state.phase = 0;
            time(counters, now, state.began_at);
            end(state, counters, now);
            return;
        }
        discard(state, counters);
    }
    if let Some(tcp) = sock.tcp() {
        round_trip::look(tcp, state);
    }
}

/// Something was received, and handed to the program. The clock is looked at only where a turn begins or ends.
#[inline(always)]
pub fn received(state: &mut SockState, clock: impl Fn() -> u64) {
    let ready_at = state.ready_at;
    state.ready_at = 0;
    let Some(counters) = counters(state) else { return };
    if state.role == CLIENT {
        if state.phase == IN_TURN {
            let now = clock();
            state.phase = 0;
            queued(state, counters, ready_at, now);
            time(counters, state.turn_at, ready_at);
            end(state, counters, now);
        } else {
            discard(state, counters);
        }
    } else if state.phase == 0 {
        let now = clock();
        state.turn_at = now;
        state.began_at = ready_at;
        state.phase = IN_TURN;
        state.flags &= !FLAG_SEEDED;
        queued(state, counters, ready_at, now);
    }
}

/// When an end sent, and since when there was what it heard: with the same of the other end, how long the ways between took.
#[inline(always)]
fn time(counters: *mut Counters, sent_at: u64, ready_at: u64) {
    if ready_at != 0 && is_measured(Measure::Queue) {
        // SAFETY: the places are in the map's value.
        unsafe {
            add_in_task(&raw mut (*counters).timed, 1);
            add_in_task(&raw mut (*counters).sent_at_sum, sent_at);
            add_in_task(&raw mut (*counters).ready_at_sum, ready_at);
        }
    }
}

/// How long the data that turns the turn was there before somebody took it.
#[inline(always)]
fn queued(state: &SockState, counters: *mut Counters, ready_at: u64, now: u64) {
    if ready_at != 0 {
        record_in_task(Measure::Queue, state, counters, now.wrapping_sub(ready_at));
    }
}

#[inline(always)]
fn end(state: &mut SockState, counters: *mut Counters, now: u64) {
    record_in_task(Measure::Turn, state, counters, now.wrapping_sub(state.turn_at));
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
            add_in_task(&raw mut (*counters).requests, 1);
        }
        if first {
            add_in_task(&raw mut (*counters).first_requests, 1);
        }
    }
}

/// No turn is known; one may have begun before the connection was watched.
#[inline(always)]
fn discard(state: &mut SockState, counters: *mut Counters) {
    if state.flags & FLAG_SEEDED != 0 {
        state.flags &= !FLAG_SEEDED;
        // SAFETY: the place is in the map's value.
        unsafe { add_in_task(&raw mut (*counters).discarded, 1) };
    }
}
