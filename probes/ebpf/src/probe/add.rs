use core::intrinsics::{AtomicOrdering, atomic_xadd};

use crate::settings::setting;

/// Adds to what other programs, on this CPU or another, may add to in between.
#[inline(always)]
pub fn add_atomic(place: *mut u64, value: u64) {
    // SAFETY: the place is in a map, aligned to 8 bytes.
    unsafe { atomic_xadd::<u64, u64, { AtomicOrdering::Relaxed }>(place, value) };
}

/// For what one program only adds to on this CPU, and nothing that comes in between: what a client's turns add to is `receive`'s, which tasks
/// run, what a server's do is `send`'s, which runs with softirqs off. The loader knows where the kernel interrupts them all the same.
#[inline(always)]
pub fn add_alone(place: *mut u64, value: u64) {
    if setting!(atomic) == 0 {
        // SAFETY: the place is in a map; it is this CPU's.
        unsafe { *place = (*place).wrapping_add(value) };
    } else {
        add_atomic(place, value);
    }
}
