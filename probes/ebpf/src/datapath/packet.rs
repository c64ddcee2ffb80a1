/// What a packet is to conntrack and policy. Addresses and ports are as on the wire.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Packet<Address> {
    pub source: Address,
    pub destination: Address,
    pub source_port: u16,
    pub destination_port: u16,
    pub protocol: u8,
    /// Of `FIN | SYN | RST | ACK`.
    pub tcp_flags: u8,
    /// `PLAIN`, `ECHO_REPLY` or `ICMP_ERROR`.
    pub kind: u8,
    /// Bytes before the transport header.
    pub transport: u32,
}

impl<Address> Packet<Address> {
    /// Ports and flags, from the first four words of a TCP header.
    #[inline(always)]
    pub fn set_tcp(&mut self, [ports, _, _, rest]: [u32; 4]) {
        self.source_port = ports as u16;
        self.destination_port = (ports >> 16) as u16;
        self.tcp_flags = (rest >> 8) as u8 & (FIN | SYN | RST | ACK);
    }

    /// The packet that opens a TCP connection.
    #[inline(always)]
    pub fn is_first_syn(&self) -> bool {
        self.protocol == TCP && self.tcp_flags & (SYN | ACK) == SYN
    }

    /// Of a TCP connection that was opened before, whatever conntrack knows of it.
    #[inline(always)]
    pub fn is_within_tcp(&self) -> bool {
        self.protocol == TCP && !self.is_first_syn()
    }
}

/// TCP, UDP, SCTP, and ICMP echo requests (their id is the source port, the destination port is 0).
pub const PLAIN: u8 = 0;
/// Its id is the destination port: so it is the request's flow.
pub const ECHO_REPLY: u8 = 1;
/// Quotes the packet that it is about.
pub const ICMP_ERROR: u8 = 2;

/// What becomes of a packet that conntrack is not asked about.
pub enum Exception {
    /// ARP and neighbour discovery: they stay on the link.
    Pass,
    Drop(meshmark_common::datapath::DropReason),
}

pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ICMP6: u8 = 58;
pub const SCTP: u8 = 132;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;
pub const ACK: u8 = 16;
