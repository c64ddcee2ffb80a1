use std::net::UdpSocket;

use serde_json::json;

use crate::{
    lab::Lab,
    traffic::{echo_tcp, echo_udp, ping, tcp, udp},
};

#[test]
fn pods_reach_each_other_by_every_protocol_and_both_ip_versions() {
    let mut lab = Lab::new(2);
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    for address in server.both() {
        echo_tcp(&server.namespace, address, 80);
        echo_udp(&server.namespace, address, 53);
        assert!(tcp(&client.namespace, address, 80), "TCP to {address}");
        assert_eq!(udp(&client.namespace, address, 53), Some((address, 53).into()));
        assert!(ping(&client.namespace, address), "echo to {address}");
    }
    let (sent, received) = (lab.counters(1, "egress"), lab.counters(2, "ingress"));
    assert_eq!(sent["packets"], received["packets"]);
    assert!(sent["packets"].as_u64() > Some(10));
    assert_eq!(received["drops"], json!({}));
}

#[test]
fn a_source_address_that_is_not_the_pods_is_dropped() {
    let mut lab = Lab::new(2);
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    client.namespace.batch("addr add 10.245.0.99/32 dev eth0\naddr add fd00:10:245::99/128 dev eth0 nodad\n");
    for (own, to) in [("10.245.0.99", server.v4), ("fd00:10:245::99", server.v6)] {
        client.namespace.enter(|| {
            let socket = UdpSocket::bind((own, 0)).expect("its own address");
            socket.send_to(b"x", (to, 9)).expect("sent");
        });
    }
    assert_eq!(lab.dropped(1, "egress", "spoofed source"), 2);
    assert_eq!(lab.counters(2, "ingress")["packets"], 0);
}

#[test]
fn what_nobody_has_is_dropped() {
    let mut lab = Lab::new(1);
    let client = &lab.pods[0];
    assert!(!tcp(&client.namespace, "10.98.0.7".parse().expect("an address"), 80));
    assert!(lab.dropped(1, "egress", "no destination") > 0);
}

#[test]
fn fragments_are_dropped() {
    let mut lab = Lab::new(2);
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    let to = server.v4;
    client.namespace.enter(|| {
        let socket = UdpSocket::bind("0.0.0.0:0").expect("a socket");
        socket.send_to(&[0; 4000], (to, 9)).expect("sent");
    });
    assert_eq!(lab.dropped(1, "egress", "fragment"), 3);
}

#[test]
fn the_world_takes_any_source_address_but_a_pods() {
    let mut lab = Lab::new(2);
    let device = lab.pods[1].device.clone();
    lab.loader.ask(json!({ "op": "endpoint.remove", "endpoint": 2 }));
    lab.loader.ask(json!({
        "op": "endpoint.add", "device": device, "endpoint": 2, "identity": 2, "world": true,
        "addresses": ["0.0.0.0/0", "::/0"],
    }));
    let [pod, world] = &lab.pods[..] else { panic!("two pods") };
    let (inside, outside) = (pod.v4, "203.0.113.2".parse().expect("an address"));
    world.namespace.batch("addr add 203.0.113.2/32 dev eth0\naddr add 10.245.0.1/32 dev eth0\n");
    echo_tcp(&pod.namespace, inside, 80);
    echo_tcp(&world.namespace, outside, 80);
    assert!(tcp(&pod.namespace, outside, 80));
    assert!(tcp(&world.namespace, inside, 80));
    world.namespace.enter(|| {
        let socket = UdpSocket::bind("10.245.0.1:0").expect("the node's address");
        socket.send_to(b"x", (inside, 9)).expect("sent");
    });
    assert_eq!(lab.dropped(2, "egress", "spoofed source"), 1);
}
