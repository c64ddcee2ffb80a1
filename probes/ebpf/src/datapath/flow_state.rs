//! What a packet of a known flow does to it.

use meshmark_common::datapath::{Config, FLOW_CLOSING, Flow, KIND_FLAGS, KIND_INTERVAL, elapsed};

use crate::{
    clock::jiffies,
    packet::{FIN, Packet, RST},
};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The flow is allowed: pass the packet on.
    Forward,
    /// Pass it on, and tell who listens (`KIND_FLAGS` or `KIND_INTERVAL`).
    Report(u8),
    /// Policy or endpoints have changed since: judge the flow again.
    Judge,
    /// The flow is over, or the packet begins another one with the same addresses.
    Open,
}

/// Notes the packet, which came from `side`.
#[inline(always)]
pub fn step<A>(flow: &mut Flow, packet: &Packet<A>, side: usize, revision: u32, config: &Config) -> Step {
    let now = jiffies();
    let idle = flow.idle(now);
    if idle > i64::from(flow.timeout) {
        return Step::Open;
    }
    // A first SYN from the side that answers, or after the end, is a flow of its own: it must not pass as a reply.
    if packet.is_first_syn() && (side != usize::from(flow.originator) || flow.flags & FLOW_CLOSING != 0) {
        return Step::Open;
    }
    if flow.revision != revision {
        return Step::Judge;
    }
    if idle > 0 {
        flow.last_seen = now;
    }
    if packet.tcp_flags & !flow.tcp_flags[side] != 0 {
        flow.tcp_flags[side] |= packet.tcp_flags;
        if packet.tcp_flags & (FIN | RST) != 0 {
            flow.flags |= FLOW_CLOSING;
            // After one FIN the other side may go on, or be silent, as long as it likes.
            if packet.tcp_flags & RST != 0 || flow.tcp_flags[0] & flow.tcp_flags[1] & FIN != 0 {
                flow.timeout = config.closing_timeout;
            }
        }
        return Step::Report(KIND_FLAGS);
    }
    if config.events != 0 && elapsed(flow.last_event, now) > i64::from(config.event_interval) {
        flow.last_event = now;
        return Step::Report(KIND_INTERVAL);
    }
    Step::Forward
}
