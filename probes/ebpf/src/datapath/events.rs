//! Flow events. Nothing here runs while nobody listens.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use meshmark_common::datapath::{Config, FlowEvent};

use crate::{
    family::Family,
    maps::{EVENT_BUDGET, EVENTS},
    packet::Packet,
};

/// What an event says beside the packet's addresses.
pub struct Note {
    pub kind: u8,
    pub detail: u8,
    pub device: u32,
    pub rule: u32,
    pub bytes: u32,
}

#[inline(never)]
pub fn report<F: Family>(config: &Config, packet: &Packet<F::Address>, note: &Note) -> u32 {
    let Some(budget) = EVENT_BUDGET.get_ptr_mut(0) else { return 0 };
    // SAFETY: this CPU's own value.
    let budget = unsafe { &mut *budget };
    // SAFETY: takes nothing.
    let time = unsafe { bpf_ktime_get_ns() };
    let every = u64::from(config.event_nanoseconds);
    let burst = u64::from(config.event_burst);
    if every != 0 {
        let earned = (time - budget.refilled) / every;
        if earned > 0 {
            budget.tokens = (budget.tokens + earned).min(burst);
            budget.refilled = time;
        }
    }
    if budget.tokens == 0 {
        budget.lost += 1;
        return 0;
    }
    budget.tokens -= 1;
    let event = FlowEvent {
        time,
        source: F::mapped(packet.source),
        destination: F::mapped(packet.destination),
        source_port: packet.source_port,
        destination_port: packet.destination_port,
        protocol: packet.protocol,
        kind: note.kind,
        detail: note.detail,
        tcp_flags: packet.tcp_flags,
        device: note.device,
        rule: note.rule,
        bytes: note.bytes,
        padding: 0,
    };
    if EVENTS.output::<FlowEvent>(&event, 0).is_err() {
        budget.lost += 1;
    }
    1
}
