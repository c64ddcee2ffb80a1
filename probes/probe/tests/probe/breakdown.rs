//! What the parts of a request's time are made of (`probes/client/breakdown.ts`), with a proxy in the way that takes a known time.

use std::{iter, time::Duration};

use serde_json::Value;

use crate::{
    probe::{Probe, of},
    relay::{BACK, FRONT, Proxy},
    traffic::{Server, Worked, ask, connect},
    world::World,
};

const ROUNDS: usize = 20;
const REQUESTS: usize = 16;
/// Of them: one in eight.
const LOOKED_INTO: u64 = 2;
const APP: Duration = Duration::from_millis(1);
const PROXY: Duration = Duration::from_millis(2);
/// From a program's own clock into the kernel, and out of it.
const INTO_THE_KERNEL: f64 = 25_000.0;

/// Means of a request's parts, and what the server and the proxy say themselves, in nanoseconds.
#[derive(Debug)]
struct Parts {
    whole: f64,
    app: f64,
    app_median: f64,
    /// Without what it waited for itself.
    proxy: f64,
    app_itself: Worked,
    proxy_itself: Worked,
    hops: u64,
    /// Of how many messages it is known how long they were on the way.
    wires: u64,
    /// Requests of which the proxy's own time is known, and its median.
    own: (u64, f64),
}

impl Parts {
    fn of(report: &Value, app_itself: Worked, proxy_itself: Worked) -> Self {
        let turn = |target: &str, role: &str, what: &str| {
            of(report, target)["latency"][role]["turn"][what].as_f64().unwrap_or(0.0)
        };
        for (target, role) in [("near", "client"), ("far", "server")] {
            assert!((turn(target, role, "count") - REQUESTS as f64).abs() < 0.5, "{target}");
        }
        let each = |sum: f64| sum / REQUESTS as f64;
        let ends: Vec<_> = ["near", "proxy", "far"]
            .into_iter()
            .filter(|target| {
                report["targets"].as_array().expect("targets").iter().any(|each| each["name"] == *target)
            })
            .flat_map(|target| ["client", "server"].map(|role| &of(report, target)["latency"][role]))
            .filter(|latency| latency["turn"]["count"] != 0)
            .collect();
        let own = &of(report, "proxy")["latency"]["server"]["own"];
        Self {
            whole: each(turn("near", "client", "sum")),
            app: each(turn("far", "server", "sum")),
            app_median: turn("far", "server", "p50"),
            proxy: each(turn("proxy", "server", "sum") - turn("proxy", "client", "sum")),
            app_itself,
            proxy_itself,
            hops: ends.len() as u64 / 2,
            wires: ends.iter().map(|latency| latency["wire"]["count"].as_u64().expect("a count")).sum(),
            own: (own["count"].as_u64().unwrap_or(0), own["p50"].as_f64().unwrap_or(0.0)),
        }
    }

    /// Queues, and the way between.
    fn rest(&self) -> f64 {
        self.whole - self.app - self.proxy
    }
}

fn mean(times: &[u64]) -> f64 {
    times.iter().sum::<u64>() as f64 / times.len() as f64
}

fn median(times: &[u64]) -> f64 {
    let mut times = times.to_vec();
    times.sort_unstable();
    times[times.len() / 2] as f64
}

/// Within a bucket's width (1/16) of what somebody says of himself.
fn near(measured: f64, itself: f64) -> bool {
    (measured - itself).abs() < itself / 16.0 + INTO_THE_KERNEL
}

#[test]
fn a_proxys_time_is_the_proxys_only() {
    let world = World::new();
    let proxy = Proxy::between(&world);
    let targets = [&world.targets()[..], &[format!("proxy=netns:{}", proxy.namespace.name)]].concat();
    let through = |work: Option<Duration>| {
        let mut probe = Probe::attach(&["latency", "--follow"], &targets);
        let address = if work.is_some() { BACK.parse().expect("an address") } else { world.far_address(4) };
        let server = Server::start(&world.far, address, 1, APP);
        let relay = work.map(|work| proxy.start(work));
        let mut stream =
            connect(&world.near, if relay.is_some() { FRONT.parse().expect("an address") } else { address });
        let reports: Vec<Value> = (0..ROUNDS)
            .map(|_| {
                probe.ask("reset");
                ask(&mut stream, REQUESTS);
                probe.ask("snapshot")
            })
            .collect();
        drop(stream);
        let relayed = relay.map_or_else(Vec::new, |relay| relay.join().expect("it ends"));
        let (relayed, answered) =
            (relayed.chunks(REQUESTS).map(Some).chain(iter::repeat(None)), server.end());
        probe.stop();
        // Whatever else the machine does makes the way between longer: the quietest round counts.
        let rounds = reports.iter().zip(answered.chunks(REQUESTS)).zip(relayed);
        let parts = rounds.map(|((report, app), proxy)| {
            Parts::of(report, app.to_vec(), proxy.unwrap_or_default().to_vec())
        });
        parts.min_by(|left, right| left.rest().total_cmp(&right.rest())).expect("rounds")
    };
    let (direct, quick, slow) = (through(None), through(Some(Duration::ZERO)), through(Some(PROXY)));
    for parts in [&direct, &quick, &slow] {
        assert_eq!(parts.wires, parts.hops * 2 * LOOKED_INTO, "{parts:?}");
    }
    assert_eq!([&direct, &quick, &slow].map(|parts| parts.own.0), [0, LOOKED_INTO, LOOKED_INTO]);
    let worked_itself = median(&slow.proxy_itself);
    assert!(near(slow.own.1, worked_itself), "{} of {worked_itself} of the proxy itself", slow.own.1);
    for (name, parts) in [("direct", &direct), ("proxy", &quick), ("slow proxy", &slow)] {
        println!(
            "{name}, in µs: whole {:.0}, app {:.0} (itself {:.0}), proxy {:.0} (itself {:.0}), rest {:.0}",
            parts.whole / 1e3,
            parts.app / 1e3,
            mean(&parts.app_itself) / 1e3,
            parts.proxy / 1e3,
            if parts.proxy_itself.is_empty() { 0.0 } else { mean(&parts.proxy_itself) / 1e3 },
            parts.rest() / 1e3,
        );
        // Whoever is in the way, the app's time is the app's.
        assert!(near(parts.app_median, median(&parts.app_itself)), "{name}: {} of the app", parts.app_median);
    }
    assert!(direct.proxy.abs() < f64::EPSILON);
    let worked = mean(&slow.proxy_itself);
    assert!(
        near(slow.proxy - quick.proxy, worked - mean(&quick.proxy_itself)),
        "{} more of the proxy",
        slow.proxy - quick.proxy
    );
    let more = (slow.whole - slow.app) - (quick.whole - quick.app);
    assert!(near(more, worked), "{more} more of all but the app");
    assert!(
        (slow.rest() - quick.rest()).abs() < worked / 16.0 + 4.0 * INTO_THE_KERNEL,
        "{} more of the rest",
        slow.rest() - quick.rest()
    );
}
