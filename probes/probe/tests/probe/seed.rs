//! Program `seed`: connections that were there before.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server, answer, ask, connect},
    world::{VERSIONS, World, inside},
};

#[test]
fn their_requests_count_from_then_on() {
    let world = World::new();
    for version in VERSIONS {
        let address = world.far_address(version);
        let server = Server::start(&world.far, address, 5, Duration::ZERO);
        let mut streams: Vec<TcpStream> = (0..5).map(|_| connect(&world.near, address)).collect();
        for stream in &mut streams {
            ask(stream, 3);
        }
        let probe = Probe::attach(&["latency", "connections", "--follow"], &world.targets());
        for stream in &mut streams {
            ask(stream, 20);
        }
        drop(streams);
        server.end();
        let report = probe.stop();
        for (target, role) in [("near", "client"), ("far", "server")] {
            let latency = &of(&report, target)["latency"][role];
            assert_eq!(latency["turn"]["count"], 100, "{target}");
            assert_eq!(latency["connectionsBefore"], 5);
            assert_eq!(latency["discarded"], 0);
            // Of each connection the first, the ninth and the seventeenth: its ends have found each other.
            assert_eq!(latency["wire"]["count"], 15, "{target}");
            let connections = &of(&report, target)["connections"][role];
            assert_eq!(connections["opened"], 0);
            assert_eq!(connections["closed"], 5);
            // None of them was its connection's first.
            assert_eq!(connections["reuseRate"], json!(1.0));
        }
    }
}

/// A request that was under way is not taken for a short one.
#[test]
fn a_turn_without_a_beginning_is_discarded() {
    let world = World::new();
    let address = SocketAddr::new(world.far_address(4), PORT);
    let listener = inside(&world.far, || TcpListener::bind(address).expect("the port is free"));
    let mut client = connect(&world.near, address.ip());
    let (mut server, _) = listener.accept().expect("the client came");
    client.write_all(&[7; 64]).expect("the server is there");
    server.read_exact(&mut [0; 64]).expect("the client has sent");
    let probe = Probe::attach(&["latency"], &world.targets());
    server.write_all(&[7; 64]).expect("the client is there");
    client.read_exact(&mut [0; 64]).expect("the server has sent");
    let report = probe.stop();
    for (target, role) in [("near", "client"), ("far", "server")] {
        let latency = &of(&report, target)["latency"][role];
        assert_eq!(
            (latency["turn"]["count"].clone(), latency["discarded"].clone()),
            (json!(0), json!(1)),
            "{target}"
        );
    }
}

/// As behind a transparent proxy nobody listens on the server's port, but no client would have been given it either. A client that
/// has chosen such a port is one still.
#[test]
fn a_server_is_known_by_its_port_though_nobody_listens() {
    const REQUESTS: usize = 20;
    let world = World::new();
    let local_ports = |range: &str| {
        inside(&world.near, || {
            std::fs::write("/proc/sys/net/ipv4/ip_local_port_range", range).expect("it can be set");
        });
    };
    let address = SocketAddr::new(world.far_address(4), PORT + 1);
    let listener = inside(&world.far, || TcpListener::bind(address).expect("the port is free"));
    let mut usual = inside(&world.near, || TcpStream::connect(address).expect("the server listens"));
    let (accepted, _) = listener.accept().expect("the client came");
    drop(listener);
    let listening = Server::start(&world.far, world.far_address(6), 1, Duration::ZERO);
    local_ports("7000 7100");
    let mut unusual = connect(&world.near, world.far_address(6));
    local_ports("32768 60999");
    let probe = Probe::attach(&["latency"], &world.targets());
    let server = thread::spawn(move || answer(accepted, Duration::ZERO));
    for stream in [&mut usual, &mut unusual] {
        ask(stream, REQUESTS);
    }
    drop((usual, unusual));
    server.join().expect("it ends");
    listening.end();
    let report = probe.stop();
    for (target, role, none) in [("near", "client", "server"), ("far", "server", "client")] {
        let latency = &of(&report, target)["latency"];
        for (field, count) in [("/turn/count", 2 * REQUESTS), ("/connectionsBefore", 2), ("/discarded", 0)] {
            assert_eq!(latency[role].pointer(field), Some(&json!(count)), "{target}: {field}");
        }
        assert_eq!(latency[none]["connectionsBefore"], 0, "{target}");
    }
}

/// Its SYN is lost until the probe is there, and sent again.
#[test]
fn a_handshake_that_was_under_way_is_opened() {
    const REQUESTS: usize = 20;
    let world = World::new();
    world.in_far("nft add table inet t");
    world.in_far("nft add chain inet t in { type filter hook input priority 0 ; }");
    for (version, state) in [(4, "sockets"), (6, "hash")] {
        world.in_far(&format!("nft add rule inet t in tcp dport {PORT} drop"));
        let address = world.far_address(version);
        let server = Server::start(&world.far, address, 1, Duration::ZERO);
        let near = world.near.clone();
        let client = thread::spawn(move || ask(&mut connect(&near, address), REQUESTS));
        while world.in_near("ss -Htn state syn-sent").is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        let probe = Probe::attach(&["latency", "connections", "--state", state], &world.targets());
        world.in_far("nft flush chain inet t in");
        client.join().expect("it is answered");
        server.end();
        let report = probe.stop();
        for (target, role, connects) in [("near", "client", 0), ("far", "server", 1)] {
            let connections = &of(&report, target)["connections"][role];
            for (field, count) in [("opened", 1), ("closed", 1), ("attempts", 0), ("connectionsBefore", 0)] {
                assert_eq!(connections[field], count, "{target}: {field}");
            }
            assert_eq!([&connections["requests"], &connections["firstRequests"]], [REQUESTS, 1], "{target}");
            // The client has begun before it was watched: for how long it took, nobody knows.
            assert_eq!(connections["connect"]["count"], connects, "{target}");
            assert_eq!(connections["lifetime"]["count"], 1, "{target}");
            assert_eq!(of(&report, target)["latency"][role]["turn"]["count"], REQUESTS, "{target}");
        }
    }
}
