/// Why a packet was dropped. The number is the index into `EndpointDrops::drops`.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// A policy selects the endpoint, and nothing of it allows the packet.
    DefaultDeny = 0,
    /// A rule denies it.
    DenyRule = 1,
    /// The flow was allowed, and is not any more.
    Revoked = 2,
    /// The source address is not the sender's.
    SpoofedSource = 3,
    /// A fragment: ports can't be read.
    Fragment = 4,
    UnsupportedProtocol = 5,
    Malformed = 6,
    /// Nobody here has the address.
    NoDestination = 7,
    /// The flow needs the L7 proxy, and no socket of it is there.
    ProxyUnreachable = 8,
    ConntrackFull = 9,
    /// The device is no endpoint (yet, or any more).
    UnknownEndpoint = 10,
    /// An ICMP error or echo reply about no flow.
    UnsolicitedIcmp = 11,
    /// The node sent it with an address that is not its own.
    NotFromNode = 12,
}

/// Room for reasons, a power of two.
pub const REASONS: usize = 16;

impl DropReason {
    pub const ALL: [Self; 13] = [
        Self::DefaultDeny,
        Self::DenyRule,
        Self::Revoked,
        Self::SpoofedSource,
        Self::Fragment,
        Self::UnsupportedProtocol,
        Self::Malformed,
        Self::NoDestination,
        Self::ProxyUnreachable,
        Self::ConntrackFull,
        Self::UnknownEndpoint,
        Self::UnsolicitedIcmp,
        Self::NotFromNode,
    ];

    /// As the loader prints it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DefaultDeny => "default deny",
            Self::DenyRule => "deny rule",
            Self::Revoked => "allow revoked",
            Self::SpoofedSource => "spoofed source",
            Self::Fragment => "fragment",
            Self::UnsupportedProtocol => "unsupported protocol",
            Self::Malformed => "malformed packet",
            Self::NoDestination => "no destination",
            Self::ProxyUnreachable => "proxy unreachable",
            Self::ConntrackFull => "conntrack full",
            Self::UnknownEndpoint => "unknown endpoint",
            Self::UnsolicitedIcmp => "unsolicited icmp",
            Self::NotFromNode => "not from the node",
        }
    }

    #[must_use]
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }
}
