//! A packet is freed because something did not go on with it.

use core::{ffi::c_void, ptr};

use aya_ebpf::{
    bindings::BPF_NOEXIST,
    macros::{btf_tracepoint, raw_tracepoint},
    programs::{BtfTracePointContext, RawTracePointContext},
};
use meshmark_common::probe::{DropKey, DropService};

use crate::{
    add::add_atomic,
    kernel::field,
    maps::{DROP_SERVICES, DROPS},
    packet::{self, End},
    settings::setting,
    store::{OVERFLOW_DROPS, OVERFLOW_SERVICES, overflow},
    targets,
};

const TCP_TIME_WAIT: u8 = 6;
const TCP_NEW_SYN_RECV: u8 = 12;

/// # Minimum kernel version
/// 5.5; the reason came with 5.17
#[btf_tracepoint(function = "kfree_skb")]
pub fn drop_btf(ctx: BtfTracePointContext) -> i32 {
    let reason = if setting!(drop_arguments) > 2 { ctx.arg::<u32>(2) } else { 0 };
    let sock = if setting!(drop_arguments) > 3 { ctx.arg::<*const c_void>(3) } else { ptr::null() };
    count(ctx.arg::<*const c_void>(0), ctx.arg::<u64>(1), reason, sock)
}

/// # Minimum kernel version
/// 4.17; the reason came with 5.17
#[raw_tracepoint(tracepoint = "kfree_skb")]
pub fn drop_raw(ctx: RawTracePointContext) -> i32 {
    let reason = if setting!(drop_arguments) > 2 { ctx.arg::<u32>(2) } else { 0 };
    let sock = if setting!(drop_arguments) > 3 { ctx.arg::<*const c_void>(3) } else { ptr::null() };
    count(ctx.arg::<*const c_void>(0), ctx.arg::<u64>(1), reason, sock)
}

#[inline(always)]
fn count(skb: *const c_void, location: u64, reason: u32, receiver: *const c_void) -> i32 {
    let sock = if receiver.is_null() { field(skb, setting!(offsets.skb_sock)) } else { receiver };
    let mut service =
        DropService { address: [0; 16], reason, target: 0, port: 0, version: 0, protocol: 0, padding: 0 };
    packet::read(skb, End::Destination, &mut service);
    let Some(target) = whose(skb, sock, &service) else { return 0 };
    let key = DropKey { location, reason, target };
    if let Some(count) = DROPS.get_ptr_mut(&key) {
        add_atomic(count, 1);
    } else if DROPS.insert(&key, &1, BPF_NOEXIST.into()).is_err() {
        // Another CPU was first, or there is no room.
        match DROPS.get_ptr_mut(&key) {
            Some(count) => add_atomic(count, 1),
            None => overflow(OVERFLOW_DROPS),
        }
    }
    if service.version != 0 {
        service.target = target;
        count_service(&service);
    }
    0
}

#[inline(always)]
fn count_service(key: &DropService) {
    if let Some(count) = DROP_SERVICES.get_ptr_mut(key) {
        add_atomic(count, 1);
    } else if DROP_SERVICES.insert(key, &1, BPF_NOEXIST.into()).is_err() {
        match DROP_SERVICES.get_ptr_mut(key) {
            Some(count) => add_atomic(count, 1),
            None => overflow(OVERFLOW_SERVICES),
        }
    }
}

/// By the socket first: TCP clears a packet's device, and keeps other things in its place.
#[inline(always)]
fn whose(skb: *const c_void, sock: *const c_void, to: &DropService) -> Option<u32> {
    if setting!(addresses) != 0 && to.version != 0 {
        if let Some(target) = targets::by_address(packet::key(to)) {
            return Some(target);
        }
        let mut from = DropService { ..*to };
        packet::read(skb, End::Source, &mut from);
        if let Some(target) = targets::by_address(packet::key(&from)) {
            return Some(target);
        }
    }
    if sock.is_null() {
        let device: *const c_void = field(skb, setting!(offsets.skb_device));
        return targets::by_namespace(targets::inum(field(device, setting!(offsets.device_net))));
    }
    let state: u8 = field(sock, setting!(offsets.sock_state));
    if state == TCP_TIME_WAIT || state == TCP_NEW_SYN_RECV {
        // These are no full sockets: they have neither cgroup nor user.
        return targets::by_namespace(targets::namespace(sock));
    }
    if setting!(cgroups) != 0
        && let Some(target) = targets::by_cgroup(sock)
    {
        return Some(target);
    }
    targets::by_owner(sock)
}
