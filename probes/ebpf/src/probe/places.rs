//! Places for the state of sockets, by the socket's address: found without a call of a helper, which costs more than all that a
//! program does there. A place is for one socket: where two meet, the state of the second lies with its socket.

use core::{
    ffi::c_void,
    mem::{offset_of, size_of},
    ptr,
};

use aya_ebpf::bindings::BPF_NOEXIST;
use meshmark_common::{
    probe::{PLACES as COUNT, SockState},
    spread,
};

use crate::maps::{PLACES, SOCKETS, TAKEN};

/// A line of the cache.
#[repr(C)]
pub struct Place {
    /// Address of the socket; 0: nobody's.
    sock: u64,
    state: SockState,
}
const _: () = assert!(size_of::<Place>() == 64);

/// What is known of a socket.
pub enum Found {
    State(&'static mut SockState),
    /// It may lie with the socket.
    Elsewhere,
    Nothing,
}

#[inline(always)]
pub fn find(sock: *const c_void) -> Found {
    let Some(place) = PLACES.get_ptr_mut(index(sock)) else { return Found::Nothing };
    // SAFETY: memory of the map. While a tracepoint has a socket in hand, that is not destroyed, and its place is no other's.
    // (A packet's socket may be, in the moment in which TLS is looked at: the next owner's handshake is the worst that can take
    // harm.)
    let place = unsafe { &mut *place };
    if place.sock == sock as u64 {
        return Found::State(&mut place.state);
    }
    if place.state.shared == 0 { Found::Nothing } else { Found::Elsewhere }
}

/// The place of a socket whose state lies in one.
#[inline(always)]
pub fn place_of(sock: *const c_void) -> Option<u32> {
    let index = index(sock);
    let place = PLACES.get_ptr(index)?;
    // SAFETY: memory of the map.
    (unsafe { (*place).sock } == sock as u64).then_some(index)
}

/// What lies in a place, if it is still this socket's.
#[inline(always)]
pub fn look_up(index: u32, sock: u64) -> Option<&'static mut SockState> {
    let place = PLACES.get_ptr_mut(index)?;
    // SAFETY: memory of the map.
    let place = unsafe { &mut *place };
    if place.sock == sock { Some(&mut place.state) } else { None }
}

/// The state of a connection's other end.
#[inline(always)]
pub fn peer(state: &SockState) -> Option<&'static mut SockState> {
    let place = PLACES.get_ptr_mut(u32::from(state.peer).checked_sub(1)?)?;
    // SAFETY: memory of the map.
    let other = unsafe { &mut (*place).state };
    // Both must still have what they were given when they met.
    if other.link == state.link && other.peer != 0 { Some(other) } else { None }
}

/// `false`: the place is another socket's; from now on it is known there that some lie elsewhere.
#[inline(always)]
pub fn take(sock: *const c_void, state: &SockState) -> bool {
    let index = index(sock);
    let Some(place) = PLACES.get_ptr_mut(index) else { return false };
    // SAFETY: memory of the map.
    let place = unsafe { &mut *place };
    // Two may want it at once: one of them can enter it here.
    if place.sock != sock as u64 && TAKEN.insert(&index, &(sock as u64), BPF_NOEXIST.into()).is_err() {
        place.state.shared = 1;
        return false;
    }
    // All but `shared` and what follows it: another CPU may be setting that now, which must not be undone.
    // SAFETY: both are whole states, and two.
    unsafe {
        ptr::copy_nonoverlapping(
            ptr::from_ref(state).cast::<u8>(),
            (&raw mut place.state).cast::<u8>(),
            offset_of!(SockState, shared),
        );
    }
    place.sock = sock as u64;
    true
}

/// `false`: it had none.
#[inline(always)]
pub fn free(sock: *const c_void) -> bool {
    let index = index(sock);
    let Some(place) = PLACES.get_ptr_mut(index) else { return false };
    // SAFETY: memory of the map.
    let place = unsafe { &mut *place };
    if place.sock != sock as u64 {
        return false;
    }
    // Whoever has the place next is nobody's other end.
    if let Some(other) = peer(&place.state) {
        other.peer = 0;
    }
    (place.state.peer, place.state.link) = (0, 0);
    place.sock = 0;
    if TAKEN.remove(&index).is_err() {
        // The map is locked by what this program has interrupted: the place stays this address's, until that is a socket's again.
        place.sock = sock as u64;
    }
    true
}

#[inline(always)]
fn index(sock: *const c_void) -> u32 {
    // Of a pointer the verifier lets be calculated only what is between it and another one.
    spread((sock as u64).wrapping_sub(&raw const SOCKETS as u64), COUNT)
}
