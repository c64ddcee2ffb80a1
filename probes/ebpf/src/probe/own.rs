//! How long a proxy works on a request itself: its turn as a server, without the one that it has as a client meanwhile. Which of its
//! turns belong together nobody says; but where only one has ended while the other went on, it is that.

use core::ffi::c_void;

use meshmark_common::probe::{LOOKED_INTO, Measure, SockState, Tally};

use crate::{
    add::add_atomic,
    histogram::{is_measured, record_alone},
    maps::LOOKS,
};

/// Of a target: the server's turn that is looked into. A line of the cache.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub struct Look {
    /// Socket, or 0, and since when.
    sock: u64,
    begun: u64,
    /// Turns as a client that have ended meanwhile, on whatever CPU, and the sum of their lengths.
    turns: u64,
    waited: u64,
}

/// A server's turn begins.
#[inline(always)]
pub fn begin(sock: *const c_void, state: &SockState) {
    if is_looked_into(state) {
        look_into(sock as u64, state);
    }
}

/// A client's turn ends, after so long. One that began before is another request's: then it is not known which is which.
#[inline(always)]
pub fn waited(state: &SockState, began_at: u64, time: u64) {
    if is_measured(Measure::Own) {
        take_off(state, began_at, time);
    }
}

/// A server's turn ends, after so long.
#[inline(always)]
pub fn end(sock: *const c_void, state: &SockState, tally: *mut Tally, time: u64) {
    if is_looked_into(state) {
        look_away(sock as u64, state, tally, time);
    }
}

#[inline(always)]
fn is_looked_into(state: &SockState) -> bool {
    is_measured(Measure::Own) && state.requests.is_multiple_of(LOOKED_INTO)
}

// Functions of their own, which are not even called where nothing is followed: in the programs themselves they make those longer.

#[inline(never)]
fn look_into(sock: u64, state: &SockState) {
    if let Some(look) = look(state) {
        look.sock = 0;
        (look.turns, look.waited, look.begun) = (0, 0, state.turn_at);
        look.sock = sock;
    }
}

#[inline(never)]
fn take_off(state: &SockState, began_at: u64, time: u64) {
    if let Some(look) = look(state)
        && look.sock != 0
    {
        add_atomic(&raw mut look.turns, if began_at < look.begun { 2 } else { 1 });
        add_atomic(&raw mut look.waited, time);
    }
}

#[inline(never)]
fn look_away(sock: u64, state: &SockState, tally: *mut Tally, time: u64) {
    let Some(look) = look(state) else { return };
    if look.sock != sock {
        return;
    }
    look.sock = 0;
    let (turns, waited) = (look.turns, look.waited);
    if turns == 1 && waited <= time {
        record_alone(Measure::Own, state, tally, time - waited);
    }
}

#[inline(always)]
fn look(state: &SockState) -> Option<&'static mut Look> {
    let look = LOOKS.get_ptr_mut(u32::from(state.target))?;
    // SAFETY: memory of the map. Two CPUs may write it at once; then it is one of two turns that is looked into.
    Some(unsafe { &mut *look })
}
