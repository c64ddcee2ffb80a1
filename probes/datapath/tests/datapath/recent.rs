//! Flows that a CPU remembers for some jiffies without asking conntrack.

use std::{
    fs,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    lab::{Lab, entry},
    namespace::Namespace,
    socket::{ACK, raw, segment},
    traffic::{alive, connect, connected, echo, echo_tcp, run_on},
};

#[test]
fn a_pod_with_anothers_address_does_not_ride_on_its_flow() {
    const TIMES: u64 = 20;
    let mut lab = Lab::new(3);
    // What one CPU remembers, no other does.
    run_on(0);
    for version in 0..2 {
        let [mut client, server] = connected(&lab, version, 8080);
        std::thread::spawn(move || echo(server));
        let [honest, server, liar] = &lab.pods[..] else { panic!("three pods") };
        let (own, stolen) = (liar.both()[version], honest.both()[version]);
        let length = if version == 0 { 32 } else { 128 };
        let lasting = if version == 0 { "" } else { "nodad" };
        // The last address to go would take the routes with it.
        liar.namespace.batch(&format!(
            "addr add {stolen}/{length} dev eth0 {lasting}\naddr del {own}/{length} dev eth0\n"
        ));
        for _ in 0..TIMES {
            assert!(alive(&mut client), "the flow is cut");
            raw(&liar.namespace, libc::IPPROTO_TCP, server.both()[version], &segment(7001, 8080, ACK));
        }
    }
    assert_eq!(lab.dropped(3, "egress", "spoofed source"), 2 * TIMES);
    let counters = lab.loader.ask(json!({ "op": "counters" }))["endpoints"].clone();
    assert_eq!(counters[1]["ingress"]["packets"], counters[0]["egress"]["packets"]);
    assert_eq!(counters[2]["egress"]["packets"], 0);
}

/// Of 256 places: of two flows that are used at once, one pair in so many shares one.
#[test]
fn flows_that_share_a_place_keep_to_their_own_ways() {
    const FLOWS: usize = 200;
    let lab = Lab::new(3);
    run_on(0);
    let client = &lab.pods[0].namespace;
    for version in 0..2 {
        let [mut here, mut there] = [1, 2].map(|pod| {
            let (server, address) = (&lab.pods[pod].namespace, lab.pods[pod].both()[version]);
            echo_tcp(server, address, 80);
            let flows = (0..FLOWS).map(|_| connect(client, address, 80).expect("connected"));
            flows.collect::<Vec<_>>()
        });
        for distance in 0..10 {
            for flow in 0..FLOWS {
                let both = alive(&mut here[flow]) && alive(&mut there[(flow + distance) % FLOWS]);
                assert!(both, "a flow is cut");
            }
        }
    }
    for pod in &lab.pods[1..] {
        assert_eq!(strays(&pod.namespace), [0, 0], "packets for another pod");
    }
}

/// Packets of each IP version that came to an address that is not there.
fn strays(namespace: &Namespace) -> [u64; 2] {
    let read = |file: &str| namespace.enter(|| fs::read_to_string(file).expect("/proc"));
    let (v4, v6) = (read("/proc/thread-self/net/snmp"), read("/proc/thread-self/net/snmp6"));
    let mut rows = v4.lines().filter(|line| line.starts_with("Ip:")).map(str::split_whitespace);
    let (names, values) = (rows.next().expect("names"), rows.next().expect("values"));
    let v4 = names.zip(values).find(|(name, _)| *name == "InAddrErrors").expect("a counter").1;
    let v6 = v6.lines().find_map(|line| line.strip_prefix("Ip6InAddrErrors")).expect("a counter");
    [v4, v6.trim()].map(|value| value.parse().expect("a number"))
}

/// Conntrack is asked often enough to know it.
#[test]
fn a_flow_in_use_does_not_expire() {
    let mut lab = Lab::with(2, &["--tcp-seconds", "1"]);
    let set = json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "allow", 1)] }]);
    lab.apply(set, json!([{ "endpoint": 2, "ingress": "in", "egress": null }]));
    for address in lab.pods[1].both() {
        echo_tcp(&lab.pods[1].namespace, address, 80);
        let mut flow = connect(&lab.pods[0].namespace, address, 80).expect("connected");
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(2_500) {
            assert!(alive(&mut flow), "the flow is cut");
        }
    }
    for flow in lab.loader.ask(json!({ "op": "conntrack" }))["flows"].as_array().expect("flows") {
        // The first of the two has been idle for as long as the second was tried.
        assert!(flow["idleSeconds"].as_f64() < Some(3.0), "{flow}");
    }
    // Expired, they would have been opened again, and counted.
    let rules = lab.loader.ask(json!({ "op": "counters" }))["rules"].clone();
    assert_eq!(rules, json!([{ "rule": 1, "allowed": 2, "denied": 0, "droppedPackets": 0 }]));
}

/// No set changes, so that nothing is waited for: the revision alone tells.
#[test]
fn a_policy_holds_from_the_next_packet_on() {
    let mut lab = Lab::new(2);
    let sets = || {
        json!([
            { "name": "open", "entries": [entry("ingress", 256, 80, "allow", 1)] },
            { "name": "shut", "entries": [] },
        ])
    };
    let on_server = |set: &str| json!([{ "endpoint": 2, "ingress": set, "egress": null }]);
    run_on(0);
    for address in lab.pods[1].both() {
        echo_tcp(&lab.pods[1].namespace, address, 80);
        for _ in 0..3 {
            lab.apply(sets(), on_server("open"));
            let mut flow = connect(&lab.pods[0].namespace, address, 80).expect("connected");
            assert!(alive(&mut flow) && alive(&mut flow), "the flow is cut");
            lab.apply(sets(), on_server("shut"));
            assert!(!alive(&mut flow), "the flow goes on");
        }
    }
}
