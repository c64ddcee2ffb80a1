//! Flow events. Nothing here runs while nobody listens.

use aya_ebpf::helpers::bpf_ktime_get_ns;
use meshmark_common::datapath::FlowEvent;

use crate::{
    config::config,
    family::{Family, V4, V6},
    maps::{EVENT_BUDGET, EVENTS},
};

/// Tells of this CPU's packet (`scratch`), if there are tokens left. Verified by itself.
///
/// # Arguments
/// `what`: `kind << 8 | detail`, see `FlowEvent`.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn report4(what: u32, device: u32, rule: u32, bytes: u32) -> u32 {
    report::<V4>(what, device, rule, bytes)
}

/// The same for IPv6.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn report6(what: u32, device: u32, rule: u32, bytes: u32) -> u32 {
    report::<V6>(what, device, rule, bytes)
}

#[inline(always)]
pub fn what(kind: u8, detail: u8) -> u32 {
    u32::from(kind) << 8 | u32::from(detail)
}

#[inline(always)]
fn report<F: Family>(what: u32, device: u32, rule: u32, bytes: u32) -> u32 {
    let Some(request) = F::scratch() else { return 0 };
    // SAFETY: this CPU's own value, laid down before.
    let packet = unsafe { &(*request).packet };
    let Some(config) = config() else { return 0 };
    let Some(budget) = EVENT_BUDGET.get_ptr_mut(0) else { return 0 };
    // SAFETY: this CPU's own value.
    let budget = unsafe { &mut *budget };
    // SAFETY: takes nothing.
    let time = unsafe { bpf_ktime_get_ns() };
    let every = u64::from(config.event_nanoseconds);
    let burst = u64::from(config.event_burst);
    if let Some(earned) = (time - budget.refilled).checked_div(every)
        && earned > 0
    {
        budget.tokens = (budget.tokens + earned).min(burst);
        budget.refilled = time;
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
        kind: (what >> 8) as u8,
        detail: what as u8,
        tcp_flags: packet.tcp_flags,
        device,
        rule,
        bytes,
        padding: 0,
    };
    if EVENTS.output::<FlowEvent>(&event, 0).is_err() {
        budget.lost += 1;
    }
    1
}
