//! SIGTERM and SIGINT end the watching; what was seen is still written.

use std::{mem::MaybeUninit, ptr, time::Duration};

fn ending() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset() initialises the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
        libc::sigaddset(set.as_mut_ptr(), libc::SIGINT);
        set.assume_init()
    }
}

/// Before any thread is started: all inherit it.
pub fn block() {
    // SAFETY: the set is initialised, the old one not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &ending(), ptr::null_mut()) };
}

/// Waits for so long. `true`: it is to end now.
pub fn wait(time: Duration) -> bool {
    let time =
        libc::timespec { tv_sec: time.as_secs().cast_signed(), tv_nsec: i64::from(time.subsec_nanos()) };
    // SAFETY: the set and the time are ours; what came is not asked for.
    unsafe { libc::sigtimedwait(&ending(), ptr::null_mut(), &raw const time) > 0 }
}
