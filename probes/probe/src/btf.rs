//! The running kernel's own description of its types (BTF), as far as it is needed here.
//! Format: <https://docs.kernel.org/bpf/btf.html>

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
};

use aya::{Btf, Endianness};

use crate::problem::{Problem, Trying};

const FILE: &str = "/sys/kernel/btf/vmlinux";

const INT: u32 = 1;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const VOLATILE: u32 = 9;
const CONST: u32 = 10;
const RESTRICT: u32 = 11;
const FUNC: u32 = 12;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const DECL_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

pub struct KernelTypes {
    data: Vec<u8>,
    strings: usize,
    /// Where each type begins; 0 is void.
    types: Vec<usize>,
    /// Types of the kinds that are looked up by name: a hash of both, and the type; sorted. There are 60,000, and fewer than a hundred
    /// are asked for: a copy of every name would take longer than all the rest.
    names: Vec<(u64, u32)>,
}

/// 64 bits of it: two names with one hash are not to be expected.
fn hash(kind: u32, name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    (kind, name).hash(&mut hasher);
    hasher.finish()
}

impl KernelTypes {
    pub fn read() -> Result<Self, Problem> {
        let data = fs::read(FILE).map_err(|error| {
            Problem(format!(
                "the kernel does not describe its types ({FILE}: {error}): the probes need a kernel built with CONFIG_DEBUG_INFO_BTF"
            ))
        })?;
        Self::parse(data)
            .ok_or_else(|| Problem(format!("{FILE} is not in the format that is expected (BTF version 1)")))
    }

    /// As Aya has them, without reading them once more: the kernel hands them out by the page, of which there are more than a thousand.
    pub fn for_aya(&self) -> Result<Btf, Problem> {
        Btf::parse(&self.data, Endianness::default()).trying("reading the kernel's types")
    }

    fn parse(data: Vec<u8>) -> Option<Self> {
        let mut this = Self { data, strings: 0, types: vec![0], names: Vec::new() };
        if this.word(0)? & 0xff_ffff != 0x01_eb9f {
            return None;
        }
        let header = this.word(4)? as usize;
        this.strings = header + this.word(16)? as usize;
        let mut at = header + this.word(8)? as usize;
        let end = at + this.word(12)? as usize;
        while at < end {
            let (name, info) = (this.word(at)?, this.word(at + 4)?);
            let (kind, members) = (info >> 24 & 31, (info & 0xffff) as usize);
            if matches!(kind, STRUCT | ENUM | ENUM64 | TYPEDEF | FUNC) && name != 0 {
                let kind = if kind == ENUM64 { ENUM } else { kind };
                let id = u32::try_from(this.types.len()).ok()?;
                this.names.push((hash(kind, this.string(name)?), id));
            }
            this.types.push(at);
            at += 12
                + match kind {
                    INT | VAR | DECL_TAG => 4,
                    ARRAY => 12,
                    STRUCT | UNION | DATASEC | ENUM64 => members * 12,
                    ENUM | FUNC_PROTO => members * 8,
                    _ => 0,
                };
        }
        this.names.sort_unstable();
        Some(this)
    }

    /// Types of this kind and name, the first ones first.
    fn named(&self, kind: u32, name: &str) -> impl Iterator<Item = u32> {
        let hash = hash(kind, name);
        let from = self.names.partition_point(|(other, _)| *other < hash);
        self.names[from..].iter().take_while(move |(other, _)| *other == hash).map(|(_, id)| *id)
    }

    /// Is there such a tracepoint for BTF programs?
    pub fn has_tracepoint(&self, name: &str) -> bool {
        self.named(TYPEDEF, &format!("btf_trace_{name}")).next().is_some()
    }

    pub fn has_function(&self, name: &str) -> bool {
        self.function(name).is_some()
    }

    /// Number of a function's type.
    pub fn function(&self, name: &str) -> Option<u32> {
        self.named(FUNC, name).next()
    }

    /// Number of a structure's type.
    pub fn structure(&self, name: &str) -> Option<u32> {
        self.named(STRUCT, name).next()
    }

    /// How many arguments a tracepoint gives its programs.
    pub fn tracepoint_arguments(&self, name: &str) -> Option<u32> {
        let id = self.named(TYPEDEF, &format!("btf_trace_{name}")).next()?;
        let pointer = self.word(self.at(id)? + 8)?;
        let prototype = self.at(self.word(self.at(pointer)? + 8)?)?;
        // The first is the tracepoint's own.
        Some((self.word(prototype + 4)? & 0xffff).saturating_sub(1))
    }

    /// Bytes from the beginning of a structure to a member of a member (`__sk_common.skc_net.net`). Members of nameless
    /// structures in it are its own.
    pub fn offset(&self, structure: &str, path: &str) -> Option<u32> {
        self.named(STRUCT, structure).find_map(|id| {
            let (mut id, mut bits) = (id, 0);
            for name in path.split('.') {
                let (offset, kind) = self.member(id, name)?;
                bits += offset;
                id = kind;
            }
            Some(bits / 8)
        })
    }

    /// Names and values of an enum.
    pub fn values(&self, name: &str) -> Vec<(String, u64)> {
        self.named(ENUM, name).next().and_then(|id| self.enumerators(id)).unwrap_or_default()
    }

    fn enumerators(&self, id: u32) -> Option<Vec<(String, u64)>> {
        let at = self.at(id)?;
        let info = self.word(at + 4)?;
        let size = if info >> 24 & 31 == ENUM64 { 12 } else { 8 };
        (0..(info & 0xffff) as usize)
            .map(|index| {
                let place = at + 12 + index * size;
                let high = if size == 12 { u64::from(self.word(place + 8)?) << 32 } else { 0 };
                Some((self.string(self.word(place)?)?.to_owned(), high | u64::from(self.word(place + 4)?)))
            })
            .collect()
    }

    /// Bits to a member of a structure or union, and its type.
    fn member(&self, id: u32, wanted: &str) -> Option<(u32, u32)> {
        let at = self.at(self.plain(id)?)?;
        let info = self.word(at + 4)?;
        if !matches!(info >> 24 & 31, STRUCT | UNION) {
            return None;
        }
        for index in 0..(info & 0xffff) as usize {
            let place = at + 12 + index * 12;
            let (name, kind, offset) = (self.word(place)?, self.word(place + 4)?, self.word(place + 8)?);
            // With the flag, the highest byte is the size of a bit field.
            let offset = if info >> 31 == 1 { offset & 0xff_ffff } else { offset };
            if name != 0 {
                if self.string(name)? == wanted {
                    return Some((offset, kind));
                }
            } else if let Some((inner, kind)) = self.member(kind, wanted) {
                return Some((offset + inner, kind));
            }
        }
        None
    }

    /// Without typedefs and qualifiers.
    fn plain(&self, mut id: u32) -> Option<u32> {
        loop {
            let at = self.at(id)?;
            if !matches!(self.word(at + 4)? >> 24 & 31, TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG) {
                return Some(id);
            }
            id = self.word(at + 8)?;
        }
    }

    fn at(&self, id: u32) -> Option<usize> {
        self.types.get(id as usize).copied().filter(|at| *at != 0)
    }

    fn word(&self, at: usize) -> Option<u32> {
        Some(u32::from_ne_bytes(self.data.get(at..at + 4)?.try_into().ok()?))
    }

    fn string(&self, at: u32) -> Option<&str> {
        let from = self.data.get(self.strings + at as usize..)?;
        let length = from.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(&from[..length]).ok()
    }
}
