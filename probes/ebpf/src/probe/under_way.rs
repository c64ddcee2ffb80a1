//! Turns that are under way: whenever somebody asks, over all TCP sockets of a network namespace.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_seq_write;
use meshmark_common::probe::{FLAG_CLOSED, IN_TURN};

use crate::{
    iterator::IteratorContext,
    kernel::field,
    settings::setting,
    store::{find, row},
};

/// Writes `target * 2 + role` for each.
///
/// # Minimum kernel version
/// 5.9
#[unsafe(no_mangle)]
#[unsafe(link_section = "iter/tcp")]
pub extern "C" fn under_way(ctx: *const IteratorContext) -> i32 {
    // SAFETY: the kernel calls it with this structure.
    let Some(sock) = (unsafe { IteratorContext::sock(ctx) }) else { return 0 };
    let Some(state) = find(sock) else { return 0 };
    if state.phase != IN_TURN || state.flags & FLAG_CLOSED != 0 {
        return 0;
    }
    // The program has let go of it: nothing ends its turn any more.
    if field::<*const c_void>(sock, setting!(offsets.sock_socket)).is_null() {
        return 0;
    }
    let place = row(state);
    // SAFETY: the context is the kernel's, the value as long as it says. Where there is no room, the kernel runs it again.
    unsafe {
        bpf_seq_write(
            IteratorContext::output(ctx),
            (&raw const place).cast::<c_void>(),
            size_of::<u32>() as u32,
        )
    };
    0
}
