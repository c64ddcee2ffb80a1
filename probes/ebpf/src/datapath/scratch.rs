//! What functions that are verified by themselves get: such a function takes plain numbers only (before 5.12), so the
//! packet lies in a map. And what lies there is unknown to the verifier, which else would go through every function again
//! for each kind of packet: without this, it gives up.

use meshmark_common::datapath::{FlowKey4, FlowKey6};

use crate::{
    family::Family,
    maps::{REQUEST4, REQUEST6},
    packet::Packet,
};

/// A packet, its flow's key, and the side of the flow that sent it.
#[repr(C)]
pub struct Request<Address, Key> {
    pub packet: Packet<Address>,
    pub key: Key,
    pub side: u32,
}

pub type Request4 = Request<u32, FlowKey4>;
pub type Request6 = Request<[u64; 2], FlowKey6>;

/// This CPU's request of IPv4.
pub fn request4() -> Option<*mut Request4> {
    REQUEST4.get_ptr_mut(0)
}

/// This CPU's request of IPv6.
pub fn request6() -> Option<*mut Request6> {
    REQUEST6.get_ptr_mut(0)
}

/// Puts the packet there. Nothing else on this CPU does so until the program ends: soft interrupts do not interrupt each
/// other, nor the sending of packets.
#[inline(always)]
pub fn lay_down<F: Family>(packet: &Packet<F::Address>, key: &F::Key, side: usize) {
    if let Some(place) = F::scratch() {
        // SAFETY: this CPU's own value.
        let place = unsafe { &mut *place };
        place.packet = *packet;
        place.key = *key;
        place.side = side as u32;
    }
}
