//! Servers that send back what they get, and clients that see whether they do.

use std::{
    io::{ErrorKind, Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use crate::{lab::Lab, namespace::Namespace, socket::connect_from};

/// How long a client waits for what may never come.
pub const PATIENCE: Duration = Duration::from_millis(500);

/// Serves until the process ends.
pub fn echo_tcp(namespace: &Namespace, address: IpAddr, port: u16) {
    let listener = namespace.enter(|| TcpListener::bind((address, port)).expect("a free port"));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || echo(stream));
        }
    });
}

pub fn echo(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..length]).is_err() {
            return;
        }
    }
}

pub fn echo_udp(namespace: &Namespace, address: IpAddr, port: u16) {
    let socket = namespace.enter(|| UdpSocket::bind((address, port)).expect("a free port"));
    thread::spawn(move || {
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let _ = socket.send_to(&buffer[..length], from);
        }
    });
}

pub fn connect(namespace: &Namespace, address: IpAddr, port: u16) -> std::io::Result<TcpStream> {
    let to = SocketAddr::new(address, port);
    let stream = namespace.enter(|| TcpStream::connect_timeout(&to, PATIENCE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Sends a byte and waits for it.
pub fn alive(stream: &mut TcpStream) -> bool {
    let mut byte = [0];
    stream.write_all(b"x").is_ok() && stream.read_exact(&mut byte).is_ok()
}

/// Whether a connection carries data; a refused one fails the test, since nothing listens then.
pub fn tcp(namespace: &Namespace, address: IpAddr, port: u16) -> bool {
    match connect(namespace, address, port) {
        Ok(mut stream) => alive(&mut stream),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => {
            panic!("nothing listens at {address} {port}")
        }
        Err(_) => false,
    }
}

/// Who answers a datagram.
pub fn udp(namespace: &Namespace, address: IpAddr, port: u16) -> Option<SocketAddr> {
    let any: IpAddr = if address.is_ipv4() { [0, 0, 0, 0].into() } else { [0_u16; 8].into() };
    namespace.enter(|| {
        let socket = UdpSocket::bind((any, 0)).ok()?;
        socket.set_read_timeout(Some(PATIENCE)).ok()?;
        socket.send_to(b"x", (address, port)).ok()?;
        socket.recv_from(&mut [0; 8]).ok().map(|(_, from)| from)
    })
}

/// Whether an ICMP echo request is answered.
pub fn ping(namespace: &Namespace, address: IpAddr) -> bool {
    let (family, protocol, kind, reply) = match address {
        IpAddr::V4(_) => (libc::AF_INET, libc::IPPROTO_ICMP, 8, 0),
        IpAddr::V6(_) => (libc::AF_INET6, libc::IPPROTO_ICMPV6, 128, 129),
    };
    namespace.sysctl("ipv4/ping_group_range", "0 0");
    namespace.enter(|| {
        use std::os::fd::FromRawFd;
        // SAFETY: takes numbers; the descriptor is owned below.
        let descriptor = unsafe { libc::socket(family, libc::SOCK_DGRAM, protocol) };
        assert!(descriptor >= 0, "a ping socket");
        // SAFETY: just made, and a datagram socket.
        let socket = unsafe { UdpSocket::from_raw_fd(descriptor) };
        socket.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let request = [kind, 0, 0, 0, 0, 0, 0, 1, 42];
        let mut answer = [0; 64];
        socket.send_to(&request, (address, 0)).is_ok()
            && socket.recv(&mut answer).is_ok_and(|length| length == request.len() && answer[0] == reply)
    })
}

/// Both ends of a connection from port 7001 to a higher one.
pub fn connected(lab: &Lab, version: usize, port: u16) -> [TcpStream; 2] {
    let [client, server] = &lab.pods[..2] else { panic!("two pods") };
    let address = server.both()[version];
    let listener = server.namespace.enter(|| TcpListener::bind((address, port)).expect("a free port"));
    let client = connect_from(&client.namespace, 7001, (address, port).into()).expect("connected");
    let server = listener.accept().expect("connected").0;
    [client, server]
}

/// This thread, and those that it begins.
pub fn run_on(cpu: usize) {
    // SAFETY: a set of our own, of the size that is named. Where the CPU is not to be had, the thread runs on as it did.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set);
    }
}
