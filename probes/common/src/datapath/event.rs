use super::Address;
use crate::assert_size;

/// A flow was opened.
pub const KIND_NEW: u8 = 0;
/// A TCP flag was seen for the first time from this side.
pub const KIND_FLAGS: u8 = 1;
/// The flow is still in use.
pub const KIND_INTERVAL: u8 = 2;
/// A packet was dropped.
pub const KIND_DROP: u8 = 3;

/// What `EVENTS` carries, as much as Cilium's monitor does with aggregation `medium`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FlowEvent {
    /// Nanoseconds since boot (`CLOCK_MONOTONIC`).
    pub time: u64,
    pub source: Address,
    pub destination: Address,
    /// In network byte order.
    pub source_port: u16,
    pub destination_port: u16,
    pub protocol: u8,
    pub kind: u8,
    /// `DropReason` of a drop; `Flow::flags` else.
    pub detail: u8,
    pub tcp_flags: u8,
    pub device: u32,
    pub rule: u32,
    pub bytes: u32,
    pub padding: u32,
}
assert_size!(FlowEvent, 64);

/// The token bucket of a CPU, in `EVENT_BUDGET`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct EventBudget {
    pub tokens: u64,
    pub refilled: u64,
    /// Events that nobody got: no token, or the ring buffer was full.
    pub lost: u64,
}
assert_size!(EventBudget, 24);
