//! SIGTERM and SIGINT end the program in order.

use std::mem::MaybeUninit;

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
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &ending(), std::ptr::null_mut()) };
}

/// Returns when the program is to end.
pub fn wait() {
    let mut signal = 0;
    // SAFETY: both pointers are to values of our own.
    while unsafe { libc::sigwait(&ending(), &raw mut signal) } != 0 {}
}
