//! Program `seed`: connections that were there before.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server, ask, connect},
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
        let probe = Probe::attach(&["latency", "connections"], &world.targets());
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
