//! L7: a small transparent proxy stands where Envoy does, with the same socket options.

use std::{
    io::{Read, Write, copy},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    os::fd::{AsRawFd, FromRawFd},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    conntrack::forget,
    lab::{Lab, entry},
    namespace::{Namespace, ip},
    socket::{bind, connect_from, option, stream, with_sockaddr},
    traffic::{alive, connect, echo, echo_tcp, tcp},
};

pub type Seen = Arc<Mutex<Vec<(SocketAddr, SocketAddr)>>>;

const IPV6_TRANSPARENT: i32 = 75;

fn transparent(address: IpAddr) -> TcpStream {
    let socket = stream(address);
    match address {
        IpAddr::V4(_) => option(&socket, libc::SOL_IP, libc::IP_TRANSPARENT, 1),
        IpAddr::V6(_) => option(&socket, libc::SOL_IPV6, IPV6_TRANSPARENT, 1),
    }
    socket
}

/// Listens at port 15100 and connects on with the client's address, marked. Ends with what is returned.
pub fn proxy(node: &Namespace, address: IpAddr, seen: &Seen) -> TcpListener {
    proxy_from(node, address, seen, 0)
}

/// The same, connecting on from that port; 0: any.
fn proxy_from(node: &Namespace, address: IpAddr, seen: &Seen, port: u16) -> TcpListener {
    let listener = node.enter(|| {
        let socket = transparent(address);
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
            let up = transparent(client.ip());
            option(&up, libc::SOL_SOCKET, libc::SO_MARK, 2);
            bind(&up, (client.ip(), port).into());
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

fn both_proxies(node: &Namespace, port: u16) -> [TcpListener; 2] {
    let seen = Seen::default();
    ["127.0.0.1", "::1"].map(|text| proxy_from(node, text.parse().expect("an address"), &seen, port))
}

fn through_the_proxy() -> Value {
    json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "proxy", 5)] }])
}

fn on_server() -> Value {
    json!([{ "endpoint": 2, "ingress": "in", "egress": null }])
}

/// Segments that a pod's sockets have sent and received.
fn segments(namespace: &Namespace) -> [u64; 2] {
    let text = namespace.enter(|| std::fs::read_to_string("/proc/thread-self/net/snmp").expect("/proc"));
    let mut lines = text.lines().filter(|line| line.starts_with("Tcp:")).map(|line| line.split(' '));
    let (names, values) = (lines.next().expect("names"), lines.next().expect("values"));
    let row: Vec<(&str, &str)> = names.zip(values).collect();
    ["OutSegs", "InSegs"].map(|wanted| {
        let value = row.iter().find(|(name, _)| *name == wanted).expect("a counter").1;
        value.parse().expect("a number")
    })
}

#[test]
fn each_packet_of_a_flow_through_the_proxy_is_counted_once_at_each_end() {
    let mut lab = Lab::new(2);
    local_routes(&lab.node);
    let proxies = both_proxies(&lab.node, 0);
    lab.apply(through_the_proxy(), on_server());
    for address in lab.pods[1].both() {
        echo_tcp(&lab.pods[1].namespace, address, 80);
        let mut flow = connect(&lab.pods[0].namespace, address, 80).expect("connected");
        (0..5).for_each(|_| assert!(alive(&mut flow)));
    }
    // The last acknowledgements.
    thread::sleep(Duration::from_millis(300));
    for endpoint in 1..=2 {
        let counted =
            ["egress", "ingress"].map(|direction| lab.counters(endpoint, direction)["packets"].clone());
        assert_eq!(json!(counted), json!(segments(&lab.pods[endpoint - 1].namespace)), "endpoint {endpoint}");
    }
    proxies.iter().for_each(stop);
}

/// Conntrack is bounded, and a server may send first: what it sends is the proxy's all the same.
#[test]
fn a_connection_of_the_proxy_that_was_forgotten_goes_on() {
    let mut lab = Lab::with(3, &["--conntrack-entries", "16"]);
    local_routes(&lab.node);
    let proxies = both_proxies(&lab.node, 0);
    lab.apply(through_the_proxy(), on_server());
    for address in lab.pods[1].both() {
        let listener = lab.pods[1].namespace.enter(|| TcpListener::bind((address, 80)).expect("a free port"));
        let mut flow = connect(&lab.pods[0].namespace, address, 80).expect("connected");
        flow.write_all(b"x").expect("sent");
        let (mut served, _) = listener.accept().expect("the proxy connects");
        served.read_exact(&mut [0]).expect("the client's byte");
        served.write_all(b"y").expect("sent");
        flow.read_exact(&mut [0]).expect("the server's byte");
        // Acknowledgements that are put off would be flows again.
        thread::sleep(Duration::from_millis(300));
        forget(&mut lab);
        served.write_all(b"z").expect("sent");
        thread::sleep(Duration::from_millis(100));
        flow.write_all(b"x").expect("sent");
        served.read_exact(&mut [0]).expect("the connection is not reset");
        let mut answer = [0];
        flow.set_read_timeout(Some(Duration::from_secs(3))).expect("a timeout");
        flow.read_exact(&mut answer).expect("the server's byte");
        assert_eq!(answer, *b"z");
    }
    proxies.iter().for_each(stop);
}

/// The proxy may come to use a port from which the client was connected before there were L7 rules.
#[test]
fn what_is_left_of_a_direct_flow_does_not_hide_the_proxys_connection() {
    let mut lab = Lab::new(2);
    local_routes(&lab.node);
    let proxies = both_proxies(&lab.node, 7002);
    for address in lab.pods[1].both() {
        echo_tcp(&lab.pods[1].namespace, address, 80);
        lab.apply(json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "allow", 5)] }]), on_server());
        let mut direct = connect_from(&lab.pods[0].namespace, 7002, (address, 80).into()).expect("connected");
        assert!(alive(&mut direct));
        drop(direct);
        thread::sleep(Duration::from_millis(100));
        lab.apply(through_the_proxy(), on_server());
        let mut flow = connect_from(&lab.pods[0].namespace, 7001, (address, 80).into()).expect("connected");
        assert!(alive(&mut flow), "{address}");
    }
    proxies.iter().for_each(stop);
}

/// Where the server closes first, the proxy's socket of the connection stays for a minute. The next first SYN goes to it, and it
/// answers so that the client ends it and sends another at once. (The listener would be the wrong place: it takes no request of
/// addresses that have a socket already, see `reqsk_queue_hash_req()`.)
#[test]
fn a_client_may_use_its_port_again_at_once() {
    let mut lab = Lab::new(2);
    local_routes(&lab.node);
    let proxies = both_proxies(&lab.node, 0);
    lab.apply(through_the_proxy(), on_server());
    for address in lab.pods[1].both() {
        let listener = lab.pods[1].namespace.enter(|| TcpListener::bind((address, 80)).expect("a free port"));
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut byte = [0];
                let _ = stream.read_exact(&mut byte).and_then(|()| stream.write_all(&byte));
            }
        });
        for time in ["first", "second"] {
            let mut flow = connect_from(&lab.pods[0].namespace, 7001, (address, 80).into())
                .unwrap_or_else(|error| panic!("{time} time to {address}: {error}"));
            assert!(alive(&mut flow), "{time} time to {address}");
            assert_eq!(flow.read(&mut [0]).expect("the end"), 0);
            drop(flow);
            thread::sleep(Duration::from_millis(100));
        }
    }
    proxies.iter().for_each(stop);
}
