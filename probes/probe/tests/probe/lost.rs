//! Nothing is lost; and where something is, it is counted and said.

use std::{
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use crate::{
    probe::{Probe, of},
    traffic::{Server, drive},
    world::{World, inside},
};

/// As fast as the machine goes.
#[test]
fn nothing_under_load() {
    const CONNECTIONS: usize = 4;
    const REQUESTS: usize = 25_000;
    let world = World::new();
    let probe = Probe::attach(&["latency", "drops", "connections"], &world.targets());
    let server = Server::start(&world.far, world.far_address(4), CONNECTIONS, Duration::ZERO);
    let begun = Instant::now();
    drive(&world.near, world.far_address(4), CONNECTIONS, REQUESTS);
    let seconds = begun.elapsed().as_secs_f64();
    assert_eq!(server.end().len(), CONNECTIONS * REQUESTS);
    // stop() wants no event lost.
    let report = probe.stop();
    for (target, role) in [("near", "client"), ("far", "server")] {
        let target = of(&report, target);
        assert_eq!(target["latency"][role]["turn"]["count"], CONNECTIONS * REQUESTS);
        assert_eq!(target["connections"][role]["requests"], CONNECTIONS * REQUESTS);
    }
    println!("{:.0} requests/s, none lost", (CONNECTIONS * REQUESTS) as f64 / seconds);
}

/// There is room for 4,096 places where connects fail.
#[test]
fn what_does_not_fit_is_counted_and_said() {
    const ROOM: u16 = 4_096;
    const PORTS: u16 = 5_000;
    let world = World::new();
    let mut probe = Probe::attach(&["connections"], &world.targets());
    inside(&world.near, || {
        for port in 1..=PORTS {
            TcpStream::connect(SocketAddr::new(world.far_address(4), port))
                .expect_err("nobody listens there");
        }
    });
    let report = probe.ask("stop");
    let client = &of(&report, "near")["connections"]["client"];
    assert_eq!([&client["attempts"], &client["failed"]], [PORTS, ROOM]);
    assert_eq!(report["lost"]["failedConnects"], PORTS - ROOM);
    let warnings = report["warnings"].as_array().expect("a list");
    let said = format!("{} events were lost: the figures are too low by them (see lost)", PORTS - ROOM);
    assert!(warnings.iter().any(|warning| *warning == said.as_str()), "{warnings:?}");
}
