//! Where a packet in the kernel's hands was going.

use core::ffi::c_void;

use crate::{kernel::field, settings::setting, targets::mapped};

const ETH_IPV4: u16 = 0x0800;
const ETH_IPV6: u16 = 0x86dd;
const TCP: u8 = 6;
const UDP: u8 = 17;
/// No header where one should be.
const UNSET: u16 = u16::MAX;

pub struct Packet {
    /// 4, 6, or 0: neither.
    pub version: u8,
    pub protocol: u8,
    /// IPv4 as `::ffff:a.b.c.d`.
    pub source: [u8; 16],
    pub destination: [u8; 16],
    /// Where the protocol has none: 0.
    pub source_port: u16,
    pub destination_port: u16,
}

#[inline(always)]
pub fn parse(skb: *const c_void) -> Option<Packet> {
    let network: u16 = field(skb, setting!(offsets.skb_network));
    if network == UNSET {
        return None;
    }
    let head: *const c_void = field(skb, setting!(offsets.skb_head));
    let header = head.cast::<u8>().wrapping_add(network as usize).cast::<c_void>();
    let (version, protocol, source, destination, length) =
        match u16::from_be(field(skb, setting!(offsets.skb_protocol))) {
            ETH_IPV4 => {
                let ip: [u8; 20] = field(header, 0);
                let length = u32::from(ip[0] & 15) * 4;
                let source = mapped([ip[12], ip[13], ip[14], ip[15]]);
                let destination = mapped([ip[16], ip[17], ip[18], ip[19]]);
                // Only the first fragment has ports.
                let fragment = u16::from_be_bytes([ip[6], ip[7]]) & 0x1fff;
                (4, ip[9], source, destination, if fragment == 0 { length } else { 0 })
            }
            ETH_IPV6 => (6, field(header, 6), field(header, 8), field(header, 24), 40),
            _ => return None,
        };
    let ports: [u16; 2] =
        if length != 0 && (protocol == TCP || protocol == UDP) { field(header, length) } else { [0; 2] };
    Some(Packet {
        version,
        protocol,
        source,
        destination,
        source_port: u16::from_be(ports[0]),
        destination_port: u16::from_be(ports[1]),
    })
}
