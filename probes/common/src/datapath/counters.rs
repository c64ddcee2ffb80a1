use super::REASONS;
use crate::assert_size;

pub const EGRESS: u32 = 0;
pub const INGRESS: u32 = 1;
/// The counters of an endpoint are at `slot * DIRECTIONS + direction`.
pub const DIRECTIONS: u32 = 2;
/// Slot of a side that is no endpoint (the node itself).
pub const NO_SLOT: u16 = u16::MAX;
/// No rule decided: no policy selects the endpoint, or the default denied.
pub const NO_RULE: u32 = 0;

/// Per CPU, endpoint and direction (seen from the endpoint).
#[repr(C)]
#[derive(Clone, Copy)]
pub struct EndpointCounters {
    pub packets: u64,
    pub bytes: u64,
    /// Dropped packets by `DropReason`.
    pub drops: [u64; REASONS],
}
assert_size!(EndpointCounters, 16 + 8 * REASONS);

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
