//! Round-trip times, as the kernel keeps them for a connection: looked at when data comes, or the program sends more of
//! the same; the first time, and every eighth time from there on. A program of its own at every segment (tracepoint `tcp_probe`)
//! costs more than the look.

use core::{ffi::c_void, mem};

use meshmark_common::probe::{AS_TCP, Measure, SockState};

use crate::{
    add::add_atomic,
    histogram::{is_measured, record},
    kernel::{field, typed_field},
    settings::setting,
    store::tally,
};

/// A socket, as the program got it.
#[derive(Clone, Copy)]
pub enum Sock {
    /// The verifier knows that it is one.
    Typed(*const c_void),
    Untyped(*const c_void),
}

impl Sock {
    #[inline(always)]
    pub const fn pointer(self) -> *const c_void {
        match self {
            Self::Typed(sock) | Self::Untyped(sock) => sock,
        }
    }

    /// The same as one of TCP, whose fields can be read. Whether it is one is not asked: what has a state is.
    #[inline(always)]
    pub fn tcp(self) -> Option<Self> {
        match self {
            Self::Typed(sock) => {
                // SAFETY: the loader puts a call there that takes these; the verifier has seen that it is a socket.
                let tcp = unsafe {
                    let cast: unsafe extern "C" fn(*const c_void, u64) -> *const c_void =
                        mem::transmute(AS_TCP as usize);
                    cast(sock, setting!(tcp_type).into())
                };
                if tcp.is_null() { None } else { Some(Self::Typed(tcp)) }
            }
            Self::Untyped(sock) => Some(Self::Untyped(sock)),
        }
    }

    /// A field of `struct tcp_sock`.
    ///
    /// # Safety
    /// It is from `tcp()`, and the structure has a field of this size there.
    #[inline(always)]
    pub unsafe fn field<T: Copy>(self, offset: u32) -> T {
        match self {
            // SAFETY: the caller's.
            Self::Typed(tcp) => unsafe { typed_field(tcp, offset) },
            Self::Untyped(tcp) => field(tcp, offset),
        }
    }
}

/// The kernel's smoothed time takes up an eighth of each new one (RFC 6298, 2.3): what lies between two looks is in the next.
const EVERY: u8 = 8;

/// # Arguments
/// `tcp`: from `Sock::tcp()`.
#[inline(always)]
pub fn look(tcp: Sock, state: &mut SockState) {
    if !is_measured(Measure::SmoothedRtt) {
        return;
    }
    let turn = state.round_trips % EVERY;
    state.round_trips = state.round_trips.wrapping_add(1);
    if turn != 0 {
        return;
    }
    // SAFETY: 4 bytes of `struct tcp_sock`. The kernel keeps eight times the time, in microseconds.
    let smoothed: u32 = unsafe { tcp.field(setting!(offsets.tcp_srtt)) };
    if smoothed == 0 {
        // As long as there is none, whenever there may be one.
        state.round_trips = 0;
        return;
    }
    let Some(tally) = tally(state) else { return };
    record(Measure::SmoothedRtt, state, tally, u64::from(smoothed) * 125);
    // SAFETY: 4 bytes of it, too; where there is a smoothed time, there is a lowest.
    let lowest: u32 = unsafe { tcp.field(setting!(offsets.tcp_lowest_rtt)) };
    // SAFETY: the place is in the map's value.
    unsafe { add_atomic(&raw mut (*tally).counters.lowest_rtt_sum, u64::from(lowest)) };
}
