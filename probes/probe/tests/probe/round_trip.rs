//! The kernel's own smoothed round-trip time, as `ss` shows it.

use std::{fs, time::Duration};

use serde_json::Value;

use crate::{
    probe::{Probe, of},
    traffic::{Server, ask, connect},
    world::World,
};

#[test]
fn as_ss_says() {
    let world = World::new();
    let probe = Probe::attach(&["latency"], &world.targets());
    let server = Server::start(&world.far, world.far_address(4), 1, Duration::from_micros(200));
    let mut stream = connect(&world.near, world.far_address(4));
    let mut shown = Vec::new();
    // It looks when data comes for the first time, and at every eighth time after that. (Where two copies of the programs are
    // attached, the second takes a send for one more of the same, and looks more often.)
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
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc");
    let twice = release.split('.').next().and_then(|major| major.parse().ok()) >= Some(7);
    let looks = client["smoothedRtt"]["count"].as_u64().expect("a count");
    assert!(looks == 1 + 20 * 3 || twice && looks > 1 + 20 * 3, "{looks} looks");
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
