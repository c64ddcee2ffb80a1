//! Targets by network namespace: what comes by a pattern, and what goes.

use std::{net::Ipv4Addr, thread::sleep, time::Duration};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    traffic::{Server, drive},
    world::{Namespace, World, run},
};

/// What is made is known to the kernel after so long, on a machine that is busy, too.
const SOON: Duration = Duration::from_millis(50);

/// Pods come and go while they are watched: each belongs to the target from when it is made.
#[test]
fn by_a_pattern_whenever_they_are_made() {
    let world = World::new();
    let name = |pod: &str| format!("mmpr-{}-{pod}", std::process::id());
    let pod = |name: String| {
        let pod = Namespace::new(name);
        run(&format!("ip -n {} link set lo up", pod.name));
        sleep(SOON);
        pod
    };
    let within = |pod: &Namespace, connections: usize| {
        let server = Server::start(&pod.name, Ipv4Addr::LOCALHOST.into(), connections, Duration::ZERO);
        drive(&pod.name, Ipv4Addr::LOCALHOST.into(), connections, 10);
        server.end();
    };
    let early = pod(name("pod-0"));
    let targets = [format!("pods=netns:{}", name("pod-*")), format!("near=netns:{}", world.near)];
    let probe = Probe::attach(&["latency", "connections"], &targets);
    let (late, other) = (pod(name("pod-1")), pod(name("other")));
    within(&early, 1);
    within(&late, 2);
    within(&other, 4);
    drop(late);
    within(&pod(name("pod-1")), 8);
    let report = probe.stop();
    for role in ["client", "server"] {
        assert_eq!(of(&report, "pods")["connections"][role]["opened"], 11, "{role}");
        assert_eq!(of(&report, "pods")["latency"][role]["turn"]["count"], 110, "{role}");
        assert_eq!(of(&report, "near")["connections"][role]["opened"], 0);
    }
    let watches = ["pod-*", "pod-0", "pod-1"].map(|each| format!("netns:/run/netns/{}", name(each)));
    assert_eq!(of(&report, "pods")["watches"], json!(watches));
    assert_eq!(report["warnings"], json!([]));
}

#[test]
fn a_pattern_without_a_match_is_said() {
    let world = World::new();
    let probe =
        Probe::attach(&["latency"], &["none=netns:mmpr-none-*@7".to_owned(), world.targets()[0].clone()]);
    assert_eq!(probe.stop()["warnings"], json!(["nothing has matched netns:/run/netns/mmpr-none-*@7"]));
}

#[test]
fn one_that_ends_while_it_is_watched() {
    let world = World::new();
    let probe = Probe::attach(&["latency"], &world.targets());
    let server = Server::start(&world.far, world.far_address(4), 1, Duration::ZERO);
    drive(&world.near, world.far_address(4), 1, 50);
    server.end();
    run(&format!("ip netns del {}", world.near));
    // One of the same name is another one.
    run(&format!("ip netns add {}", world.near));
    let report = probe.stop();
    assert_eq!(of(&report, "near")["latency"]["client"]["turn"]["count"], 50);
    assert_eq!(report["warnings"], json!(["network namespaces that ended while they were watched: near"]));
}
