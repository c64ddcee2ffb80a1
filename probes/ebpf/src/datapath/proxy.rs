//! Into the L7 proxy: the packet gets a socket of it, and a mark by which the node takes it for a local one.

use core::mem::size_of;

use aya_ebpf::{
    EbpfContext,
    bindings::{TC_ACT_OK, bpf_sock},
    helpers::generated::{bpf_sk_assign, bpf_sk_fullsock, bpf_sk_release, bpf_skc_lookup_tcp},
    programs::TcContext,
};
use meshmark_common::datapath::{Config, MARK_FROM_PROXY, MARK_MASK, MARK_TO_PROXY};

use crate::{family::Family, packet::Packet};

const CURRENT_NAMESPACE: u64 = -1_i64 as u64;
/// `BPF_TCP_LISTEN`.
const LISTEN: u32 = 10;

/// The proxy's end of this connection, else its listener (where `config` is given). `None`: there is neither.
#[inline(always)]
pub fn divert<F: Family>(
    ctx: &TcContext,
    packet: &Packet<F::Address>,
    config: Option<&Config>,
) -> Option<i32> {
    // Any wildcard listener of the node would be found for the connection's own addresses: not what is meant.
    // SAFETY: the kernel gave it.
    let is_end = |socket: *mut bpf_sock| unsafe { (*socket).state } != LISTEN;
    if assign::<F>(ctx, own_tuple::<F>(packet), is_end) {
        return Some(mark(ctx));
    }
    let config = config?;
    if config.proxy_port == 0 {
        return None;
    }
    let ports = [packet.source_port, config.proxy_port as u16];
    // SAFETY: the kernel gave it.
    let is_listener = |socket: *mut bpf_sock| unsafe { (*socket).state } == LISTEN;
    assign::<F>(ctx, F::tuple(packet.source, F::proxy(config), ports), is_listener).then(|| mark(ctx))
}

/// The socket of the proxy's own connection to the packet's sender, which the mark tells from the client's end.
#[inline(always)]
pub fn divert_to_upstream<F: Family>(ctx: &TcContext, packet: &Packet<F::Address>) -> Option<i32> {
    let is_upstream = |socket: *mut bpf_sock| {
        // SAFETY: the kernel gave it; one in TIME_WAIT has no mark.
        unsafe {
            let socket = bpf_sk_fullsock(socket);
            !socket.is_null() && (*socket).mark & MARK_MASK == MARK_FROM_PROXY
        }
    };
    assign::<F>(ctx, own_tuple::<F>(packet), is_upstream).then(|| mark(ctx))
}

#[inline(always)]
fn own_tuple<F: Family>(packet: &Packet<F::Address>) -> F::Tuple {
    F::tuple(packet.source, packet.destination, [packet.source_port, packet.destination_port])
}

#[inline(always)]
fn mark(ctx: &TcContext) -> i32 {
    ctx.set_mark(MARK_TO_PROXY);
    TC_ACT_OK
}

/// # Minimum kernel version
/// 5.7 (`bpf_sk_assign`); a listener with SO_REUSEPORT needs 6.6.
#[inline(always)]
fn assign<F: Family>(
    ctx: &TcContext,
    mut tuple: F::Tuple,
    is_meant: impl FnOnce(*mut bpf_sock) -> bool,
) -> bool {
    // SAFETY: the tuple is of the size that tells the kernel the family.
    let socket = unsafe {
        bpf_skc_lookup_tcp(
            ctx.as_ptr(),
            (&raw mut tuple).cast(),
            size_of::<F::Tuple>() as u32,
            CURRENT_NAMESPACE,
            0,
        )
    };
    if socket.is_null() {
        return false;
    }
    // SAFETY: the kernel gave it, and we give it back below.
    unsafe {
        let assigned = is_meant(socket) && bpf_sk_assign(ctx.as_ptr(), socket.cast(), 0) == 0;
        bpf_sk_release(socket.cast());
        assigned
    }
}
