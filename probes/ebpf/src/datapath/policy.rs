//! What the entries of a set say about a peer, a protocol and a port.

use core::ptr;

use meshmark_common::datapath::{
    ANY_IDENTITY, ANY_PROTOCOL, NO_RULE, PolicyKey, VERDICT_ALLOW, VERDICT_DENY, VERDICT_NONE, VERDICT_PROXY,
};

use crate::maps::{ANSWERS, POLICY};

/// Longest port prefix.
const PORT_BITS: u32 = 16;

/// What the entries said so far. It lies in a map, because the verifier would follow every combination of answers if
/// they were values that it knows.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Answers {
    /// Of the set: see `Endpoint::shapes`.
    shape: u32,
    /// Bit n: some entry has verdict n.
    verdicts: u32,
    /// The first rule with each verdict, the most exact port first.
    rules: [u32; 4],
}

/// The weightiest verdict of all entries of the set that match (deny, allow, proxy, none) and its rule, as
/// `verdict << 32 | rule`. The number of lookups depends on the kinds of entries that the set has (its shape), never on
/// how many. Verified by itself.
///
/// # Arguments
/// `identity`: of the peer; `target`: `port << 16 | protocol << 8 | direction`, the port in host byte order.
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ask(set: u32, shape: u32, identity: u32, target: u32) -> u64 {
    let Some(answers) = ANSWERS.get_ptr_mut(0) else { return u64::from(VERDICT_DENY) << 32 };
    // SAFETY: this CPU's own value.
    let answers = unsafe { &mut *answers };
    answers.verdicts = 0;
    answers.shape = shape;
    let port = target >> 16;
    let mut key = PolicyKey {
        set,
        identity,
        port: 0,
        port_bits: 0,
        direction: target as u8,
        protocol: target >> 8 & 0xff,
    };
    for bits in (0..=PORT_BITS).rev() {
        if answers.shape() & 1 << bits != 0 {
            key.port_bits = bits as u8;
            key.port = (port & (0xffff << (PORT_BITS - bits))) as u16;
            for_both_identities(&mut key, identity, answers);
        }
    }
    if answers.shape() & ANY_PROTOCOL != 0 {
        key.port_bits = 0;
        key.port = 0;
        key.protocol = 0;
        for_both_identities(&mut key, identity, answers);
    }
    let verdict = if answers.verdicts & 1 << VERDICT_DENY != 0 {
        VERDICT_DENY
    } else if answers.verdicts & 1 << VERDICT_ALLOW != 0 {
        VERDICT_ALLOW
    } else if answers.verdicts & 1 << VERDICT_PROXY != 0 {
        VERDICT_PROXY
    } else {
        return u64::from(VERDICT_NONE) << 32 | u64::from(NO_RULE);
    };
    u64::from(verdict) << 32 | u64::from(answers.rules[verdict as usize])
}

impl Answers {
    /// Read from the map each time: a value that the verifier does not know, and so no state of its own.
    #[inline(always)]
    fn shape(&self) -> u32 {
        // SAFETY: a reference is valid to read.
        unsafe { ptr::read_volatile(&raw const self.shape) }
    }
}

#[inline(always)]
fn for_both_identities(key: &mut PolicyKey, identity: u32, answers: &mut Answers) {
    key.identity = identity;
    note(key, answers);
    if answers.shape() & ANY_IDENTITY != 0 {
        key.identity = 0;
        note(key, answers);
    }
}

#[inline(always)]
fn note(key: &PolicyKey, answers: &mut Answers) {
    // SAFETY: the value is copied at once.
    let Some(value) = (unsafe { POLICY.get(key) }).copied() else { return };
    let verdict = value.verdict & 3;
    if answers.verdicts & 1 << verdict == 0 {
        answers.verdicts |= 1 << verdict;
        answers.rules[verdict as usize] = value.rule;
    }
}

#[inline(always)]
pub fn verdict(answer: u64) -> u32 {
    (answer >> 32) as u32
}

#[inline(always)]
pub fn rule(answer: u64) -> u32 {
    answer as u32
}
