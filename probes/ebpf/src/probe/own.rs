//! How long a proxy works on a request itself: its turn as a server, without the one that it has as a client meanwhile. Which of its
//! turns belong together nobody says; but where only one has ended while the other went on, it is that.

use core::ffi::c_void;

use meshmark_common::probe::{LOOKED_INTO, Measure, SockState, Tally};

use crate::{
    add::add_atomic,
    histogram::{is_measured, record_in_task},
    maps::LOOKS,
};

/// Of a target: the server's turn that is looked into. A line of the cache.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub struct Look {
    /// Socket, or 0.
    sock: u64,
    /// Turns as a client that have ended meanwhile, on whatever CPU, and the sum of their lengths.
    turns: u64,
    waited: u64,
}

/// A server's turn begins.
#[inline(always)]
pub fn begin(sock: *const c_void, state: &SockState) {
    if let Some(look) = look_into(state) {
        look.turns = 0;
        look.waited = 0;
        look.sock = sock as u64;
    }
}

/// A client's turn ends, after so long.
#[inline(always)]
pub fn waited(state: &SockState, time: u64) {
    if is_measured(Measure::Own)
        && let Some(look) = look(state)
        && look.sock != 0
    {
        add_atomic(&raw mut look.turns, 1);
        add_atomic(&raw mut look.waited, time);
    }
}

/// A server's turn ends, after so long.
#[inline(always)]
pub fn end(sock: *const c_void, state: &SockState, tally: *mut Tally, time: u64) {
    let Some(look) = look_into(state) else { return };
    if look.sock != sock as u64 {
        return;
    }
    look.sock = 0;
    let (turns, waited) = (look.turns, look.waited);
    if turns == 1 && waited <= time {
        record_in_task(Measure::Own, state, tally, time - waited);
    }
}

/// `None`: this request is not looked into.
#[inline(always)]
fn look_into(state: &SockState) -> Option<&'static mut Look> {
    if !is_measured(Measure::Own) || !state.requests.is_multiple_of(LOOKED_INTO) {
        return None;
    }
    look(state)
}

#[inline(always)]
fn look(state: &SockState) -> Option<&'static mut Look> {
    let look = LOOKS.get_ptr_mut(u32::from(state.target))?;
    // SAFETY: memory of the map. Two CPUs may write it at once; then it is one of two turns that is looked into.
    Some(unsafe { &mut *look })
}
