//! Where the state of a socket is: in a place of its own or with the socket, or in a hash map where the program may not reach that.

use core::{ffi::c_void, ptr};

use aya_ebpf::{
    bindings::BPF_SK_STORAGE_GET_F_CREATE,
    helpers::generated::{bpf_sk_storage_delete, bpf_sk_storage_get},
};
use meshmark_common::probe::{STORE_SOCKET, SockState, Tally};

use crate::{
    add::add_atomic,
    maps::{OVERFLOWS, SOCKETS, SOCKETS_BY_ADDRESS, TALLIES},
    places::{self, Found},
    settings::setting,
};

/// What `OVERFLOWS` counts.
pub const OVERFLOW_SOCKETS: u32 = 0;
pub const OVERFLOW_DROPS: u32 = 1;
pub const OVERFLOW_SERVICES: u32 = 2;
pub const OVERFLOW_FAILURES: u32 = 3;
pub const OVERFLOW_LISTENERS: u32 = 4;

/// The state of a socket that is watched.
#[inline(always)]
pub fn find(sock: *const c_void) -> Option<&'static mut SockState> {
    if setting!(store) == STORE_SOCKET {
        return match places::find(sock) {
            Found::State(state) => Some(state),
            Found::Elsewhere => in_socket(sock, ptr::null(), 0),
            Found::Nothing => None,
        };
    }
    let state = SOCKETS_BY_ADDRESS.get_ptr_mut(&(sock as u64))?;
    // SAFETY: entries stay valid memory until the program ends.
    Some(unsafe { &mut *state })
}

/// From now on it is watched. `false`: there is no room.
#[inline(always)]
pub fn insert(sock: *const c_void, state: &SockState) -> bool {
    let done = if setting!(store) == STORE_SOCKET {
        if places::take(sock, state) {
            return true;
        }
        match in_socket(sock, state, BPF_SK_STORAGE_GET_F_CREATE.into()) {
            Some(place) => {
                *place = *state;
                true
            }
            None => false,
        }
    } else {
        SOCKETS_BY_ADDRESS.insert(&(sock as u64), state, 0).is_ok()
    };
    if !done {
        overflow(OVERFLOW_SOCKETS);
    }
    done
}

/// The socket is no more; what lies with a socket goes with it.
#[inline(always)]
pub fn forget(sock: *const c_void) {
    if setting!(store) == STORE_SOCKET {
        places::free(sock);
    } else {
        let _ = SOCKETS_BY_ADDRESS.remove(&(sock as u64));
    }
}

/// From now on it is not watched.
#[inline(always)]
pub fn leave(sock: *const c_void) {
    forget(sock);
    if setting!(store) == STORE_SOCKET {
        let map = (&raw const SOCKETS).cast_mut().cast::<c_void>();
        // SAFETY: the map is one of socket storage.
        unsafe { bpf_sk_storage_delete(map, sock.cast_mut()) };
    }
}

/// Of its target and role, in every map that has them.
#[inline(always)]
pub fn row(state: &SockState) -> u32 {
    u32::from(state.target) * 2 + u32::from(state.role & 1)
}

/// `None` while nobody knows whose it is, too.
#[inline(always)]
pub fn tally(state: &SockState) -> Option<*mut Tally> {
    TALLIES.get_ptr_mut(row(state))
}

/// Something did not fit.
#[inline(always)]
pub fn overflow(what: u32) {
    if let Some(count) = OVERFLOWS.get_ptr_mut(what) {
        add_atomic(count, 1);
    }
}

#[inline(always)]
fn in_socket(sock: *const c_void, first: *const SockState, flags: u64) -> Option<&'static mut SockState> {
    let map = (&raw const SOCKETS).cast_mut().cast::<c_void>();
    // SAFETY: the map is one of socket storage, the value of its type or null.
    let state = unsafe { bpf_sk_storage_get(map, sock.cast_mut(), first.cast_mut().cast(), flags) }
        .cast::<SockState>();
    // SAFETY: null, or memory that stays until the program ends.
    unsafe { state.as_mut() }
}
