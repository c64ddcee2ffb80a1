//! Flows of which this CPU has just passed a packet on: what conntrack said of them, where one line of the cache has all of it.
//! Most of what a packet of an established flow cost was the way through conntrack's hash table: its code, the bucket, the
//! element, each in lines of their own.
//!
//! What lies here holds under one revision, as the verdict in conntrack does, and for two jiffies: then conntrack is asked
//! again, so that it knows the flow is in use. For so long, too, it outlives a flow that gave way to another with the same
//! addresses and ports. Nobody else writes a CPU's entries, and nothing comes in between (but on kernels with PREEMPT_RT,
//! where programs on one CPU can, here as in `scratch.rs`).

use core::mem::size_of;

use aya_ebpf::{helpers::generated::bpf_get_smp_processor_id, maps::Array};
use meshmark_common::{
    datapath::{Flow, FlowKey4, FlowKey6, RECENT_FLOWS},
    spread,
};

use crate::{
    clock::jiffies,
    maps::{RECENT4, RECENT6},
    packet::ACK,
};

/// How many jiffies conntrack is not asked for.
const FRESH: u32 = 2;

/// A line of the cache. (LLVM 22 crashes over copies of a type that is aligned to it; the map's memory is.)
pub type Line = [u64; 8];

#[repr(C)]
pub struct Recent<Key> {
    key: Key,
    pub devices: [u32; 2],
    pub slots: [u16; 2],
    revision: u32,
    /// In jiffies: when conntrack was asked.
    asked: u32,
}
const _: () = assert!(size_of::<Recent<FlowKey4>>() <= size_of::<Line>());
const _: () = assert!(size_of::<Recent<FlowKey6>>() <= size_of::<Line>());

pub trait RecentKey: Copy + 'static {
    fn places() -> &'static Array<Line>;
    /// Without a call of `memcmp()`, which there is none of.
    fn is(&self, other: &Self) -> bool;
    /// All of it in one word.
    fn folded(&self) -> u64;
}

impl RecentKey for FlowKey4 {
    #[inline(always)]
    fn places() -> &'static Array<Line> {
        &RECENT4
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        self.addresses == other.addresses && self.ends == other.ends
    }

    #[inline(always)]
    fn folded(&self) -> u64 {
        self.addresses ^ self.ends.word()
    }
}

impl RecentKey for FlowKey6 {
    #[inline(always)]
    fn places() -> &'static Array<Line> {
        &RECENT6
    }

    #[inline(always)]
    fn is(&self, other: &Self) -> bool {
        let ([[a, b], [c, d]], [[e, f], [g, h]]) = (self.addresses, other.addresses);
        ((a ^ e) | (b ^ f) | (c ^ g) | (d ^ h)) == 0 && self.ends == other.ends
    }

    #[inline(always)]
    fn folded(&self) -> u64 {
        let [[a, b], [c, d]] = self.addresses;
        a ^ b.rotate_left(16) ^ c.rotate_left(32) ^ d ^ self.ends.word()
    }
}

/// Where a flow of this key is, if it is here at all.
#[inline(always)]
pub fn place<Key: RecentKey>(key: &Key) -> Option<&'static mut Recent<Key>> {
    // SAFETY: takes nothing.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let place = spread(key.folded(), RECENT_FLOWS);
    let line = Key::places().get_ptr_mut(cpu * RECENT_FLOWS + place)?;
    // SAFETY: memory of the map, long enough, which only this CPU uses; all bits mean something.
    Some(unsafe { &mut *line.cast() })
}

impl<Key: RecentKey> Recent<Key> {
    #[inline(always)]
    pub fn holds(&self, key: &Key, revision: u32, now: u32) -> bool {
        self.key.is(key) && self.revision == revision && now.wrapping_sub(self.asked) < FRESH
    }
}

/// # Arguments
/// `flow`: one whose next segment would be passed on, if it is plain; `revision`: under which it is allowed. Another CPU may
/// judge the flow again meanwhile: what it writes then is noted under the old revision, and holds no more.
#[inline(never)]
pub fn note<Key: RecentKey>(key: &Key, flow: &Flow, revision: u32) {
    // Until both sides have been seen to acknowledge, the next segment is news.
    if flow.flags == 0
        && flow.tcp_flags[0] & flow.tcp_flags[1] & ACK != 0
        && let Some(place) = place(key)
    {
        *place = Recent { key: *key, devices: flow.devices, slots: flow.slots, revision, asked: jiffies() };
    }
}
