//! Programs that the kernel runs for every TCP socket of a network namespace.

use core::ffi::c_void;

use aya_ebpf::{bindings::seq_file, helpers::generated::bpf_skc_to_tcp_sock};

/// What the kernel's `iter/tcp` gives: `struct bpf_iter__tcp`.
#[repr(C)]
pub struct IteratorContext {
    meta: *const Meta,
    sock: *mut c_void,
}

/// `struct bpf_iter_meta`
#[repr(C)]
struct Meta {
    output: *mut seq_file,
}

impl IteratorContext {
    /// The socket. `None` at the end of the list, and for what only stands for a connection (in `TIME_WAIT`, or half open).
    ///
    /// # Safety
    /// The context is the kernel's.
    #[inline(always)]
    pub unsafe fn sock(this: *const Self) -> Option<*mut c_void> {
        // SAFETY: the caller's.
        let sock = unsafe { (*this).sock };
        if sock.is_null() {
            return None;
        }
        // SAFETY: the verifier has seen that it is a socket.
        if unsafe { bpf_skc_to_tcp_sock(sock) }.is_null() { None } else { Some(sock) }
    }

    /// What whoever reads the iterator gets.
    ///
    /// # Safety
    /// The context is the kernel's.
    #[inline(always)]
    pub unsafe fn output(this: *const Self) -> *mut seq_file {
        // SAFETY: the caller's; the kernel fills both.
        unsafe { (*(*this).meta).output }
    }
}
