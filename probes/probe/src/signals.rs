//! SIGTERM, SIGINT and the end of the terminal (SIGHUP) end the watching; what was seen is still written.

use std::{
    env, io,
    mem::MaybeUninit,
    ptr,
    time::{Duration, Instant},
};

/// Set by whoever starts this program and wants it to end with itself, however that ends: its process id.
const PARENT: &str = "MESHMARK_PROBE_PARENT";

fn ending() -> libc::sigset_t {
    let mut set = MaybeUninit::uninit();
    // SAFETY: sigemptyset() initialises the set.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGTERM);
        libc::sigaddset(set.as_mut_ptr(), libc::SIGINT);
        if !is_ignored(libc::SIGHUP) {
            libc::sigaddset(set.as_mut_ptr(), libc::SIGHUP);
        }
        set.assume_init()
    }
}

/// By nohup(1), for one. A blocked signal would come none the less.
fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: the structure is ours, zeroes are a value of it; nothing is changed.
    unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr()) == 0
            && action.assume_init().sa_sigaction == libc::SIG_IGN
    }
}

/// Before any thread is started: all inherit it.
pub fn block() {
    // SAFETY: the set is initialised, the old one not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &ending(), ptr::null_mut()) };
}

/// When that process ends, this one gets a SIGTERM: after `kill -9` nobody else would send one.
pub fn end_with_parent() {
    let Some(parent) = env::var(PARENT).ok().and_then(|text| text.parse::<i32>().ok()) else { return };
    // SAFETY: numbers only.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGTERM);
        // It may have ended before that.
        if libc::getppid() != parent {
            libc::kill(libc::getpid(), libc::SIGTERM);
        }
    }
}

/// Waits for so long, whatever interrupts it (Ctrl-Z and `fg` do). `true`: it is to end now.
pub fn wait(time: Duration) -> bool {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let time =
            libc::timespec { tv_sec: left.as_secs().cast_signed(), tv_nsec: i64::from(left.subsec_nanos()) };
        // SAFETY: the set and the time are ours; what came is not asked for.
        if unsafe { libc::sigtimedwait(&ending(), ptr::null_mut(), &raw const time) } > 0 {
            return true;
        }
        if io::Error::last_os_error().kind() != io::ErrorKind::Interrupted {
            return false;
        }
    }
}
