//! State of sockets, of which some find their place taken: these are counted as the others are.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use aya::maps::{HashMap, Map, MapData, loaded_maps};
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
    let before = maps_of_places();
    let probe = Probe::attach(&["latency", "connections", "--follow"], &world.targets());
    for _ in 0..2 {
        let server = Server::start(&world.far, world.far_address(4), CONNECTIONS, Duration::ZERO);
        let mut streams: Vec<_> =
            (0..CONNECTIONS).map(|_| connect(&world.near, world.far_address(4))).collect();
        for _ in 0..2 {
            for stream in &mut streams {
                ask(stream, 1);
            }
        }
        drop(streams);
        server.end();
    }
    let own = maps_of_places().into_iter().find(|map| !before.contains(map)).expect("the probe's map");
    let patience = Instant::now();
    while taken(own) > 0 {
        assert!(patience.elapsed() < Duration::from_secs(5), "{} places are not free", taken(own));
        sleep(Duration::from_millis(50));
    }
    let report = probe.stop();
    for (target, role) in [("near", "client"), ("far", "server")] {
        let of_target = of(&report, target);
        let turns = &of_target["latency"][role];
        assert_eq!(turns["turn"]["count"], 4 * CONNECTIONS, "{turns}");
        assert_eq!(turns["receiveQueue"]["count"], 4 * CONNECTIONS, "{turns}");
        // Of each connection the first request, but for those with an end that has no place; and of no other's end.
        let wire = &turns["wire"];
        let count = wire["count"].as_u64().expect("a count");
        assert!((CONNECTIONS as u64..=2 * CONNECTIONS as u64).contains(&count), "{wire}");
        assert!(wire["highest"].as_u64() <= turns["turn"]["highest"].as_u64() || role == "server", "{wire}");
        assert!(wire["highest"].as_u64() < Some(1_000_000_000), "{wire}");
        let connections = &of_target["connections"][role];
        let counts: [&Value; 3] = ["opened", "closed", "requests"].map(|field| &connections[field]);
        assert_eq!(counts, [2 * CONNECTIONS, 2 * CONNECTIONS, 4 * CONNECTIONS], "{connections}");
    }
}

/// Their ids.
fn maps_of_places() -> Vec<u32> {
    let maps = loaded_maps().filter_map(Result::ok);
    maps.filter(|map| map.name_as_str() == Some("TAKEN")).map(|map| map.id()).collect()
}

fn taken(map: u32) -> usize {
    let map = Map::HashMap(MapData::from_id(map).expect("the probe has it open"));
    HashMap::<_, u32, u64>::try_from(map).expect("its type").keys().count()
}
