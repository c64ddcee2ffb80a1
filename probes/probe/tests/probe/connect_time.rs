//! How long connects take, beside a packet capture of their handshakes.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::{
    capture::{Capture, Segment},
    probe::{Probe, of},
    slow_cable::SlowCable,
    traffic::{PORT, Server},
    world::{VERSIONS, World, inside},
};

/// What a packet capture says on the client's device (`SO_TIMESTAMPNS` of an `AF_PACKET` socket: from the moment at which the SYN is
/// given to the device to that at which the SYN-ACK has come from it), beside the probe's client `connect` (from the socket in `SYN_SENT`
/// to the socket established). The probe begins before the capture and ends after it: what it has more is the way of the SYN through
/// the client's own kernel, and that of the SYN-ACK. In the mean that is less than 20 µs; whatever else the machine does makes it
/// longer, so that the quietest round counts.
#[test]
fn as_in_a_packet_capture() {
    let world = World::new();
    for version in VERSIONS {
        let rounds = rounds(&world, version);
        for round in &rounds {
            assert!(round.longer() > 0.0, "the probe's time contains the capture's: {round:?}");
            assert!(round.median >= round.captured_median, "{round:?}");
        }
        let quietest = quietest(&rounds);
        println!("IPv{version}, the quietest of {}, in ns: {quietest:.0?}", rounds.len());
        assert!(quietest.longer() < 20_000.0, "{rounds:.0?}");
    }
}

/// The same over a cable that takes a millisecond each way, where the way between is all but the whole: means and medians differ by
/// no more than a bucket's width (1/16).
#[test]
fn over_a_slow_cable() {
    let world = World::new();
    let _cable = SlowCable::between(&world, Duration::from_millis(1));
    for version in VERSIONS {
        let rounds = rounds(&world, version);
        let quietest = quietest(&rounds);
        println!("IPv{version}, slow, the quietest of {}, in ns: {quietest:.0?}", rounds.len());
        assert!(quietest.captured_median > 2e6, "the cable takes its time: {quietest:?}");
        assert!(quietest.longer().abs() < quietest.captured / 16.0, "{rounds:.0?}");
        assert!(
            (quietest.median - quietest.captured_median).abs() < quietest.captured_median / 16.0,
            "{rounds:.0?}"
        );
    }
}

/// Means and medians of a round's connects, in nanoseconds.
#[derive(Debug)]
struct Round {
    captured: f64,
    mean: f64,
    captured_median: f64,
    median: f64,
}

impl Round {
    fn longer(&self) -> f64 {
        self.mean - self.captured
    }
}

fn quietest(rounds: &[Round]) -> &Round {
    rounds.iter().min_by(|left, right| left.longer().total_cmp(&right.longer())).expect("rounds")
}

fn rounds(world: &World, version: u8) -> Vec<Round> {
    const ROUNDS: usize = 9;
    const CONNECTIONS: usize = 40;
    let address = world.far_address(version);
    let server = Server::start(&world.far, address, ROUNDS * CONNECTIONS, Duration::ZERO);
    let mut probe = Probe::attach(&["connections"], &world.targets());
    let rounds = (0..ROUNDS)
        .map(|_| {
            let capture = Capture::start(&world.near, "veth0");
            probe.ask("reset");
            inside(&world.near, || {
                for _ in 0..CONNECTIONS {
                    TcpStream::connect(SocketAddr::new(address, PORT)).expect("the server listens");
                }
            });
            let report = probe.ask("snapshot");
            let connect = &of(&report, "near")["connections"]["client"]["connect"];
            let handshakes = handshakes(&capture.end());
            assert_eq!(
                (connect["count"].as_u64(), handshakes.len()),
                (Some(CONNECTIONS as u64), CONNECTIONS)
            );
            Round {
                captured: handshakes.iter().sum::<u64>() as f64 / CONNECTIONS as f64,
                mean: connect["mean"].as_f64().expect("a mean"),
                captured_median: handshakes[CONNECTIONS / 2] as f64,
                median: connect["p50"].as_f64().expect("a median"),
            }
        })
        .collect();
    server.end();
    probe.stop();
    rounds
}

/// From each client's SYN to the answer to it, in nanoseconds, the shortest first.
fn handshakes(segments: &[Segment]) -> Vec<u64> {
    let to = |port: u16| segments.iter().find(move |each| each.to_port == port && each.syn && each.ack);
    let begun = segments.iter().filter(|each| each.to_port == PORT && each.syn && !each.ack);
    let mut times: Vec<u64> =
        begun.map(|syn| to(syn.from_port).expect("it was answered").at - syn.at).collect();
    times.sort_unstable();
    times
}
