//! Program `tls`: as many handshakes as were made, with TLS 1.2 and 1.3, whole and resumed.

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use crate::{
    capture::{Capture, Segment},
    probe::{Probe, of},
    world::{World, run},
};

struct Server(Child);

impl Server {
    fn start(world: &World) -> Self {
        let folder = std::env::temp_dir().join(format!("mmpr-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
        run(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=far -days 1 -keyout {} -out {}",
            key.display(),
            certificate.display()
        ));
        let child = Command::new("ip")
            .args(["netns", "exec", &world.far, "openssl", "s_server", "-quiet", "-accept", "7443", "-key"])
            .arg(&key)
            .arg("-cert")
            .arg(&certificate)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl starts");
        while !world.in_far("ss -tlnH sport = :7443").contains("7443") {
            sleep(Duration::from_millis(20));
        }
        Self(child)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = fs::remove_dir_all(std::env::temp_dir().join(format!("mmpr-{}", std::process::id())));
    }
}

#[test]
fn as_many_handshakes_as_were_made() {
    let world = World::new();
    let _server = Server::start(&world);
    let session = std::env::temp_dir().join(format!("mmpr-{}/session.pem", std::process::id()));
    for (version, host) in [("-tls1_2", "10.77.0.2"), ("-tls1_3", "10.77.0.2"), ("-tls1_3", "[fd77::2]")] {
        let _ = fs::remove_file(&session);
        let probe = Probe::attach(&["connections"], &world.targets());
        for handshake in 0..6 {
            // With TLS 1.3 the client may have ended before the ticket came: then there is nothing to resume yet.
            let resume = if handshake >= 3 && session.exists() { "-sess_in" } else { "-sess_out" };
            let done = Command::new("ip")
                .args(["netns", "exec", &world.near, "openssl", "s_client", version, "-connect"])
                .arg(format!("{host}:7443"))
                .arg(resume)
                .arg(&session)
                .stdin(Stdio::null())
                .output()
                .expect("openssl runs");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        // The server's ends close a little later.
        sleep(Duration::from_millis(200));
        let report = probe.stop();
        for (target, role) in [("near", "client"), ("far", "server")] {
            let side = &of(&report, target)["connections"][role];
            assert_eq!(side["tls"]["count"], 6, "{version} {host} {target}: {side}");
            assert_eq!(side["tlsUnfinished"], 0);
            let (lowest, mean) = (
                side["tls"]["lowest"].as_f64().expect("a time"),
                side["tls"]["mean"].as_f64().expect("a mean"),
            );
            println!("{version} {host} {role}: {:.0} µs, lowest {:.0} µs", mean / 1e3, lowest / 1e3);
            assert!(lowest > 50_000.0 && mean < 200e6, "{lowest} ns, {mean} ns");
        }
    }
}

/// Records of TLS by their first byte (RFC 8446, 5.1).
const CHANGE_CIPHER: u8 = 20;
const HANDSHAKE: u8 = 22;
const ENCRYPTED: u8 = 23;

/// TLS 1.3 on the client's device, from the segment with the `ClientHello` to the one with the client's first encrypted record, beside
/// the probe's client `tls`: the same two packets, looked at a little before they are given to the device.
#[test]
fn as_long_as_in_a_packet_capture() {
    const HANDSHAKES: usize = 20;
    let world = World::new();
    let _server = Server::start(&world);
    for host in ["10.77.0.2", "[fd77::2]"] {
        let probe = Probe::attach(&["connections"], &world.targets());
        let capture = Capture::start(&world.near, "veth0");
        for _ in 0..HANDSHAKES {
            let done = Command::new("ip")
                .args([
                    "netns",
                    "exec",
                    &world.near,
                    "openssl",
                    "s_client",
                    "-tls1_3",
                    "-connect",
                    &format!("{host}:7443"),
                ])
                .stdin(Stdio::null())
                .output()
                .expect("openssl runs");
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        }
        let times = handshakes(&capture.end());
        let report = probe.stop();
        let tls = &of(&report, "near")["connections"]["client"]["tls"];
        assert_eq!((tls["count"].as_u64(), times.len()), (Some(HANDSHAKES as u64), HANDSHAKES));
        let captured = times.iter().sum::<u64>() as f64 / HANDSHAKES as f64;
        let mean = tls["mean"].as_f64().expect("a mean");
        println!(
            "{host}, ClientHello to Finished: mean {captured:.0} ns on the device, {mean:.0} ns by the probe"
        );
        assert!((mean - captured).abs() < 20_000.0, "{mean}, {captured}");
    }
}

/// In nanoseconds.
fn handshakes(segments: &[Segment]) -> Vec<u64> {
    let sent = || segments.iter().filter(|each| each.to_port == 7_443);
    sent()
        .filter(|each| each.first == Some(HANDSHAKE))
        .map(|hello| {
            let ends = |each: &&Segment| {
                matches!(each.first, Some(CHANGE_CIPHER | ENCRYPTED)) && each.from_port == hello.from_port
            };
            sent().find(ends).expect("it ended").at - hello.at
        })
        .collect()
}

#[test]
fn what_is_not_tls_is_none() {
    let world = World::new();
    let probe = Probe::attach(&["connections"], &world.targets());
    let server = crate::traffic::Server::start(&world.far, world.far_address(4), 5, Duration::ZERO);
    crate::traffic::drive(&world.near, world.far_address(4), 5, 5);
    server.end();
    let report = probe.stop();
    for (target, role) in [("near", "client"), ("far", "server")] {
        let side = &of(&report, target)["connections"][role];
        assert_eq!((side["tls"]["count"].as_u64(), side["tlsUnfinished"].as_u64()), (Some(0), Some(0)));
    }
}
