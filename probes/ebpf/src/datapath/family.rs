//! What differs between IPv4 and IPv6.

use aya_ebpf::{maps::LruHashMap, programs::TcContext};
use meshmark_common::datapath::{Address, Config, Ends, Flow, FlowKey4, FlowKey6, map_ipv4};

use crate::{
    events::{report4, report6},
    judge::{judge4, judge6},
    maps::{FLOWS4, FLOWS6},
    packet::Packet,
    parse::{Header, ipv4, ipv6},
    recent::RecentKey,
    scratch::{Request, request4, request6},
};

pub trait Family {
    type Address: Copy + PartialEq + PartialOrd + 'static;
    type Key: RecentKey;
    /// `struct bpf_sock_tuple` of this family.
    type Tuple;

    const ICMP: u8;
    const ECHO_REQUEST: u8;
    const ECHO_REPLY: u8;
    /// Bytes of link, network and TCP header without options.
    const HEADERS: u32;

    fn header(ctx: &TcContext, offset: usize) -> Header<Self::Address>;
    fn is_icmp_error(icmp_type: u8) -> bool;
    fn key(addresses: [Self::Address; 2], ports: [u16; 2], protocol: u8, leg: u8) -> Self::Key;
    fn flows() -> &'static LruHashMap<Self::Key, Flow>;
    fn mapped(address: Self::Address) -> Address;
    fn tuple(source: Self::Address, destination: Self::Address, ports: [u16; 2]) -> Self::Tuple;
    fn proxy(config: &Config) -> Self::Address;
    fn scratch() -> Option<*mut Request<Self::Address, Self::Key>>;
    /// See `judge::judge`, `events::report`.
    fn judge(device: u32, how: u32) -> u64;
    fn report(what: u32, device: u32, rule: u32, bytes: u32) -> u32;
}

pub struct V4;
pub struct V6;

#[repr(C)]
pub struct Tuple4 {
    source: u32,
    destination: u32,
    ports: [u16; 2],
}

#[repr(C)]
pub struct Tuple6 {
    source: [u32; 4],
    destination: [u32; 4],
    ports: [u16; 2],
}

impl Family for V4 {
    type Address = u32;
    type Key = FlowKey4;
    type Tuple = Tuple4;

    const ICMP: u8 = crate::packet::ICMP;
    const ECHO_REQUEST: u8 = 8;
    const ECHO_REPLY: u8 = 0;
    const HEADERS: u32 = 54;

    #[inline(always)]
    fn header(ctx: &TcContext, offset: usize) -> Header<u32> {
        ipv4(ctx, offset)
    }

    /// Unreachable, source quench, time exceeded, parameter problem.
    #[inline(always)]
    fn is_icmp_error(icmp_type: u8) -> bool {
        matches!(icmp_type, 3 | 4 | 11 | 12)
    }

    #[inline(always)]
    fn key([low, high]: [u32; 2], ports: [u16; 2], protocol: u8, leg: u8) -> FlowKey4 {
        FlowKey4 { addresses: u64::from(low) | u64::from(high) << 32, ends: Ends::new(ports, protocol, leg) }
    }

    #[inline(always)]
    fn flows() -> &'static LruHashMap<FlowKey4, Flow> {
        &FLOWS4
    }

    #[inline(always)]
    fn mapped(address: u32) -> Address {
        map_ipv4(address)
    }

    #[inline(always)]
    fn tuple(source: u32, destination: u32, ports: [u16; 2]) -> Tuple4 {
        Tuple4 { source, destination, ports }
    }

    #[inline(always)]
    fn proxy(config: &Config) -> u32 {
        config.proxy_address4
    }

    #[inline(always)]
    fn scratch() -> Option<*mut Request<Self::Address, Self::Key>> {
        request4()
    }

    #[inline(always)]
    fn judge(device: u32, how: u32) -> u64 {
        judge4(device, how)
    }

    #[inline(always)]
    fn report(what: u32, device: u32, rule: u32, bytes: u32) -> u32 {
        report4(what, device, rule, bytes)
    }
}

impl Family for V6 {
    type Address = [u64; 2];
    type Key = FlowKey6;
    type Tuple = Tuple6;

    const ICMP: u8 = crate::packet::ICMP6;
    const ECHO_REQUEST: u8 = 128;
    const ECHO_REPLY: u8 = 129;
    const HEADERS: u32 = 74;

    #[inline(always)]
    fn header(ctx: &TcContext, offset: usize) -> Header<[u64; 2]> {
        ipv6(ctx, offset)
    }

    /// Types below 128 are errors (RFC 4443).
    #[inline(always)]
    fn is_icmp_error(icmp_type: u8) -> bool {
        icmp_type < 128
    }

    #[inline(always)]
    fn key(addresses: [[u64; 2]; 2], ports: [u16; 2], protocol: u8, leg: u8) -> FlowKey6 {
        FlowKey6 { addresses, ends: Ends::new(ports, protocol, leg) }
    }

    #[inline(always)]
    fn flows() -> &'static LruHashMap<FlowKey6, Flow> {
        &FLOWS6
    }

    #[inline(always)]
    fn mapped(address: [u64; 2]) -> Address {
        let [high, low] = address;
        [high as u32, (high >> 32) as u32, low as u32, (low >> 32) as u32]
    }

    #[inline(always)]
    fn tuple(source: [u64; 2], destination: [u64; 2], ports: [u16; 2]) -> Tuple6 {
        Tuple6 { source: Self::mapped(source), destination: Self::mapped(destination), ports }
    }

    #[inline(always)]
    fn proxy(config: &Config) -> [u64; 2] {
        let [a, b, c, d] = config.proxy_address6;
        [u64::from(a) | u64::from(b) << 32, u64::from(c) | u64::from(d) << 32]
    }

    #[inline(always)]
    fn scratch() -> Option<*mut Request<Self::Address, Self::Key>> {
        request6()
    }

    #[inline(always)]
    fn judge(device: u32, how: u32) -> u64 {
        judge6(device, how)
    }

    #[inline(always)]
    fn report(what: u32, device: u32, rule: u32, bytes: u32) -> u32 {
        report6(what, device, rule, bytes)
    }
}

/// The flow's key on one leg, and which side of it sent the packet.
#[inline(always)]
pub fn flow_key<F: Family>(packet: &Packet<F::Address>, leg: u8) -> (F::Key, usize) {
    let source_is_lower = packet.source < packet.destination
        || (packet.source == packet.destination && packet.source_port <= packet.destination_port);
    if source_is_lower {
        let key = F::key(
            [packet.source, packet.destination],
            [packet.source_port, packet.destination_port],
            packet.protocol,
            leg,
        );
        (key, 0)
    } else {
        let key = F::key(
            [packet.destination, packet.source],
            [packet.destination_port, packet.source_port],
            packet.protocol,
            leg,
        );
        (key, 1)
    }
}
