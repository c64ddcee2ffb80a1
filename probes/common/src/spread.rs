/// Which of so many places (a power of two) a number has, whatever pattern the numbers have. Fibonacci hashing: 2^64 over the golden
/// ratio.
#[expect(clippy::inline_always, reason = "a call is dear where this runs, in the kernel")]
#[inline(always)]
#[must_use]
pub const fn spread(number: u64, places: u32) -> u32 {
    (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - places.ilog2())) as u32
}
