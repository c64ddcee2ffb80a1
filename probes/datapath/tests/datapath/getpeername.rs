use serde_json::json;

use crate::{
    connect::service,
    lab::Lab,
    traffic::{alive, connect, echo_tcp},
};

#[test]
fn a_socket_is_told_the_services_address() {
    let mut lab = Lab::new(2);
    let backend = lab.pods[1].v4;
    echo_tcp(&lab.pods[1].namespace, backend, 8080);
    lab.loader.ask(service("10.98.0.10", 80, 6, &json!([{ "address": backend, "port": 8080, "weight": 1 }])));
    let address = "10.98.0.10".parse().expect("an address");
    let mut stream = connect(&lab.pods[0].namespace, address, 80).expect("connected");
    assert!(alive(&mut stream));
    assert_eq!(stream.peer_addr().expect("a peer"), (address, 80).into());
}
