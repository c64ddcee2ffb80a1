use super::{Counters, Histogram, TALLIED_MEASURES};
use crate::assert_size;

/// Per CPU, target and role: all that every request adds to is here together, since each page more is one more that the CPU has to
/// look for.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Tally {
    pub counters: Counters,
    /// By `Measure`.
    pub latency: [Histogram; TALLIED_MEASURES],
}
assert_size!(Tally, size_of::<Counters>() + TALLIED_MEASURES * size_of::<Histogram>());
