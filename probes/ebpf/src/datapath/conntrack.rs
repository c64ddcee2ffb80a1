//! Flows that were allowed.

use meshmark_common::datapath::Flow;

use crate::family::Family;

/// The flow of a key. The reference is the map's own memory: what is written there is written for every CPU.
#[inline(always)]
pub fn find<F: Family>(key: &F::Key) -> Option<&'static mut Flow> {
    // SAFETY: LRU elements are memory of the map while the program runs; a race with another CPU loses at most an update
    // of a time or a flag.
    F::flows().get_ptr_mut(key).map(|flow| unsafe { &mut *flow })
}
