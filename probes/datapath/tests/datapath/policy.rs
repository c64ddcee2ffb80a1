use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    lab::{Lab, entry, policy},
    loader::Client,
    traffic::{alive, connect, echo_tcp, echo_udp, ping, tcp, udp},
};

fn on_server(set: &str) -> Value {
    json!([{ "endpoint": 2, "ingress": set, "egress": null }])
}

fn serve(lab: &Lab, ports: &[u16]) {
    for address in lab.pods[1].both() {
        for port in ports {
            echo_tcp(&lab.pods[1].namespace, address, *port);
        }
    }
}

#[test]
fn once_a_policy_selects_a_pod_only_what_it_allows_passes() {
    let mut lab = Lab::new(3);
    serve(&lab, &[80, 81]);
    lab.apply(json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "allow", 5)] }]), on_server("in"));
    let [client, server, other] = &lab.pods[..] else { panic!("three pods") };
    for address in server.both() {
        assert!(tcp(&client.namespace, address, 80), "allowed");
        assert!(!tcp(&client.namespace, address, 81), "another port");
        assert!(!tcp(&other.namespace, address, 80), "another identity");
        assert!(!ping(&client.namespace, address), "another protocol");
    }
    assert!(lab.dropped(2, "ingress", "default deny") >= 6);
    let rules = lab.loader.ask(json!({ "op": "counters" }))["rules"].clone();
    assert_eq!(rules, json!([{ "rule": 5, "allowed": 2, "denied": 0, "droppedPackets": 0 }]));
}

#[test]
fn an_egress_policy_holds_at_the_sender() {
    let mut lab = Lab::new(3);
    serve(&lab, &[80]);
    lab.apply(
        json!([{ "name": "out", "entries": [entry("egress", 258, 80, "allow", 1)] }]),
        json!([{ "endpoint": 1, "ingress": null, "egress": "out" }]),
    );
    let address = lab.pods[1].v4;
    assert!(!tcp(&lab.pods[0].namespace, address, 80));
    assert!(tcp(&lab.pods[2].namespace, address, 80));
    assert!(lab.dropped(1, "egress", "default deny") > 0);
}

#[test]
fn replies_skip_policy() {
    let mut lab = Lab::new(2);
    serve(&lab, &[80]);
    echo_udp(&lab.pods[1].namespace, lab.pods[1].v4, 53);
    lab.apply(
        json!([{ "name": "none", "entries": [] }]),
        json!([{ "endpoint": 1, "ingress": "none", "egress": null }, { "endpoint": 2, "ingress": null, "egress": "none" }]),
    );
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    assert!(tcp(&client.namespace, server.v4, 80));
    assert!(tcp(&client.namespace, server.v6, 80));
    assert!(udp(&client.namespace, server.v4, 53).is_some());
    assert!(ping(&client.namespace, server.v4));
    assert!(!tcp(&server.namespace, client.v4, 80), "not the other way round");
}

#[test]
fn a_port_range_is_a_prefix_of_the_port() {
    let mut lab = Lab::new(2);
    serve(&lab, &[8079, 8080, 8095, 8096]);
    let range = json!({
        "direction": "ingress", "identity": 0, "protocol": 6, "port": 8080, "portBits": 12, "verdict": "allow", "rule": 1,
    });
    lab.apply(json!([{ "name": "in", "entries": [range] }]), on_server("in"));
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    let open = [8079, 8080, 8095, 8096].map(|port| tcp(&client.namespace, server.v4, port));
    assert_eq!(open, [false, true, true, false]);
}

#[test]
fn a_deny_holds_against_every_allow() {
    let mut lab = Lab::new(3);
    serve(&lab, &[80, 81]);
    let everything = json!({
        "direction": "ingress", "identity": 0, "protocol": 0, "port": 0, "portBits": 0, "verdict": "allow", "rule": 1,
    });
    let entries =
        json!([everything, entry("ingress", 256, 80, "allow", 2), entry("ingress", 256, 80, "deny", 3)]);
    lab.apply(json!([{ "name": "in", "entries": entries }]), on_server("in"));
    let [client, server, other] = &lab.pods[..] else { panic!("three pods") };
    assert!(!tcp(&client.namespace, server.v4, 80));
    assert!(tcp(&client.namespace, server.v4, 81));
    assert!(tcp(&other.namespace, server.v4, 80));
    assert!(lab.dropped(2, "ingress", "deny rule") > 0);
    let rules = lab.loader.ask(json!({ "op": "counters" }))["rules"].clone();
    assert!(rules[1]["denied"].as_u64() > Some(0), "{rules}");
}

#[test]
fn an_allow_that_is_revoked_cuts_the_flow_at_its_next_packet() {
    let mut lab = Lab::new(2);
    serve(&lab, &[80]);
    for version in 0..2 {
        lab.apply(
            json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "allow", 1)] }]),
            on_server("in"),
        );
        let before = lab.dropped(2, "ingress", "allow revoked");
        let mut flow = connect(&lab.pods[0].namespace, lab.pods[1].both()[version], 80).expect("connected");
        assert!(alive(&mut flow));
        lab.apply(
            json!([{ "name": "in", "entries": [entry("ingress", 999, 80, "allow", 1)] }]),
            on_server("in"),
        );
        assert!(!alive(&mut flow), "the flow goes on");
        // The first, and what is sent again: the flow is not forgotten.
        assert!(lab.dropped(2, "ingress", "allow revoked") > before);
        assert_eq!(lab.dropped(2, "ingress", "default deny"), 0);
    }
}

#[test]
fn swapping_policies_cuts_no_allowed_flow_and_lets_no_denied_one_in() {
    let mut lab = Lab::new(2);
    serve(&lab, &[80, 81]);
    let set = |round: u32| {
        let mut entries = vec![entry("ingress", 256, 80, "allow", 1)];
        entries.extend((0..50).map(|other| entry("ingress", 1000 + round * 50 + other, 80, "allow", 2)));
        json!([{ "name": "in", "entries": entries }])
    };
    lab.apply(set(0), on_server("in"));
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    let mut flow = connect(&client.namespace, server.v4, 80).expect("connected");
    let (ending, rounds, longest) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
    let mut other = Client::new(&lab.loader.socket);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !ending.load(Ordering::Relaxed) {
                let begun = Instant::now();
                assert!(alive(&mut flow), "the allowed flow is cut");
                longest.fetch_max(begun.elapsed().as_millis() as u32, Ordering::Relaxed);
                rounds.fetch_add(1, Ordering::Relaxed);
            }
        });
        scope.spawn(|| {
            while !ending.load(Ordering::Relaxed) {
                assert!(!tcp(&client.namespace, server.v4, 81), "a denied flow is let in");
            }
        });
        let begun = Instant::now();
        let mut round = 0;
        while round < 40 || begun.elapsed() < Duration::from_secs(2) {
            round += 1;
            other.ask(policy(&set(round), &on_server("in"))).expect("applied");
        }
        ending.store(true, Ordering::Relaxed);
    });
    assert!(rounds.load(Ordering::Relaxed) > 10);
    // A lost segment would be sent again after 200 ms at the earliest.
    assert_eq!(lab.dropped(2, "ingress", "allow revoked"), 0);
    assert!(longest.load(Ordering::Relaxed) < 500, "{longest:?} ms");
}

#[test]
fn ten_thousand_entries_are_applied_at_once() {
    let mut lab = Lab::new(2);
    serve(&lab, &[80]);
    // The second ones take the place of the first.
    for first in [5_000, 50_000] {
        let mut entries: Vec<Value> =
            (0..9_999).map(|other| entry("ingress", first + other, 80, "allow", 1)).collect();
        entries.push(entry("ingress", 256, 80, "allow", 2));
        let answer = lab.apply(json!([{ "name": "in", "entries": entries }]), on_server("in"));
        assert_eq!(answer["entries"], 10_000);
        assert!(answer["milliseconds"].as_f64() < Some(1_000.0), "{answer}");
    }
    assert!(tcp(&lab.pods[0].namespace, lab.pods[1].v4, 80));
    let maps = lab.loader.ask(json!({ "op": "maps" }))["maps"].clone();
    assert_eq!(maps[2], json!({ "name": "POLICY", "entries": 10_000, "maxEntries": 131_072 }));
}

#[test]
fn a_full_map_is_an_error_and_changes_nothing() {
    let mut lab = Lab::with(2, &["--policy-entries", "4"]);
    serve(&lab, &[80]);
    lab.apply(json!([{ "name": "in", "entries": [entry("ingress", 256, 80, "allow", 1)] }]), on_server("in"));
    let many: Vec<Value> = (0..9).map(|other| entry("ingress", 5_000 + other, 80, "allow", 1)).collect();
    let sentence = lab.loader.refused(policy(&json!([{ "name": "in", "entries": many }]), &on_server("in")));
    assert_eq!(
        sentence,
        "the map POLICY is full: it has room for 4 entries, 10 are wanted; start meshmark-datapath with a larger \
         --policy-entries. Nothing was changed"
    );
    assert!(tcp(&lab.pods[0].namespace, lab.pods[1].v4, 80));
}

/// Policies are replaced under their pods' feet: the prefixes that stay need no room of their own meanwhile.
#[test]
fn prefixes_that_stay_need_no_room_and_those_that_find_none_change_nothing() {
    let mut lab = Lab::with(2, &["--identity-entries", "10"]);
    serve(&lab, &[80]);
    let with_prefixes = |names: &[&str], identity: u32| {
        let mut request = policy(
            &json!([{ "name": "in", "entries": [entry("ingress", identity, 80, "allow", 1)] }]),
            &on_server("in"),
        );
        let prefixes = request["identities"].as_array_mut().expect("prefixes");
        prefixes.extend(
            names.iter().zip(5_000..).map(|(name, identity)| json!({ "prefix": name, "identity": identity })),
        );
        request
    };
    // Beside two addresses of each pod and of the node.
    let some = ["10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"];
    lab.loader.ask(with_prefixes(&some, 999));
    lab.loader.ask(with_prefixes(&some, 256));
    let mut flow = connect(&lab.pods[0].namespace, lab.pods[1].v4, 80).expect("connected");
    let sentence = lab.loader.refused(with_prefixes(&["10.4.0.0/16", "10.5.0.0/16"], 999));
    assert_eq!(
        sentence,
        "the map IPCACHE is full: it has room for 10 entries, 11 are wanted; start meshmark-datapath with a larger \
         --identity-entries. Nothing was changed"
    );
    assert!(alive(&mut flow));
    lab.loader.ask(with_prefixes(&["10.4.0.0/16"], 256));
    let maps = lab.loader.ask(json!({ "op": "maps" }))["maps"].clone();
    assert_eq!(maps[0], json!({ "name": "IPCACHE", "entries": 7, "maxEntries": 10 }));
}

/// IPv4 is mapped into IPv6, which is no business of who writes `::/0`.
#[test]
fn a_prefix_of_ipv6_holds_no_address_of_ipv4() {
    let mut lab = Lab::new(2);
    let device = lab.pods[1].device.clone();
    lab.loader.ask(json!({ "op": "endpoint.remove", "endpoint": 2 }));
    lab.loader.ask(json!({
        "op": "endpoint.add", "device": device, "endpoint": 2, "identity": 2, "world": true,
        "addresses": ["203.0.113.0/24", "2001:db8::/32"],
    }));
    let outside =
        ["2001:db8::2", "203.0.113.2", "198.51.100.1"].map(|text| text.parse().expect("an address"));
    let [pod, world] = &lab.pods[..] else { panic!("two pods") };
    world.namespace.batch("addr add 203.0.113.2/32 dev eth0\naddr add 2001:db8::2/128 dev eth0 nodad\n");
    for address in &outside[..2] {
        echo_tcp(&world.namespace, *address, 80);
    }
    for prefix in ["::/0", "::/2"] {
        let set = json!([{ "name": "out", "entries": [entry("egress", 5_000, 80, "allow", 1)] }]);
        let mut request = policy(&set, &json!([{ "endpoint": 1, "ingress": null, "egress": "out" }]));
        let prefixes = request["identities"].as_array_mut().expect("prefixes");
        prefixes.push(json!({ "prefix": prefix, "identity": 5_000 }));
        lab.loader.ask(request);
        let open = outside.map(|address| tcp(&pod.namespace, address, 80));
        assert_eq!(open, [true, false, false], "{prefix}");
    }
    // Not even where nobody is.
    assert_eq!(lab.dropped(1, "egress", "no destination"), 0);
}
