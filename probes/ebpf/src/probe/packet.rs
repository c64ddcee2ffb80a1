//! Where a packet in the kernel's hands comes from and is going. Fields are read into their places one by one: there are only
//! 512 bytes of stack, and verifiers before 6.3 refuse to copy bytes that nobody wrote.

use core::ffi::c_void;

use aya_ebpf::helpers::generated::bpf_probe_read_kernel;
use meshmark_common::probe::{AddressKey, DropService};

use crate::{kernel::field, settings::setting};

const ETH_IPV4: u16 = 0x0800;
const ETH_IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// No header where one should be.
const UNSET: u16 = u16::MAX;

/// The ends that a packet has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Source,
    Destination,
}

/// Fills in version, protocol, and one end's address and port. Version 0 where it is neither IPv4 nor IPv6.
#[inline(always)]
pub fn read(skb: *const c_void, end: End, into: &mut DropService) {
    into.version = 0;
    let network: u16 = field(skb, setting!(offsets.skb_network));
    if network == UNSET {
        return;
    }
    let head: *const c_void = field(skb, setting!(offsets.skb_head));
    let header = head.cast::<u8>().wrapping_add(network as usize);
    let mut length = 40;
    match u16::from_be(field(skb, setting!(offsets.skb_protocol))) {
        ETH_IPV4 => {
            into.version = 4;
            into.protocol = field(header.cast(), 9);
            into.address = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0];
            copy(&raw mut into.address[12], header.wrapping_add(if end == End::Source { 12 } else { 16 }), 4);
            // Only the first fragment has ports.
            let fragment = u16::from_be(field(header.cast(), 6)) & 0x1fff;
            length = if fragment == 0 { u32::from(field::<u8>(header.cast(), 0) & 15) * 4 } else { 0 };
        }
        ETH_IPV6 => {
            into.version = 6;
            into.protocol = field(header.cast(), 6);
            copy(&raw mut into.address[0], header.wrapping_add(if end == End::Source { 8 } else { 24 }), 16);
        }
        _ => return,
    }
    if length != 0 && (into.protocol == TCP || into.protocol == UDP) {
        into.port = u16::from_be(field(header.cast(), length + if end == End::Source { 0 } else { 2 }));
    }
}

/// One end, as targets are known by.
#[inline(always)]
pub fn key(of: &DropService) -> AddressKey {
    AddressKey { address: of.address, port: u32::from(of.port) }
}

#[inline(always)]
fn copy(to: *mut u8, from: *const u8, bytes: u32) {
    // SAFETY: the place is in a structure of ours that is as long.
    unsafe { bpf_probe_read_kernel(to.cast(), bytes, from.cast()) };
}
