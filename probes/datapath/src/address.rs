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

/// Addresses of one IP version that begin alike. Ordered by length first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    /// Of the mapped address, 0 to 128.
    pub bits: u32,
    value: u128,
}

impl Prefix {
    /// `0.0.0.0/0`. Shorter ones are of IPv6, though this lies in some of them by its bits.
    pub const ALL_IPV4: Self = Self { bits: MAPPED_BITS, value: 0xffff << 32 };

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

    const fn has_bits_of(self, other: Self) -> bool {
        self.bits <= other.bits && (self.value ^ other.value) & self.mask() == 0
    }

    const fn is_ipv4(self) -> bool {
        Self::ALL_IPV4.has_bits_of(self)
    }

    /// Whether the mapped addresses of IPv4 are among these by their bits, and by nothing else.
    pub const fn lies_over_ipv4(self) -> bool {
        !self.is_ipv4() && self.has_bits_of(Self::ALL_IPV4)
    }

    /// Whether every address of `other` is one of these.
    pub const fn covers(self, other: Self) -> bool {
        self.is_ipv4() == other.is_ipv4() && self.has_bits_of(other)
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

#[cfg(test)]
mod tests {
    use super::Prefix;

    fn covers(outer: &str, inner: &str) -> bool {
        let parse = |text| Prefix::parse(text).unwrap_or_else(|problem| panic!("{}", problem.0));
        parse(outer).covers(parse(inner))
    }

    #[test]
    fn a_prefix_covers_what_begins_like_it() {
        for (outer, inner) in [
            ("10.0.0.0/8", "10.1.2.3"),
            ("0.0.0.0/0", "203.0.113.0/24"),
            ("2001:db8::/32", "2001:db8::2"),
            ("::/0", "2001:db8::/32"),
            ("::/0", "::/0"),
        ] {
            assert!(covers(outer, inner), "{inner} is in {outer}");
        }
        for (outer, inner) in
            [("10.0.0.0/8", "11.0.0.1"), ("10.1.0.0/16", "10.0.0.0/8"), ("::/1", "8000::/1")]
        {
            assert!(!covers(outer, inner), "{inner} is not in {outer}");
        }
    }

    /// IPv4 is mapped into `::ffff:0:0/96`, and policies that name `::/0` do not mean it.
    #[test]
    fn no_prefix_of_one_ip_version_covers_the_other() {
        for ipv6 in ["::/0", "::/1", "::/2", "::/64", "::fffe:0:0/95"] {
            for ipv4 in ["0.0.0.0/0", "203.0.113.0/24", "203.0.113.2"] {
                assert!(!covers(ipv6, ipv4), "{ipv4} is not in {ipv6}");
                assert!(!covers(ipv4, ipv6), "{ipv6} is not in {ipv4}");
            }
        }
    }
}
