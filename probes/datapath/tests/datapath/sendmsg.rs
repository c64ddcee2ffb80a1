use serde_json::json;

use crate::{
    connect::service,
    lab::Lab,
    traffic::{echo_udp, udp},
};

/// `sendmsg()` and `recvmsg()`: a client that checks who answers, as resolvers do, sees the service.
#[test]
fn datagrams_go_to_a_backend_and_come_from_the_service() {
    let mut lab = Lab::new(2);
    let [v4, v6] = lab.pods[1].both();
    for (address, text) in [(v4, "10.98.0.10"), (v6, "fd00:10:98::10")] {
        echo_udp(&lab.pods[1].namespace, address, 5353);
        lab.loader.ask(service(text, 53, 17, &json!([{ "address": address, "port": 5353, "weight": 1 }])));
        let service = text.parse().expect("an address");
        assert_eq!(udp(&lab.pods[0].namespace, service, 53), Some((service, 53).into()));
    }
}
