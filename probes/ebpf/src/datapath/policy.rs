//! What the entries of a set say about a peer, a protocol and a port.

use meshmark_common::datapath::{
    ANY_IDENTITY, ANY_PROTOCOL, NO_RULE, PolicyKey, PolicyValue, VERDICT_NONE,
};

use crate::maps::POLICY;

/// Longest port prefix.
const PORT_BITS: u32 = 16;

/// Who asks: the peer of the endpoint whose policy it is.
#[derive(Clone, Copy)]
pub struct Question {
    pub set: u32,
    pub shape: u32,
    pub identity: u32,
    /// In host byte order.
    pub port: u16,
    pub protocol: u8,
    pub direction: u8,
}

/// The weightiest verdict of all entries that match (deny, allow, proxy, none), and the rule that it is from. The number
/// of lookups depends on the kinds of entries that the set has (its shape), never on how many.
#[inline(never)]
pub fn ask(question: &Question) -> u64 {
    let mut answer = pack(PolicyValue { verdict: VERDICT_NONE, rule: NO_RULE });
    for bits in 0..=PORT_BITS {
        if question.shape & 1 << bits != 0 {
            let port = u32::from(question.port) & (0xffff << (PORT_BITS - bits));
            answer = both_identities(question, question.protocol, port as u16, bits as u8, answer);
        }
    }
    if question.shape & ANY_PROTOCOL != 0 {
        answer = both_identities(question, 0, 0, 0, answer);
    }
    answer
}

#[inline(always)]
fn both_identities(question: &Question, protocol: u8, port: u16, port_bits: u8, mut answer: u64) -> u64 {
    let mut key = PolicyKey {
        set: question.set,
        identity: question.identity,
        port,
        port_bits,
        direction: question.direction,
        protocol,
        padding: [0; 3],
    };
    answer = weightier(&key, answer);
    if question.shape & ANY_IDENTITY != 0 {
        key.identity = 0;
        answer = weightier(&key, answer);
    }
    answer
}

#[inline(always)]
fn weightier(key: &PolicyKey, answer: u64) -> u64 {
    // SAFETY: the value is copied at once.
    let Some(value) = (unsafe { POLICY.get(key) }) else { return answer };
    let found = pack(*value);
    if found >> 32 > answer >> 32 { found } else { answer }
}

#[inline(always)]
fn pack(value: PolicyValue) -> u64 {
    u64::from(value.verdict) << 32 | u64::from(value.rule)
}

#[inline(always)]
pub fn verdict(answer: u64) -> u32 {
    (answer >> 32) as u32
}

#[inline(always)]
pub fn rule(answer: u64) -> u32 {
    answer as u32
}
