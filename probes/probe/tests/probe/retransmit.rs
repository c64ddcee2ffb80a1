//! Program `retransmit`: as many segments sent again as the kernel itself counts.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    traffic::{PORT, Server, drive},
    world::{VERSIONS, World, inside},
};

#[test]
fn a_syn_without_an_answer() {
    let world = World::new();
    world.in_far("nft add table inet t");
    world.in_far("nft add chain inet t in { type filter hook input priority 0 ; }");
    world.in_far("nft add rule inet t in tcp dport 9 drop");
    let to = SocketAddr::new(world.far_address(4), 9);
    let probe = Probe::attach(&["connections", "drops"], &world.targets());
    inside(&world.near, || {
        TcpStream::connect_timeout(&to, Duration::from_millis(3_500)).expect_err("nothing answers");
    });
    let again = sent_again(&world);
    let report = probe.stop();
    assert!(again > 0);
    let client = &of(&report, "near")["connections"]["client"];
    assert_eq!(client["synRetransmits"], again);
    assert_eq!(client["retransmits"], 0);
    assert_eq!(client["failures"][0]["cause"], "given up");
    // Next to it: what became of them.
    assert_eq!(of(&report, "far")["drops"]["byClass"]["policy"], json!(again + 1));
}

/// Of each connection the first segment with data is lost once, and no other.
#[test]
fn a_request_that_was_lost() {
    let world = World::new();
    world.in_far("nft add table inet t");
    world.in_far("nft add set inet t seen { type inet_service ; flags dynamic ; size 1000 ; }");
    world.in_far("nft add chain inet t in { type filter hook input priority 0 ; }");
    // A SYN is no longer than 80 bytes with IPv6, a request of 64 bytes no shorter than 116.
    let lose = "meta length > 100 tcp sport != @seen add @seen { tcp sport } counter drop";
    world.in_far(&format!("nft add rule inet t in tcp dport {PORT} {lose}"));
    for (round, version) in (1..).zip(VERSIONS) {
        // Ports of the round before may come again.
        world.in_far("nft flush set inet t seen");
        let before = sent_again(&world);
        let probe = Probe::attach(&["connections", "drops"], &world.targets());
        let server = Server::start(&world.far, world.far_address(version), 25, Duration::ZERO);
        drive(&world.near, world.far_address(version), 25, 4);
        server.end();
        let report = probe.stop();
        let rules = world.in_far("nft list chain inet t in");
        assert!(rules.contains(&format!("counter packets {} ", 25 * round)), "{rules}");
        let client = &of(&report, "near")["connections"]["client"];
        assert_eq!(client["retransmits"], 25);
        assert_eq!(sent_again(&world) - before, 25);
        assert_eq!(client["synRetransmits"], 0);
        assert_eq!(of(&report, "far")["connections"]["server"]["retransmits"], 0);
        assert_eq!(of(&report, "far")["drops"]["byClass"]["policy"], 25);
        assert_eq!(client["requests"], 100);
    }
}

/// What the kernel counts by itself, for both IP versions.
fn sent_again(world: &World) -> u64 {
    let counted = world.in_near("nstat -asz TcpRetransSegs");
    let line = counted.lines().find(|line| line.starts_with("TcpRetransSegs"));
    line.and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok()).expect("nstat knows")
}
