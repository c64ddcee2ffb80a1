use meshmark_common::probe::{Histogram, Measure, NOT_MEASURED, SockState, slot};

use crate::{
    add::{add_atomic, add_in_task},
    maps::HISTOGRAMS,
    settings::setting,
};

/// Where programs of one kind may interrupt each other.
#[inline(always)]
pub fn record(measure: Measure, state: &SockState, value: u64) {
    if let Some((histogram, index)) = place(measure, state, value) {
        // SAFETY: both places are in the map's value.
        unsafe {
            add_atomic(&raw mut (*histogram).sum, value);
            add_atomic((&raw mut (*histogram).slots).cast::<u64>().add(index), 1);
        }
    }
}

/// From programs that only tasks run.
#[inline(always)]
pub fn record_in_task(measure: Measure, state: &SockState, value: u64) {
    if let Some((histogram, index)) = place(measure, state, value) {
        // SAFETY: both places are in the map's value.
        unsafe {
            add_in_task(&raw mut (*histogram).sum, value);
            add_in_task((&raw mut (*histogram).slots).cast::<u64>().add(index), 1);
        }
    }
}

#[inline(always)]
pub fn is_measured(measure: Measure) -> bool {
    setting!(first[measure as usize]) != NOT_MEASURED
}

#[inline(always)]
fn place(measure: Measure, state: &SockState, value: u64) -> Option<(*mut Histogram, usize)> {
    let first = setting!(first[measure as usize]);
    if first == NOT_MEASURED {
        return None;
    }
    let histogram =
        HISTOGRAMS.get_ptr_mut(first + u32::from(state.target) * 2 + u32::from(state.role & 1))?;
    let (index, last) = (slot(value), u64::from(setting!(last_slot)));
    Some((histogram, (if index > last { last } else { index }) as usize))
}
