//! State of sockets, of which some find their place taken: these are counted as the others are.

use std::time::Duration;

use serde_json::Value;

use crate::{
    probe::{Probe, of},
    traffic::{Server, ask, connect},
    world::World,
};

/// At once. With both ends watched, some 120 sockets meet another one in 8,192 places (n² / 2 / 8,192).
const CONNECTIONS: usize = 700;

#[test]
fn many_connections_at_once_and_others_after_them() {
    let world = World::new();
    let probe = Probe::attach(&["latency", "connections"], &world.targets());
    for _ in 0..2 {
        let server = Server::start(&world.far, world.far_address(4), CONNECTIONS, Duration::ZERO);
        let mut streams: Vec<_> =
            (0..CONNECTIONS).map(|_| connect(&world.near, world.far_address(4))).collect();
        for _ in 0..2 {
            streams.iter_mut().for_each(|stream| ask(stream, 1));
        }
        drop(streams);
        server.end();
    }
    let report = probe.stop();
    for (target, role) in [("near", "client"), ("far", "server")] {
        let of_target = of(&report, target);
        let turns = &of_target["latency"][role];
        assert_eq!(turns["turn"]["count"], 4 * CONNECTIONS, "{turns}");
        assert_eq!(turns["receiveQueue"]["count"], 4 * CONNECTIONS, "{turns}");
        let connections = &of_target["connections"][role];
        let counts: [&Value; 3] = ["opened", "closed", "requests"].map(|field| &connections[field]);
        assert_eq!(counts, [2 * CONNECTIONS, 2 * CONNECTIONS, 4 * CONNECTIONS], "{connections}");
    }
}
