use super::MEASURES;
use crate::assert_size;

/// Per CPU, target and role.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Counters {
    /// Turns in `Measure::Queue`, and the sum over them, which wraps: since when what this end heard was there. A client hears an answer, a
    /// server a request. Beside the sums below: while turns end, a reader may find one in these and not yet in its slot.
    pub timed: u64,
    pub ready_at_sum: u64,
    /// Sums of what the histograms count, by `Measure`: here, so that a line or two of the cache have all that a request adds to
    /// besides its slots.
    pub sums: [u64; MEASURES],
    /// In microseconds: the connection's lowest round-trip time so far, summed over the looks at its smoothed one.
    pub lowest_rtt_sum: u64,
    /// Turns that ended: a client has heard the first of an answer, a server has sent the first of one. Where there is a
    /// histogram of them, only that counts.
    pub requests: u64,
    /// Of these, the first on their connection.
    pub first_requests: u64,
    /// Client: attempts (SYN). Server: 0.
    pub attempts: u64,
    /// Connections that were established while it was watched.
    pub opened: u64,
    /// Connections that were established, now or before, and ended.
    pub closed: u64,
    /// Connections that were there before.
    pub seeded: u64,
    /// Answers whose beginning was not seen: the first of connections that were there before.
    pub discarded: u64,
    /// Segments that were sent again, with and without SYN.
    pub retransmits: u64,
    pub syn_retransmits: u64,
    /// TLS handshakes that were begun, and not ended when the connection did.
    pub tls_unfinished: u64,
}
assert_size!(Counters, 176);
