//! Program `drop`: as many packets as were dropped, each with its reason.

use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};

use serde_json::Value;

use crate::{
    data_path::DataPath,
    probe::{Probe, of},
    world::{VERSIONS, World, inside, run},
};

/// Sends so many datagrams of a size.
fn send(world: &World, to: SocketAddr, count: usize, size: usize) {
    inside(&world.near, || {
        let socket =
            UdpSocket::bind((world.near_address(if to.is_ipv4() { 4 } else { 6 }), 0)).expect("a socket");
        for _ in 0..count {
            // Where the port is closed, the answer to one comes back as an error of the next.
            let _ = socket.send_to(&vec![1; size], to);
        }
    });
}

fn count(report: &Value, target: &str, reason: &str) -> u64 {
    let rows = of(report, target)["drops"]["reasons"].as_array().expect("rows");
    rows.iter().filter(|row| row["reason"] == reason).map(|row| row["count"].as_u64().expect("a count")).sum()
}

fn to_service(report: &Value, target: &str, reason: &str, to: SocketAddr) -> u64 {
    let rows = of(report, target)["drops"]["services"].as_array().expect("rows");
    rows.iter()
        .filter(|row| {
            row["reason"] == reason && row["address"] == to.ip().to_string() && row["port"] == to.port()
        })
        .map(|row| row["count"].as_u64().expect("a count"))
        .sum()
}

/// What nobody listens for is dropped for. Before 5.17 the kernel gives no reasons.
fn nobody(report: &Value) -> &'static str {
    if report["kernel"].as_str().is_some_and(|kernel| kernel.starts_with("5.10.")) {
        "NOT_SPECIFIED"
    } else {
        "NO_SOCKET"
    }
}

#[test]
fn by_a_rule_of_nftables() {
    let world = World::new();
    world.in_far("nft add table inet t");
    world.in_far("nft add chain inet t in { type filter hook input priority 0 ; }");
    world.in_far("nft add rule inet t in udp dport 9 counter drop");
    for (round, version) in VERSIONS.into_iter().enumerate() {
        let probe = Probe::attach(&["drops"], &world.targets());
        let to = SocketAddr::new(world.far_address(version), 9);
        send(&world, to, 300, 100);
        let report = probe.stop();
        assert_eq!(count(&report, "far", "NETFILTER_DROP"), 300);
        assert_eq!(to_service(&report, "far", "NETFILTER_DROP", to), 300);
        assert_eq!(of(&report, "far")["drops"]["byClass"]["policy"], 300);
        assert_eq!(count(&report, "near", "NETFILTER_DROP"), 0);
        let rules = world.in_far("nft list chain inet t in");
        assert!(rules.contains(&format!("counter packets {} ", 300 * (round + 1))), "{rules}");
    }
}

#[test]
fn at_a_closed_port() {
    let world = World::new();
    for version in VERSIONS {
        let probe = Probe::attach(&["drops"], &world.targets());
        let to = SocketAddr::new(world.far_address(version), 9);
        inside(&world.near, || {
            for _ in 0..30 {
                TcpStream::connect(to).expect_err("nobody listens there");
            }
        });
        let report = probe.stop();
        assert_eq!(to_service(&report, "far", nobody(&report), to), 30);
        if nobody(&report) == "NO_SOCKET" {
            assert_eq!(count(&report, "far", "NO_SOCKET"), 30);
            let drops = &of(&report, "far")["drops"];
            assert_eq!(drops["byClass"]["refused"], 30, "{}", drops["reasons"]);
        }
        let failed = &of(&report, "near")["drops"]["failedConnects"];
        assert_eq!(failed[0]["count"], 30);
        assert_eq!(failed[0]["cause"], "refused");
    }
}

/// By no rule of the kernel's own, but by a program at a device, whose verdict it is (`TC_ACT_SHOT`): what the data path's policy
/// lets nobody send, and what a rule of it denies. As many as it says itself.
#[test]
fn by_the_data_paths_policy() {
    let [allowed, denied, other] = [9, 10, 11];
    let world = World::new();
    let mut path = DataPath::between(&world);
    path.allow_and_deny(allowed, denied);
    let node = format!("node=netns:{}", path.node.name);
    for (round, version) in (1..).zip(VERSIONS) {
        let to = |port| SocketAddr::new(DataPath::far_address(version), port);
        let listener = inside(&world.far, || UdpSocket::bind(to(allowed)).expect("the port is free"));
        let probe = Probe::attach(&["drops"], &[&world.targets()[..], std::slice::from_ref(&node)].concat());
        for (port, datagrams) in [(allowed, 40), (denied, 70), (other, 230)] {
            send_from_any(&world, to(port), datagrams);
        }
        let report = probe.stop();
        // The packet is still its sender's when the node's device has it. Before 5.18 there is no such reason.
        let near = &of(&report, "near")["drops"];
        let (reason, class) = if count(&report, "near", "TC_INGRESS") > 0 {
            ("TC_INGRESS", "policy")
        } else {
            ("NOT_SPECIFIED", "unknown")
        };
        assert_eq!(count(&report, "near", reason), 300, "{near:#}");
        assert_eq!(near["byClass"][class], 300, "{near:#}");
        assert_eq!(to_service(&report, "near", reason, to(denied)), 70);
        assert_eq!(to_service(&report, "near", reason, to(other)), 230);
        for elsewhere in ["node", "far"] {
            assert_eq!(of(&report, elsewhere)["drops"]["total"], 0, "{:#}", of(&report, elsewhere)["drops"]);
        }
        let own = path.counted();
        assert_eq!(own["drops"], serde_json::json!({ "default deny": 230 * round, "deny rule": 70 * round }));
        assert_eq!(own["packets"], 40 * round);
        drop(listener);
    }
}

/// From whatever address the route says.
fn send_from_any(world: &World, to: SocketAddr, count: usize) {
    inside(&world.near, || {
        let any: IpAddr = if to.is_ipv4() { [0_u8; 4].into() } else { [0_u16; 8].into() };
        let socket = UdpSocket::bind((any, 0)).expect("a socket");
        for _ in 0..count {
            socket.send_to(&[1; 100], to).expect("it is sent");
        }
    });
}

#[test]
fn in_a_full_receive_queue() {
    let world = World::new();
    for version in VERSIONS {
        let probe = Probe::attach(&["drops"], &world.targets());
        let to = SocketAddr::new(world.far_address(version), 9);
        // Nobody reads from it.
        let full = inside(&world.far, || UdpSocket::bind(to).expect("the port is free"));
        let before = buffer_errors(&world, version);
        send(&world, to, 2_000, 1_000);
        let errors = buffer_errors(&world, version) - before;
        let report = probe.stop();
        drop(full);
        assert!(errors > 0, "the queue was never full");
        assert_eq!(count(&report, "far", "SOCKET_RCVBUFF"), errors);
        assert_eq!(to_service(&report, "far", "SOCKET_RCVBUFF", to), errors);
        assert_eq!(of(&report, "far")["drops"]["byClass"]["loss"], errors);
    }
}

/// What the kernel counts by itself.
fn buffer_errors(world: &World, version: u8) -> u64 {
    let name = if version == 4 { "UdpRcvbufErrors" } else { "Udp6RcvbufErrors" };
    let text = world.in_far(&format!("nstat -asz {name}"));
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{text}"));
    line.split_ascii_whitespace().nth(1).expect("a value").parse().expect("a number")
}

#[test]
fn in_a_full_queue_of_a_device() {
    let world = World::new();
    run(&format!("tc -n {} qdisc add dev veth0 root tbf rate 80kbit burst 2000 limit 4000", world.near));
    for version in VERSIONS {
        let probe = Probe::attach(&["drops"], &world.targets());
        let before = dropped(&world);
        send(&world, SocketAddr::new(world.far_address(version), 9), 200, 500);
        let lost = dropped(&world) - before;
        let report = probe.stop();
        let near = &of(&report, "near")["drops"];
        assert!(lost > 0, "the queue was never full");
        assert_eq!(near["byClass"]["loss"], lost, "{near}");
    }
}

fn dropped(world: &World) -> u64 {
    let text = run(&format!("tc -n {} -s qdisc show dev veth0", world.near));
    let rest = text.split("dropped ").nth(1).unwrap_or_else(|| panic!("{text}"));
    rest.split(',').next().expect("a word").parse().expect("a number")
}

/// By a socket's cgroup, or by address: the same packets.
#[test]
fn by_address() {
    let world = World::new();
    for version in VERSIONS {
        let to = SocketAddr::new(world.far_address(version), 9);
        let probe = Probe::attach(&["drops"], &[format!("port=address:{to}")]);
        inside(&world.near, || {
            for _ in 0..30 {
                TcpStream::connect(to).expect_err("nobody listens there");
            }
        });
        let report = probe.stop();
        assert_eq!(to_service(&report, "port", nobody(&report), to), 30);
    }
}
