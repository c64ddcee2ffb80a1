//! Program `retransmit`: as many segments sent again as the kernel itself counts.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use serde_json::json;

use crate::{
    probe::{Probe, of},
    world::{World, inside},
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
    let counted = world.in_near("nstat -asz TcpRetransSegs");
    let report = probe.stop();
    let again: u64 = counted
        .lines()
        .find(|line| line.starts_with("TcpRetransSegs"))
        .and_then(|line| line.split_ascii_whitespace().nth(1)?.parse().ok())
        .expect("nstat knows");
    assert!(again > 0);
    let client = &of(&report, "near")["connections"]["client"];
    assert_eq!(client["synRetransmits"], again);
    assert_eq!(client["retransmits"], 0);
    assert_eq!(client["failures"][0]["cause"], "given up");
    // Next to it: what became of them.
    assert_eq!(of(&report, "far")["drops"]["byClass"]["policy"], json!(again + 1));
}
