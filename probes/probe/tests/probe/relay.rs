//! A proxy in the way: takes each request, works on it for a known time, asks the server, and hands on the answer.

use std::{
    io::{Read, Write},
    net::{IpAddr, SocketAddr, TcpListener, TcpStream},
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    traffic::{PORT, SIZE, Worked, spin},
    world::{Namespace, World, inside, run},
};

/// Where it listens, for the near end.
pub const FRONT: &str = "10.78.0.2";
/// Where the far end is, for the proxy.
pub const BACK: &str = "10.79.0.2";

/// A network namespace of its own, with a cable to each end.
pub struct Proxy {
    pub namespace: Namespace,
}

impl Proxy {
    pub fn between(world: &World) -> Self {
        let namespace = Namespace::new(format!("mmpr-{}-proxy", std::process::id()));
        let name = &namespace.name;
        for (end, device, theirs, ours) in
            [(&world.near, "near", "10.78.0.1", FRONT), (&world.far, "far", BACK, "10.79.0.1")]
        {
            run(&format!("ip link add veth1 netns {end} type veth peer name {device} netns {name}"));
            for (namespace, device, address) in [(end, "veth1", theirs), (name, device, ours)] {
                run(&format!("ip -n {namespace} addr add {address}/24 dev {device}"));
                run(&format!("ip -n {namespace} link set {device} addrgenmode none up"));
            }
        }
        run(&format!("ip netns exec {name} ping -q -c1 -W2 10.78.0.1"));
        run(&format!("ip netns exec {name} ping -q -c1 -W2 {BACK}"));
        Self { namespace }
    }

    /// For one connection. The thread says how long it worked on each request, in nanoseconds.
    pub fn start(&self, work: Duration) -> JoinHandle<Worked> {
        let front: IpAddr = FRONT.parse().expect("an address");
        let listener =
            inside(&self.namespace.name, || TcpListener::bind((front, PORT)).expect("the port is free"));
        let name = self.namespace.name.clone();
        thread::spawn(move || {
            let (client, _) = listener.accept().expect("a client comes");
            let back = SocketAddr::new(BACK.parse().expect("an address"), PORT);
            let server = inside(&name, || TcpStream::connect(back).expect("the server listens"));
            relay(client, server, work)
        })
    }
}

fn relay(mut client: TcpStream, mut server: TcpStream, work: Duration) -> Worked {
    client.set_nodelay(true).expect("it is TCP");
    server.set_nodelay(true).expect("it is TCP");
    let mut message = [0; SIZE];
    let mut worked = Vec::new();
    while client.read_exact(&mut message).is_ok() {
        worked.push(spin(work));
        server.write_all(&message).expect("the server listens");
        server.read_exact(&mut message).expect("the server answers");
        client.write_all(&message).expect("the client listens");
    }
    worked
}
