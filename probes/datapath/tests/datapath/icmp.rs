//! ICMP errors, which pass with the flow of the packet that they quote.

use std::{
    io::ErrorKind,
    net::{IpAddr, UdpSocket},
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{lab::Lab, socket::raw};

const CLIENT: u16 = 7000;
const SERVER: u16 = 9000;

fn datagrams_from(identity: u32) -> Value {
    let open = json!({
        "direction": "ingress", "identity": identity, "protocol": 17, "port": SERVER, "portBits": 16, "verdict": "allow",
        "rule": 1,
    });
    json!([{ "name": "in", "entries": [open] }])
}

fn on_server() -> Value {
    json!([{ "endpoint": 2, "ingress": "in", "egress": null }])
}

/// The server says that nobody listens at its port, about a datagram of the client's.
fn unreachable(lab: &Lab, version: usize) {
    let [client, server] = &lab.pods[..] else { panic!("two pods") };
    let addresses = [client, server].map(|pod| pod.both()[version]);
    let udp = [CLIENT.to_be_bytes(), SERVER.to_be_bytes(), 9_u16.to_be_bytes(), [0; 2]].concat();
    let (protocol, mut message) = match addresses {
        [IpAddr::V4(from), IpAddr::V4(to)] => {
            let ip = [&[0x45, 0, 0, 29, 0, 0, 0, 0, 64, 17, 0, 0], &from.octets()[..], &to.octets()].concat();
            (libc::IPPROTO_ICMP, [&[3, 3, 0, 0, 0, 0, 0, 0], &ip[..], &udp].concat())
        }
        [IpAddr::V6(from), IpAddr::V6(to)] => {
            let ip = [&[0x60, 0, 0, 0, 0, 9, 17, 64], &from.octets()[..], &to.octets()].concat();
            (libc::IPPROTO_ICMPV6, [&[1, 4, 0, 0, 0, 0, 0, 0], &ip[..], &udp].concat())
        }
        _ => panic!("addresses of one IP version"),
    };
    // The kernel does it for ICMPv6.
    if version == 0 {
        let sum =
            message.chunks(2).fold(0, |sum, pair| sum + u32::from(u16::from_be_bytes([pair[0], pair[1]])));
        let checksum = !(((sum >> 16) + (sum & 0xffff)) as u16);
        message[2..4].copy_from_slice(&checksum.to_be_bytes());
    }
    raw(&server.namespace, protocol, addresses[0], &message);
}

fn was_told(socket: &UdpSocket) -> bool {
    sleep(Duration::from_millis(50));
    let error = socket.take_error().expect("the socket's error");
    error.is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn an_error_passes_only_with_a_flow_that_is_allowed_now() {
    let mut lab = Lab::with(2, &["--other-seconds", "1"]);
    for version in 0..2 {
        let before = lab.dropped(2, "egress", "unsolicited icmp");
        let [from, to] = [0, 1].map(|pod: usize| lab.pods[pod].both()[version]);
        // It listens: no error comes by itself.
        let _listener = lab.pods[1].namespace.enter(|| UdpSocket::bind((to, SERVER)).expect("a free port"));
        let client = lab.pods[0].namespace.enter(|| UdpSocket::bind((from, CLIENT)).expect("a free port"));
        client.connect((to, SERVER)).expect("an address");
        lab.apply(datagrams_from(256), on_server());
        client.send(b"x").expect("sent");
        unreachable(&lab, version);
        assert!(was_told(&client), "{to}: of an open flow");

        lab.apply(datagrams_from(999), on_server());
        unreachable(&lab, version);
        assert!(!was_told(&client), "{to}: of a flow that was revoked");
        assert_eq!(lab.dropped(2, "egress", "unsolicited icmp"), before + 1);

        // What an error is about was sent, and judged, just before it.
        lab.apply(datagrams_from(256), on_server());
        client.send(b"x").expect("sent");
        unreachable(&lab, version);
        assert!(was_told(&client), "{to}: of a flow that is allowed again");

        sleep(Duration::from_millis(1_500));
        unreachable(&lab, version);
        assert!(!was_told(&client), "{to}: of a flow that has expired");
        assert_eq!(lab.dropped(2, "egress", "unsolicited icmp"), before + 2);
    }
}
