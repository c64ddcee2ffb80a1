//! How long a jiffy is: the kernel tells programs in it, and nobody else.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use aya::programs::{SchedClassifier, TestRun, TestRunOptions};

use crate::problem::{Problem, Trying};

/// The values that kernels are built with.
const RATES: [u32; 4] = [100, 250, 300, 1_000];

/// The kernel's jiffies, cut to 32 bits.
pub fn jiffies(clock: &SchedClassifier) -> Result<u32, Problem> {
    let packet = [0; 64];
    let options = TestRunOptions { data_in: Some(&packet), ..TestRunOptions::default() };
    Ok(clock.test_run(options).trying("running the program clock")?.return_value)
}

/// Jiffies per second.
pub fn rate(clock: &SchedClassifier) -> Result<u32, Problem> {
    let (begun, first) = (Instant::now(), jiffies(clock)?);
    sleep(Duration::from_millis(100));
    let (last, seconds) = (jiffies(clock)?, begun.elapsed().as_secs_f64());
    let measured = f64::from(last.wrapping_sub(first)) / seconds;
    let distance = |rate: u32| (f64::from(rate) - measured).abs();
    Ok(RATES.into_iter().min_by(|a, b| distance(*a).total_cmp(&distance(*b))).unwrap_or(RATES[1]))
}
