//! What a packet costs `from_pod` by the kernel's statistics, between two small programs and under a policy.
//! `cargo bench -p meshmark-datapath`, as root, with nothing else running.

#![expect(dead_code, reason = "what the tests have, they use")]

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    lab::{Lab, entry},
    traffic::{connected, run_on},
};

#[path = "../tests/datapath/lab.rs"]
mod lab;
#[path = "../tests/datapath/loader.rs"]
mod loader;
#[path = "../tests/datapath/namespace.rs"]
mod namespace;
#[path = "../tests/datapath/socket.rs"]
mod socket;
#[path = "../tests/datapath/traffic.rs"]
mod traffic;

const WINDOWS: usize = 12;
const WINDOW: Duration = Duration::from_secs(1);

fn main() {
    measure("a request of 100 bytes at a time", 100, |mut server| {
        let mut buffer = [0; 100];
        while server.read_exact(&mut buffer).is_ok() && server.write_all(&buffer).is_ok() {}
    });
    measure("a stream", 65_536, |mut server| {
        let mut buffer = vec![0; 65_536];
        while server.read(&mut buffer).is_ok_and(|length| length > 0) {}
    });
}

/// # Arguments
/// `size`: of what the client writes; up to 100 bytes, it waits for as much
fn measure(load: &str, size: usize, serve: impl FnOnce(TcpStream) + Send + 'static) {
    let mut lab = Lab::new(2);
    lab.loader.ask(json!({ "op": "stats", "on": true }));
    let set = json!([{ "name": "in", "entries": [entry("ingress", 256, 60_001, "allow", 1)] }]);
    lab.apply(set, json!([{ "endpoint": 2, "ingress": "in", "egress": null }]));
    let [mut client, server] = connected(&lab, 0, 60_001);
    for end in [&client, &server] {
        end.set_nodelay(true).expect("an option");
    }
    thread::spawn(move || {
        run_on(1);
        serve(server);
    });
    run_on(0);
    let mut buffer = vec![0; size];
    let mut figures: Vec<f64> = (0..WINDOWS)
        .map(|_| {
            let before = runs(&mut lab);
            let begun = Instant::now();
            while begun.elapsed() < WINDOW {
                client.write_all(&buffer).expect("sent");
                if size <= 100 {
                    client.read_exact(&mut buffer).expect("an answer");
                }
            }
            let after = runs(&mut lab);
            (after[0] - before[0]) as f64 / (after[1] - before[1]) as f64
        })
        .collect();
    figures.sort_by(f64::total_cmp);
    let middle = figures[WINDOWS / 2];
    println!("{load}: {middle:.0} ns a packet ({:.0} to {:.0})", figures[0], figures[WINDOWS - 1]);
}

/// Nanoseconds and runs of `from_pod`.
fn runs(lab: &mut Lab) -> [u64; 2] {
    let programs = lab.loader.ask(json!({ "op": "programs" }))["programs"].clone();
    let row = programs.as_array().expect("programs").iter().find(|row| row["name"] == "from_pod");
    ["run_time_ns", "run_cnt"].map(|field| row.expect("from_pod")[field].as_u64().expect("a number"))
}
