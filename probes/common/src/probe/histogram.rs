use crate::assert_size;

/// So many bits of a value's leading digits make its slot: 16 slots for every power of two, each at most 1/16 as wide
/// as where it begins.
pub const STEP_BITS: u64 = 4;
/// The last slot also holds what is longer than 2^48 ns (78 hours).
pub const SLOTS: usize = 16 * 45;

/// Log-linear: values below 16 have a slot each, above that 16 slots share every power of two. The sum of the values, for an
/// exact mean, is in `Counters`.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Histogram {
    pub slots: [u64; SLOTS],
}
assert_size!(Histogram, 8 * SLOTS);

/// The slot of a value, not yet cut to the length of the array.
#[expect(clippy::inline_always, reason = "a call is dear where this runs, in the kernel")]
#[inline(always)]
#[must_use]
pub const fn slot(value: u64) -> u64 {
    if value < 1 << STEP_BITS {
        return value;
    }
    let power = highest_bit(value) - STEP_BITS;
    // The leading digit is always 1 and adds the first 16 of this power.
    (power << STEP_BITS) + (value >> power)
}

/// The smallest value of a slot; that of the next one is where it ends.
#[must_use]
pub const fn slot_low(slot: u64) -> u64 {
    if slot < 2 << STEP_BITS {
        return slot;
    }
    let power = (slot >> STEP_BITS) - 1;
    (slot - (power << STEP_BITS)) << power
}

/// By halves: eBPF has no instruction for it, and what compilers make of `leading_zeros` takes three times as long.
#[expect(clippy::inline_always, reason = "a call is dear where this runs, in the kernel")]
#[inline(always)]
const fn highest_bit(value: u64) -> u64 {
    let (mut rest, mut bit) = (value, 0);
    if rest >> 32 != 0 {
        rest >>= 32;
        bit += 32;
    }
    if rest >> 16 != 0 {
        rest >>= 16;
        bit += 16;
    }
    if rest >> 8 != 0 {
        rest >>= 8;
        bit += 8;
    }
    if rest >> 4 != 0 {
        rest >>= 4;
        bit += 4;
    }
    if rest >> 2 != 0 {
        rest >>= 2;
        bit += 2;
    }
    bit + (rest >> 1)
}

#[cfg(test)]
mod tests {
    use super::{SLOTS, slot, slot_low};

    #[test]
    fn every_slot_begins_where_the_one_before_ends() {
        for index in 0..SLOTS as u64 {
            assert_eq!(slot(slot_low(index)), index);
            assert_eq!(slot(slot_low(index + 1) - 1), index);
        }
        assert_eq!(slot_low(SLOTS as u64), 1 << 48);
    }

    #[test]
    fn no_slot_is_wider_than_a_sixteenth() {
        for index in 16..SLOTS as u64 {
            let (low, next) = (slot_low(index), slot_low(index + 1));
            assert!((next - low) * 16 <= low, "slot {index}: {low}..{next}");
        }
    }
}
