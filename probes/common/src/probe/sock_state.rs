use crate::assert_size;

/// Roles, and their places in `target * 2 + role`.
pub const CLIENT: u8 = 0;
pub const SERVER: u8 = 1;

/// Whose it is shows later; there are never so many targets.
pub const UNKNOWN_TARGET: u16 = u16::MAX;

/// A client has sent and not heard yet; a server has heard and not sent yet.
pub const IN_TURN: u8 = 1;

/// The connection was there before it was watched, and nothing has been seen of it yet.
pub const FLAG_SEEDED: u8 = 1;
/// It has carried a request.
pub const FLAG_CARRIED: u8 = 2;
pub const FLAG_CLOSED: u8 = 4;
/// The client has changed to encryption; it has sent its certificate or key before that (TLS 1.2).
pub const FLAG_TLS_CLIENT_CHANGED: u8 = 16;
pub const FLAG_TLS_KEY_SENT: u8 = 32;

/// How far the TLS handshake is: no data yet, `ClientHello` seen, `ServerHello` seen, ended, or it is not TLS.
pub const TLS_NEW: u8 = 0;
pub const TLS_HELLO: u8 = 1;
pub const TLS_SERVER_HELLO: u8 = 2;
pub const TLS_DONE: u8 = 3;
pub const TLS_NONE: u8 = 4;

/// So many sockets have a place of their own for it. A power of two.
pub const PLACES: u32 = 8_192;

/// What is kept of a TCP socket. Times are of the kernel's monotonic clock, in nanoseconds; 0: none.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct SockState {
    /// Begin of the turn: a client's first send, a server's first receive; of a server that has answered: when.
    pub turn_at: u64,
    /// Since when there is data that nobody has received.
    pub ready_at: u64,
    /// SYN sent, or seen; once it is established, at a server: since when there was the data that began the turn, or 0.
    pub began_at: u64,
    pub established_at: u64,
    pub tls_at: u64,
    pub requests: u32,
    pub target: u16,
    pub role: u8,
    /// 0 or `IN_TURN`.
    pub phase: u8,
    pub flags: u8,
    pub tls: u8,
    /// One more than the place of the other end's state, on this machine; 0: not known.
    pub peer: u16,
    /// The same number at both ends, and hardly at those that have their places later.
    pub link: u16,
    /// How often there was something to look at its round-trip time for (it wraps).
    pub round_trips: u8,
    /// Of the place that this lies in, whosever it is: not 0, and another socket has found it taken. After all that is of the
    /// socket itself.
    pub shared: u8,
}
assert_size!(SockState, 56);
