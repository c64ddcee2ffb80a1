use meshmark_common::probe::{Measure, NOT_MEASURED, SockState, TALLIED_MEASURES, Tally, slot};

use crate::{
    add::{add_alone, add_atomic},
    maps::HISTOGRAMS,
    settings::setting,
    store::row,
};

/// Where programs of one kind may interrupt each other.
///
/// # Arguments
/// `tally`: of the same state.
#[inline(always)]
pub fn record(measure: Measure, state: &SockState, tally: *mut Tally, value: u64) {
    if let Some(slot) = place(measure, state, tally, value) {
        // SAFETY: both places are in the maps' values.
        unsafe {
            add_atomic(sum(tally, measure), value);
            add_atomic(slot, 1);
        }
    }
}

/// Where nothing else adds to it in between (`add_alone`).
#[inline(always)]
pub fn record_alone(measure: Measure, state: &SockState, tally: *mut Tally, value: u64) {
    if let Some(slot) = place(measure, state, tally, value) {
        // SAFETY: both places are in the maps' values.
        unsafe {
            add_alone(sum(tally, measure), value);
            add_alone(slot, 1);
        }
    }
}

#[inline(always)]
pub fn is_measured(measure: Measure) -> bool {
    first(measure) != NOT_MEASURED
}

/// Where its histograms begin.
#[inline(always)]
fn first(measure: Measure) -> u32 {
    match measure {
        Measure::Turn => setting!(first[Measure::Turn as usize]),
        Measure::Queue => setting!(first[Measure::Queue as usize]),
        Measure::SmoothedRtt => setting!(first[Measure::SmoothedRtt as usize]),
        Measure::Wire => setting!(first[Measure::Wire as usize]),
        Measure::Own => setting!(first[Measure::Own as usize]),
        Measure::Connect => setting!(first[Measure::Connect as usize]),
        Measure::Tls => setting!(first[Measure::Tls as usize]),
        Measure::Lifetime => setting!(first[Measure::Lifetime as usize]),
        Measure::RequestsPerConnection => setting!(first[Measure::RequestsPerConnection as usize]),
    }
}

/// # Safety
/// `tally` is one of the map's values.
#[inline(always)]
unsafe fn sum(tally: *mut Tally, measure: Measure) -> *mut u64 {
    // SAFETY: the caller's; there is a sum for each measure.
    unsafe { (&raw mut (*tally).counters.sums).cast::<u64>().add(measure as usize) }
}

#[inline(always)]
fn place(measure: Measure, state: &SockState, tally: *mut Tally, value: u64) -> Option<*mut u64> {
    let first = first(measure);
    if first == NOT_MEASURED {
        return None;
    }
    let histogram = if (measure as usize) < TALLIED_MEASURES {
        // SAFETY: the tally is one of the map's values, and has one for each of them.
        unsafe { &raw mut (*tally).latency[measure as usize] }
    } else {
        HISTOGRAMS.get_ptr_mut(first + row(state))?
    };
    let (index, last) = (slot(value), u64::from(setting!(last_slot)));
    let index = if index > last { last } else { index } as usize;
    // SAFETY: the index is cut to the array's length.
    Some(unsafe { (&raw mut (*histogram).slots).cast::<u64>().add(index) })
}
