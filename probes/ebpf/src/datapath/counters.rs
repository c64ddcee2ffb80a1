use meshmark_common::datapath::{
    DIRECTIONS, DropReason, EGRESS, FORWARDED_SLOTS, Forwarded, INGRESS, NO_SLOT, REASONS,
};

use crate::maps::{ENDPOINT_DROPS, ENDPOINTS, FORWARDED, RULE_COUNTERS};

/// A packet went from one side of the flow to the other: out of one endpoint, into the other.
///
/// # Arguments
/// `slots`: the flow's; `side`: from which the packet came
#[inline(always)]
pub fn count_forwarded(slots: &[u16; 2], side: usize, bytes: u32) {
    count_slot(slots[side], EGRESS, bytes);
    count_slot(slots[1 - side], INGRESS, bytes);
}

#[inline(always)]
fn count_slot(slot: u16, direction: u32, bytes: u32) {
    if slot == NO_SLOT {
        return;
    }
    let slot = usize::from(slot);
    if let Some(chunk) = FORWARDED.get_ptr_mut((slot / FORWARDED_SLOTS) as u32) {
        let index = slot % FORWARDED_SLOTS * DIRECTIONS as usize + direction as usize;
        // SAFETY: this CPU's own values; the index is within the chunk, since there are two directions.
        unsafe {
            let forwarded = chunk.cast::<Forwarded>().add(index);
            (*forwarded).packets += 1;
            (*forwarded).bytes += u64::from(bytes);
        }
    }
}

/// A packet was dropped on behalf of the endpoint with this device.
#[inline(always)]
pub fn count_dropped(device: u32, direction: u32, reason: DropReason) {
    // SAFETY: the value is not kept.
    let Some(endpoint) = (unsafe { ENDPOINTS.get(device) }) else { return };
    if let Some(counters) = ENDPOINT_DROPS.get_ptr_mut(endpoint.slot * DIRECTIONS + direction) {
        // SAFETY: this CPU's own values; the index is cut to the array's length.
        unsafe { (*counters).drops[reason as usize & (REASONS - 1)] += 1 }
    }
}

/// A flow was opened under this rule.
#[inline(always)]
pub fn count_allowed(rule: u32) {
    if let Some(counters) = RULE_COUNTERS.get_ptr_mut(rule) {
        // SAFETY: this CPU's own values.
        unsafe { (*counters).allowed += 1 }
    }
}

/// A packet was dropped by this rule.
#[inline(always)]
pub fn count_denied(rule: u32, opens_flow: bool) {
    if let Some(counters) = RULE_COUNTERS.get_ptr_mut(rule) {
        // SAFETY: this CPU's own values.
        unsafe {
            (*counters).denied += u64::from(opens_flow);
            (*counters).dropped_packets += 1;
        }
    }
}
