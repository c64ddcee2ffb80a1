//! The kernel's own smoothed round-trip time, as `ss` shows it.

use std::time::Duration;

use serde_json::Value;

use crate::{
    probe::{Probe, of},
    traffic::{Server, ask, connect},
    world::World,
};

#[test]
fn as_ss_says() {
    looked(&["latency"]);
}

/// Two copies of the programs look no more often than one.
#[test]
fn twice() {
    looked(&["latency", "--twice"]);
}

fn looked(arguments: &[&str]) {
    let world = World::new();
    let probe = Probe::attach(arguments, &world.targets());
    let server = Server::start(&world.far, world.far_address(4), 1, Duration::from_micros(200));
    let mut stream = connect(&world.near, world.far_address(4));
    let mut shown = Vec::new();
    // It looks when data comes for the first time, and at every eighth time after that.
    ask(&mut stream, 1);
    shown.push(smoothed(&world));
    for _ in 0..20 {
        ask(&mut stream, 24);
        shown.push(smoothed(&world));
    }
    drop(stream);
    server.end();
    let report = probe.stop();
    let client = &of(&report, "near")["latency"]["client"];
    assert_eq!(client["smoothedRtt"]["count"], 1 + 20 * 3);
    let buckets = client["smoothedRtt"]["buckets"].as_array().expect("buckets");
    for value in shown {
        // `ss` shows microseconds with three digits after them; the kernel keeps eighths.
        let inside = |bucket: &Value| {
            bucket[0].as_f64().expect("from") <= value + 500.0
                && value - 500.0 < bucket[1].as_f64().expect("to")
        };
        assert!(buckets.iter().any(inside), "{value} ns is in none of {buckets:?}");
    }
    let (lowest, mean) = (
        client["lowestRttUs"].as_f64().expect("a time"),
        client["smoothedRtt"]["mean"].as_f64().expect("a mean"),
    );
    assert!(lowest * 1_000.0 <= mean, "{lowest} µs, {mean} ns");
}

/// Nanoseconds.
fn smoothed(world: &World) -> f64 {
    let text = world.in_near("ss -tinH dport = :7777");
    let rest = text.split(" rtt:").nth(1).unwrap_or_else(|| panic!("{text}"));
    let milliseconds: f64 = rest.split('/').next().expect("a word").parse().expect("a number");
    milliseconds * 1e6
}
