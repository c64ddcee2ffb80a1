use core::intrinsics::{AtomicOrdering, atomic_xadd};

use crate::settings::setting;

/// Adds to what other programs, on this CPU or another, may add to in between.
#[inline(always)]
pub fn add_atomic(place: *mut u64, value: u64) {
    // SAFETY: the place is in a map, aligned to 8 bytes.
    unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(place, value) };
}

/// For programs that only tasks run: nothing comes in between where the kernel does not interrupt them, which the loader
/// knows.
#[inline(always)]
pub fn add_in_task(place: *mut u64, value: u64) {
    if setting!(atomic) == 0 {
        // SAFETY: the place is in a map; it is this CPU's.
        unsafe { *place += value };
    } else {
        add_atomic(place, value);
    }
}
