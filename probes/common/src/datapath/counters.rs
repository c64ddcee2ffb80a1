use super::REASONS;
use crate::assert_size;

pub const EGRESS: u32 = 0;
pub const INGRESS: u32 = 1;
/// The drops of an endpoint are at `slot * DIRECTIONS + direction`.
pub const DIRECTIONS: u32 = 2;
/// Slot of a side that is no endpoint (the node itself).
pub const NO_SLOT: u16 = u16::MAX;
/// No rule decided: no policy selects the endpoint, or the default denied.
pub const NO_RULE: u32 = 0;

/// What was forwarded, seen from an endpoint.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Forwarded {
    pub packets: u64,
    pub bytes: u64,
}
assert_size!(Forwarded, 16);

/// So many slots share a value of `FORWARDED`: every packet of every flow adds to it twice, and looking for a value costs a
/// line of the cache of its own.
pub const FORWARDED_SLOTS: usize = 256;

/// Per CPU, by slot and direction.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ForwardedChunk {
    pub slots: [[Forwarded; DIRECTIONS as usize]; FORWARDED_SLOTS],
}
assert_size!(ForwardedChunk, 16 * DIRECTIONS as usize * FORWARDED_SLOTS);

/// Per CPU, endpoint and direction (seen from the endpoint): dropped packets by `DropReason`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EndpointDrops {
    pub drops: [u64; REASONS],
}
assert_size!(EndpointDrops, 8 * REASONS);

/// Per CPU and rule.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct RuleCounters {
    /// Flows that the rule let in, or sent to the proxy.
    pub allowed: u64,
    /// First packets of flows that it denied: TCP packets with SYN, and every packet of other protocols.
    pub denied: u64,
    pub dropped_packets: u64,
}
assert_size!(RuleCounters, 24);
