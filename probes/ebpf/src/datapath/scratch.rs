//! What functions that are verified by themselves get: such a function takes plain numbers only (before 5.12), so the
//! packet lies in a map. And what lies there is unknown to the verifier, which else would go through every function again
//! for each kind of packet: without this, it gives up.

use crate::{
    family::Family,
    maps::{PACKET4, PACKET6},
    packet::Packet,
};

pub type Packet4 = Packet<u32>;
pub type Packet6 = Packet<[u64; 2]>;

/// This CPU's packet of IPv4.
pub fn packet4() -> Option<*mut Packet4> {
    PACKET4.get_ptr_mut(0)
}

/// This CPU's packet of IPv6.
pub fn packet6() -> Option<*mut Packet6> {
    PACKET6.get_ptr_mut(0)
}

/// Puts the packet there. Nothing else on this CPU does so until the program ends: soft interrupts do not interrupt each
/// other, nor the sending of packets.
#[inline(always)]
pub fn lay_down<F: Family>(packet: &Packet<F::Address>) {
    if let Some(place) = F::scratch() {
        // SAFETY: this CPU's own value, large enough for it.
        unsafe { place.write(*packet) }
    }
}
