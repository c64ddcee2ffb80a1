//! Requests and connections of a target, for each of its roles.

use std::time::Duration;

use meshmark_common::probe::{Counters, Measure};
use serde::Serialize;

use crate::{
    drops::{FailureRow, failures},
    raw::{Raw, Values},
    session::Session,
    summary::{Summary, summarise},
};

#[derive(Serialize, Debug)]
pub struct Both<T> {
    pub client: T,
    pub server: T,
}

/// Times of requests. Client: from its first send to the first it receives. Server: from the first it receives to its next send.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Client: the whole wait for the answer. Server: how long the answer was worked on.
    pub turn: Summary,
    /// From data in the socket to the program that has it, for the data that turned the turn.
    pub receive_queue: Option<Summary>,
    pub smoothed_rtt: Summary,
    /// With `--follow`, of one request in eight (`LOOKED_INTO`): from when the other end sent to data in the socket, one way. `None`: of none
    /// is that known. It is of connections with both ends on this machine, where both have a place for their state.
    pub wire: Option<Summary>,
    /// The same, of a server that has had one turn as a client meanwhile: what is left of its own without that one.
    pub own: Option<Summary>,
    /// Mean, over the same looks, of the connection's lowest round-trip time so far.
    pub lowest_rtt_us: Option<f64>,
    /// Of all turns; `None` where they are not known of each, or of too many to be summed up.
    pub moments: Option<Moments>,
    /// Turns that had begun and not ended: they are in no count. `None`: nobody knows.
    pub under_way: Option<u64>,
    /// Connections that were there before it was watched, and turns of them whose beginning was not seen.
    pub connections_before: u64,
    pub discarded: u64,
}

/// Means, in nanoseconds from the beginning of the measurement. With those of the other end, where that has seen the same turns by
/// the same clock, they say how long the ways between took.
#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
pub struct Moments {
    /// A client's first send of the turn; the send that ended a server's.
    pub sent_ns: f64,
    /// Since when the data was there that ended a client's turn, or began a server's.
    pub ready_ns: f64,
}

#[derive(Serialize, Debug)]
#[serde(rename_all = "camelCase")]
#[expect(
    clippy::struct_field_names,
    reason = "the report's own name: it is a field of the other measure as well"
)]
pub struct Connections {
    pub attempts: u64,
    pub opened: u64,
    pub closed: u64,
    pub connections_before: u64,
    pub failed: u64,
    pub failures: Vec<FailureRow>,
    pub requests: u64,
    /// Requests that had no answer yet: they are in no count. `None`: nobody knows.
    pub under_way: Option<u64>,
    /// Requests that were the first on their connection.
    pub first_requests: u64,
    /// Share of requests that were not the first on their connection.
    pub reuse_rate: Option<f64>,
    pub requests_per_connection: Summary,
    pub connect: Summary,
    pub tls: Option<Summary>,
    pub tls_unfinished: u64,
    pub lifetime: Summary,
    pub retransmits: Option<u64>,
    pub syn_retransmits: Option<u64>,
}

/// Mean of so many moments, in nanoseconds since a measurement began; their sum wraps, as it does in the kernel. `None`: there are
/// none, or so many of so long a measurement that what they are since its beginning may have wrapped as well.
fn mean_since(sum: u64, turns: u64, begun: u64, elapsed: Duration) -> Option<f64> {
    let most = u128::from(turns) * elapsed.as_nanos();
    if turns == 0 || most > i64::MAX.unsigned_abs().into() {
        return None;
    }
    let since = sum.wrapping_sub(turns.wrapping_mul(begun));
    // One may have begun before the measurement did.
    Some(since.cast_signed() as f64 / turns as f64)
}

/// Reads what belongs to a target's role.
pub struct Reader<'a> {
    pub session: &'a Session,
    pub raw: &'a Raw,
    pub target: u32,
}

impl Reader<'_> {
    pub fn latency(&self) -> Both<Latency> {
        let of = |role| {
            let counters = &self.raw.counters[self.place(role)];
            let smoothed_rtt = self.summary(Measure::SmoothedRtt, role, "ns");
            let looks = smoothed_rtt.count;
            Latency {
                turn: self.summary(Measure::Turn, role, "ns"),
                receive_queue: self
                    .session
                    .is_attached(&crate::hooks::DATA_READY)
                    .then(|| self.summary(Measure::Queue, role, "ns")),
                smoothed_rtt,
                wire: self.known(Measure::Wire, role),
                own: self.known(Measure::Own, role),
                moments: self.moments(role, counters),
                lowest_rtt_us: (looks > 0).then(|| counters.lowest_rtt_sum as f64 / looks as f64),
                under_way: self.under_way(role),
                connections_before: counters.seeded,
                discarded: counters.discarded,
            }
        };
        Both { client: of(0), server: of(1) }
    }

    fn moments(&self, role: usize, counters: &Counters) -> Option<Moments> {
        let [turn, queue] = [Measure::Turn, Measure::Queue]
            .map(|measure| self.raw.histograms[measure as usize].get(self.place(role)));
        let (turn, queue, turns) = (turn?, queue?, self.requests(role));
        if counters.timed != turns || queue.count() != turns {
            return None;
        }
        let ready = counters.ready_at_sum;
        // The program took each when it had been in the queue for so long: that ended a client's turn, and began a server's.
        let taken = ready.wrapping_add(queue.sum);
        let sent = if role == 0 { taken.wrapping_sub(turn.sum) } else { taken.wrapping_add(turn.sum) };
        let mean = |sum| mean_since(sum, turns, self.session.begun_clock, self.session.elapsed());
        Some(Moments { sent_ns: mean(sent)?, ready_ns: mean(ready)? })
    }

    pub fn connections(&self) -> Both<Connections> {
        let of = |role| {
            let counters = &self.raw.counters[self.place(role)];
            let requests = self.requests(role);
            let failures = if role == 0 { failures(self.raw, self.target) } else { Vec::new() };
            let retransmits = self.session.is_attached(&crate::hooks::RETRANSMIT);
            let tls = self.session.is_attached(&crate::hooks::TLS_INGRESS)
                && self.session.is_attached(&crate::hooks::TLS_EGRESS);
            Connections {
                attempts: counters.attempts,
                opened: counters.opened,
                closed: counters.closed,
                connections_before: counters.seeded,
                failed: failures.iter().map(|row| row.count).sum(),
                failures,
                requests,
                under_way: self.under_way(role),
                first_requests: counters.first_requests,
                reuse_rate: (requests > 0).then(|| 1.0 - counters.first_requests as f64 / requests as f64),
                requests_per_connection: self.summary(Measure::RequestsPerConnection, role, "requests"),
                connect: self.summary(Measure::Connect, role, "ns"),
                tls: tls.then(|| self.summary(Measure::Tls, role, "ns")),
                tls_unfinished: counters.tls_unfinished,
                lifetime: self.summary(Measure::Lifetime, role, "ns"),
                retransmits: retransmits.then_some(counters.retransmits),
                syn_retransmits: retransmits.then_some(counters.syn_retransmits),
            }
        };
        Both { client: of(0), server: of(1) }
    }

    /// The kernel counts them in one place only.
    pub fn requests(&self, role: usize) -> u64 {
        if self.session.first(Measure::Turn as usize).is_some() {
            self.raw.histograms[Measure::Turn as usize][self.place(role)].count()
        } else {
            self.raw.counters.get(self.place(role)).map_or(0, |counters| counters.requests)
        }
    }

    fn under_way(&self, role: usize) -> Option<u64> {
        self.session.under_way.as_ref()?.get(self.place(role)).copied()
    }

    const fn place(&self, role: usize) -> usize {
        self.target as usize * 2 + role
    }

    /// `None` where there is not one value.
    fn known(&self, measure: Measure, role: usize) -> Option<Summary> {
        Some(self.summary(measure, role, "ns")).filter(|summary| summary.count > 0)
    }

    fn summary(&self, measure: Measure, role: usize, unit: &'static str) -> Summary {
        let nothing = Values::default();
        summarise(self.raw.histograms[measure as usize].get(self.place(role)).unwrap_or(&nothing), unit)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::mean_since;

    /// After a year, so that a sum of few moments has wrapped.
    const BEGUN: u64 = 365 * 86_400 * 1_000_000_000;

    fn sum(turns: u64, since: u64) -> u64 {
        turns.wrapping_mul(BEGUN.wrapping_add(since))
    }

    #[test]
    fn a_mean_of_moments_whose_sum_has_wrapped() {
        let (turns, minute) = (3_000_000, Duration::from_mins(1));
        assert_eq!(mean_since(sum(turns, 30_000_000_000), turns, BEGUN, minute), Some(30e9));
        // All of them sent before, and answered in the measurement.
        assert_eq!(mean_since(sum(turns, 0_u64.wrapping_sub(1_000)), turns, BEGUN, minute), Some(-1e3));
        assert_eq!(mean_since(0, 0, BEGUN, minute), None);
    }

    /// 50,000 a second: in ten minutes they are more than 63 bits of nanoseconds, and the mean would be any number.
    #[test]
    fn too_many_for_too_long_have_none() {
        let after = |seconds: u64| {
            let turns = 50_000 * seconds;
            mean_since(sum(turns, seconds * 500_000_000), turns, BEGUN, Duration::from_secs(seconds))
        };
        assert_eq!(after(400), Some(200e9));
        assert_eq!(after(600), None);
        assert_eq!(after(12 * 3_600), None);
    }
}
