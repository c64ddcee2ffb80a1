//! Names of kernel functions by address.

use std::fs;

/// Of a line of `/proc/kallsyms`. `None`: no function, or its address is not told.
fn symbol(line: &str) -> Option<(u64, &str)> {
    let mut words = line.split_ascii_whitespace();
    let (address, kind, name) = (words.next()?, words.next()?, words.next()?);
    let address = u64::from_str_radix(address, 16).ok()?;
    (address != 0 && matches!(kind, "t" | "T" | "w" | "W")).then_some((address, name))
}

/// Sorted by address.
pub struct Symbols(Vec<(u64, String)>);

impl Symbols {
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Of `/proc/kallsyms`; empty where it does not tell addresses.
    pub fn read() -> Self {
        // What can't be read is not there.
        let text = fs::read_to_string("/proc/kallsyms").unwrap_or_default();
        let mut symbols: Vec<(u64, String)> =
            text.lines().filter_map(symbol).map(|(begin, name)| (begin, name.to_owned())).collect();
        symbols.sort_unstable();
        Self(symbols)
    }

    /// `function+0xoffset` of a return address, which may already be the next function's first.
    pub fn name(&self, address: u64) -> String {
        let index = self.0.partition_point(|(begin, _)| *begin < address);
        match index.checked_sub(1).and_then(|index| self.0.get(index)) {
            Some((begin, name)) => format!("{name}+{:#x}", address - begin),
            None => format!("{address:#x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Symbols, symbol};

    #[test]
    fn names() {
        let symbols = Symbols(vec![(0x1000, "first".into()), (0x2000, "second".into())]);
        assert_eq!(symbols.name(0x1010), "first+0x10");
        assert_eq!(symbols.name(0x2000), "first+0x1000");
        assert_eq!(symbols.name(0x2001), "second+0x1");
        assert_eq!(symbols.name(0x10), "0x10");
    }

    #[test]
    fn lines() {
        assert_eq!(symbol("ffffffff81000000 T _stext"), Some((0xffff_ffff_8100_0000, "_stext")));
        assert_eq!(
            symbol("ffffffffc0000010 t nft_do_chain\t[nf_tables]"),
            Some((0xffff_ffff_c000_0010, "nft_do_chain"))
        );
        assert_eq!(symbol("ffffffff82000000 D jiffies"), None);
        assert_eq!(symbol("0000000000000000 T _stext"), None);
        assert_eq!(symbol(""), None);
    }

    /// As root, whom the kernel tells.
    #[test]
    fn as_the_kernel_lists_them() {
        let symbols = Symbols::read();
        let listed = symbols.0.iter().find(|(_, name)| name == "tcp_recvmsg");
        let (begin, _) = listed.expect("no tcp_recvmsg in /proc/kallsyms");
        assert_eq!(symbols.name(begin + 1), "tcp_recvmsg+0x1");
    }
}
