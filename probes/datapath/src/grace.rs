//! Programs that are running while their maps are changed.

use std::{thread::sleep, time::Duration};

/// Of `enum membarrier_cmd` in linux/membarrier.h.
const MEMBARRIER_CMD_GLOBAL: libc::c_int = 1;

/// Far longer than a program runs.
const INSTEAD: Duration = Duration::from_millis(100);

/// Returns when every program that was running has ended: what it had read before is of no use to anybody any more. Programs
/// are readers of RCU, and this command is `synchronize_rcu()` (kernel/sched/membarrier.c): some milliseconds.
pub fn wait_for_running_programs() {
    // SAFETY: takes numbers.
    let result = unsafe { libc::syscall(libc::SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) };
    if result != 0 {
        // A kernel with nohz_full does not have it, a sandbox may forbid it.
        sleep(INSTEAD);
    }
}
