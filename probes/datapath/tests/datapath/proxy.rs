//! L7: a small transparent proxy stands where Envoy does, with the same socket options.

use std::{
    io::copy,
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsRawFd, FromRawFd},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::json;

use crate::{
    lab::{Lab, entry},
    namespace::{Namespace, ip},
    traffic::{alive, connect, echo, echo_tcp, tcp},
};

pub type Seen = Arc<Mutex<Vec<(SocketAddr, SocketAddr)>>>;

const IPV6_TRANSPARENT: i32 = 75;

fn option(socket: &impl AsRawFd, level: i32, name: i32, value: i32) {
    // SAFETY: an open socket and an int.
    let result = unsafe {
        libc::setsockopt(socket.as_raw_fd(), level, name, (&raw const value).cast(), size_of::<i32>() as u32)
    };
    assert_eq!(result, 0, "setsockopt {level} {name}");
}

fn transparent(address: IpAddr) -> (i32, TcpStream) {
    let family = if address.is_ipv4() { libc::AF_INET } else { libc::AF_INET6 };
    // SAFETY: takes numbers; owned at once.
    let socket = unsafe { TcpStream::from_raw_fd(libc::socket(family, libc::SOCK_STREAM, 0)) };
    match address {
        IpAddr::V4(_) => option(&socket, libc::SOL_IP, libc::IP_TRANSPARENT, 1),
        IpAddr::V6(_) => option(&socket, libc::SOL_IPV6, IPV6_TRANSPARENT, 1),
    }
    option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1);
    (family, socket)
}

/// `bind`, then `listen` or `connect`, which std does not do on a socket that has options set.
fn bind(socket: &TcpStream, address: SocketAddr) {
    with_sockaddr(address, |pointer, length| {
        // SAFETY: an open socket, an address of that length.
        assert_eq!(unsafe { libc::bind(socket.as_raw_fd(), pointer, length) }, 0, "bind {address}");
    });
}

fn with_sockaddr(address: SocketAddr, what: impl FnOnce(*const libc::sockaddr, u32)) {
    match address {
        SocketAddr::V4(v4) => {
            let value = libc::sockaddr_in {
                sin_family: libc::AF_INET as u16,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            what((&raw const value).cast(), size_of_val(&value) as u32);
        }
        SocketAddr::V6(v6) => {
            let value = libc::sockaddr_in6 {
                sin6_family: libc::AF_INET6 as u16,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: 0,
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: 0,
            };
            what((&raw const value).cast(), size_of_val(&value) as u32);
        }
    }
}

/// Listens at port 15100 and connects on with the client's address, marked. Ends with what is returned.
pub fn proxy(node: &Namespace, address: IpAddr, seen: &Seen) -> TcpListener {
    let listener = node.enter(|| {
        let (_, socket) = transparent(address);
        bind(&socket, (address, 15100).into());
        // SAFETY: an open socket that is bound.
        assert_eq!(unsafe { libc::listen(socket.as_raw_fd(), 16) }, 0);
        // SAFETY: the descriptor passes from one owner to the other.
        unsafe { TcpListener::from_raw_fd(std::os::fd::IntoRawFd::into_raw_fd(socket)) }
    });
    let (accepting, seen) = (listener.try_clone().expect("a descriptor"), Arc::clone(seen));
    let node = std::fs::File::open(node.path()).expect("the namespace");
    thread::spawn(move || {
        // SAFETY: a descriptor of a namespace; it changes this thread alone.
        assert_eq!(unsafe { libc::setns(node.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
        while let Ok((down, client)) = accepting.accept() {
            let server = down.local_addr().expect("the original destination");
            seen.lock().expect("a lock").push((client, server));
            let (_, up) = transparent(client.ip());
            option(&up, libc::SOL_SOCKET, libc::SO_MARK, 2);
            bind(&up, (client.ip(), 0).into());
            with_sockaddr(server, |pointer, length| {
                // SAFETY: an open socket, an address of that length.
                unsafe { libc::connect(up.as_raw_fd(), pointer, length) };
            });
            for (mut from, mut to) in
                [(down.try_clone().expect("a descriptor"), up.try_clone().expect("a descriptor")), (up, down)]
            {
                thread::spawn(move || {
                    let _ = copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    listener
}

pub fn stop(listener: &TcpListener) {
    // SAFETY: an open socket; the thread that accepts ends.
    unsafe { libc::shutdown(listener.as_raw_fd(), libc::SHUT_RDWR) };
}

pub fn local_routes(node: &Namespace) {
    node.batch("rule add fwmark 1/3 lookup 133\nroute add local 0.0.0.0/0 dev lo table 133\n");
    ip(&["-n", &node.name, "-6", "rule", "add", "fwmark", "1/3", "lookup", "133"]);
    node.batch("route add local ::/0 dev lo table 133\n");
}

#[test]
fn a_flow_with_l7_rules_goes_through_the_proxy_with_its_addresses_kept() {
    let mut lab = Lab::new(2);
    local_routes(&lab.node);
    let seen = Seen::default();
    let proxies = ["127.0.0.1", "::1"].map(|text| proxy(&lab.node, text.parse().expect("an address"), &seen));
    lab.apply(
        json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "proxy", 5)] }]),
        json!([{ "endpoint": 2, "ingress": "in", "egress": null }]),
    );
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    for address in server.both() {
        // The server sees the client's own address.
        let peers: Arc<Mutex<Vec<IpAddr>>> = Arc::default();
        let listener = server.namespace.enter(|| TcpListener::bind((address, 80)).expect("a free port"));
        let noted = Arc::clone(&peers);
        thread::spawn(move || {
            while let Ok((stream, peer)) = listener.accept() {
                noted.lock().expect("a lock").push(peer.ip());
                thread::spawn(move || echo(stream));
            }
        });
        let mut flow = connect(&client.namespace, address, 80).expect("connected");
        assert!(alive(&mut flow));
        let own = if address.is_ipv4() { client.v4 } else { client.v6 };
        assert_eq!(*peers.lock().expect("a lock"), [own]);
        let through = seen.lock().expect("a lock").pop().expect("the proxy saw it");
        assert_eq!(through, (flow.local_addr().expect("an address"), (address, 80).into()));
    }
    // The node's own requests do not go through it.
    assert!(tcp(&lab.node, server.v4, 80));
    assert!(seen.lock().expect("a lock").is_empty());
    proxies.iter().for_each(stop);
}

#[test]
fn without_the_proxy_its_flows_are_dropped_and_others_are_not() {
    let mut lab = Lab::new(2);
    local_routes(&lab.node);
    let server = &lab.pods[1];
    echo_tcp(&server.namespace, server.v4, 80);
    echo_tcp(&server.namespace, server.v4, 81);
    // Listens at the same port, and must not be taken for the proxy.
    echo_tcp(&lab.node, "0.0.0.0".parse().expect("an address"), 80);
    lab.apply(
        json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "proxy", 5), entry("ingress", 256, 81, "allow", 6)] }]),
        json!([{ "endpoint": 2, "ingress": "in", "egress": null }]),
    );
    assert!(!tcp(&lab.pods[0].namespace, lab.pods[1].v4, 80));
    assert!(tcp(&lab.pods[0].namespace, lab.pods[1].v4, 81));
    assert!(lab.dropped(1, "egress", "proxy unreachable") > 0);
}
