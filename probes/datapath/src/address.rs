//! Addresses and prefixes, in text and as maps have them.

use std::{
    fmt,
    net::{IpAddr, Ipv6Addr},
};

use meshmark_common::datapath::{Address, map_ipv4};

use crate::problem::Problem;

const MAPPED_BITS: u32 = 96;

/// As it lies in a map: IPv4 mapped into IPv6, in network byte order.
pub fn to_map(address: IpAddr) -> Address {
    match address {
        IpAddr::V4(address) => map_ipv4(u32::from_ne_bytes(address.octets())),
        IpAddr::V6(address) => {
            let bytes = address.octets();
            std::array::from_fn(|word| {
                u32::from_ne_bytes([
                    bytes[word * 4],
                    bytes[word * 4 + 1],
                    bytes[word * 4 + 2],
                    bytes[word * 4 + 3],
                ])
            })
        }
    }
}

pub fn from_map(address: Address) -> IpAddr {
    let mut bytes = [0; 16];
    for (word, part) in address.iter().enumerate() {
        bytes[word * 4..word * 4 + 4].copy_from_slice(&part.to_ne_bytes());
    }
    let address = Ipv6Addr::from(bytes);
    address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4)
}

/// Addresses that begin alike. Ordered by length first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// Of the mapped address, 0 to 128.
    pub bits: u32,
    value: u128,
}

impl Prefix {
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let wrong = |why: &str| Problem(format!("{text:?} is no address and no prefix: {why}"));
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong("the address can't be read"))?;
        let (mapped, offset) = match address {
            IpAddr::V4(address) => (address.to_ipv6_mapped(), MAPPED_BITS),
            IpAddr::V6(address) => (address, 0),
        };
        let longest = 128 - offset;
        let length = match length {
            None => longest,
            Some(length) => length
                .parse()
                .ok()
                .filter(|length| *length <= longest)
                .ok_or_else(|| wrong(&format!("its length is not a number from 0 to {longest}")))?,
        };
        let prefix = Self { bits: offset + length, value: u128::from(mapped) };
        if prefix.value & !prefix.mask() != 0 {
            return Err(wrong("bits after its length are not 0"));
        }
        Ok(prefix)
    }

    const fn mask(self) -> u128 {
        if self.bits == 0 { 0 } else { u128::MAX << (128 - self.bits) }
    }

    /// Whether every address of `other` is one of these.
    pub const fn covers(self, other: Self) -> bool {
        self.bits <= other.bits && (self.value ^ other.value) & self.mask() == 0
    }

    pub fn to_map(self) -> Address {
        to_map(IpAddr::V6(Ipv6Addr::from(self.value)))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = Ipv6Addr::from(self.value);
        match address.to_ipv4_mapped() {
            Some(address) if self.bits >= MAPPED_BITS => {
                write!(formatter, "{}/{}", address, self.bits - MAPPED_BITS)
            }
            _ => write!(formatter, "{address}/{}", self.bits),
        }
    }
}
