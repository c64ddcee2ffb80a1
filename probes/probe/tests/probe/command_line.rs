//! The program as people run it: bad input, its end before the time, two at once, and killed.

use std::{
    collections::BTreeSet,
    fs,
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    probe::{PROGRAM, Probe, of},
    traffic::{Server, drive},
    world::{World, run},
};

fn probe(arguments: &[&str]) -> Output {
    Command::new(PROGRAM).args(arguments).output().expect("it runs")
}

fn refused(arguments: &[&str]) -> String {
    let begun = Instant::now();
    let output = probe(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    assert!(begun.elapsed() < Duration::from_secs(5), "refused before anything is watched");
    String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("").to_owned()
}

#[test]
fn bad_input_is_refused() {
    let time = "wants a time from 1ms to 12h (60, 60s, 500ms, 2m, 1h), not";
    assert_eq!(refused(&["drops", "--duration", "0"]), format!("meshmark-probe: --duration {time} \"0\""));
    assert_eq!(refused(&["drops", "--duration", "-1"]), format!("meshmark-probe: --duration {time} \"-1\""));
    assert_eq!(
        refused(&["drops", "--duration", "24h"]),
        format!("meshmark-probe: --duration {time} \"24h\"")
    );
    assert_eq!(refused(&[]), "meshmark-probe: which probe? latency, drops or connections");
    assert_eq!(refused(&["drips"]), "meshmark-probe: there is no drips");
    assert_eq!(
        refused(&["drops", "--format", "xml"]),
        "meshmark-probe: --format is json or table, not \"xml\""
    );
    assert_eq!(
        refused(&["drops", "--target", "netns:mmpr-none"]),
        "meshmark-probe: opening the network namespace /run/netns/mmpr-none: No such file or directory (os error 2)"
    );
    assert_eq!(
        refused(&["drops", "--target", "cgroup:/tmp"]),
        "meshmark-probe: /tmp is no directory of a cgroup2 file system"
    );
    assert_eq!(
        refused(&["drops", "--output", "/proc/none/x.json"]),
        "meshmark-probe: the output /proc/none/x.json can't be written: No such file or directory (os error 2)"
    );
    assert!(
        refused(&["drops", "--duration", "1", "--without", "drop_btf", "--without", "drop_raw"])
            .ends_with("does not let the probes in:")
    );
}

#[test]
fn ended_before_its_time_it_writes_what_it_saw() {
    let world = World::new();
    let file = std::env::temp_dir().join(format!("mmpr-{}.json", std::process::id()));
    let mut child = Command::new(PROGRAM)
        .args(["latency", "--duration", "60", "--interval", "200ms", "--format", "json", "--output"])
        .arg(&file)
        .args(["--target", &world.targets()[0]])
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    sleep(Duration::from_secs(3));
    assert!(!file.exists(), "the file is there only when it is whole");
    let server = Server::start(&world.far, world.far_address(4), 1, Duration::ZERO);
    drive(&world.near, world.far_address(4), 1, 50);
    server.end();
    // SAFETY: our own child.
    unsafe { libc::kill(child.id().cast_signed(), libc::SIGINT) };
    assert!(child.wait().expect("it ends").success());
    let report: Value =
        serde_json::from_slice(&fs::read(&file).expect("the file is there")).expect("it is JSON");
    fs::remove_file(&file).expect("it is ours");
    assert_eq!(report["schema"], "meshmark/probe/1");
    assert_eq!(report["partial"], true);
    assert_eq!(of(&report, "near")["latency"]["client"]["turn"]["count"], 50);
    assert_eq!(report["cost"]["counted"], true);
    assert!(report["cost"]["nsPerRequest"].as_f64().expect("it was counted") > 0.0);
    let mut shown = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().expect("piped"), &mut shown).expect("it is text");
    assert!(shown.lines().count() > 3, "every 200 ms a line");
}

#[test]
fn verify_finds_a_way_to_everything() {
    let output = probe(&["verify", "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(found["schema"], "meshmark/probe-verify/1");
}

#[test]
fn two_at_once_see_the_same() {
    let world = World::new();
    let first = Probe::attach(&["latency", "drops"], &world.targets());
    let second = Probe::attach(&["latency", "connections"], &world.targets());
    let server = Server::start(&world.far, world.far_address(4), 2, Duration::ZERO);
    drive(&world.near, world.far_address(4), 2, 100);
    server.end();
    for report in [first.stop(), second.stop()] {
        assert_eq!(of(&report, "near")["latency"]["client"]["turn"]["count"], 200);
        assert_eq!(of(&report, "far")["latency"]["server"]["turn"]["count"], 200);
    }
}

#[test]
fn a_measurement_begins_anew() {
    let world = World::new();
    let mut probe = Probe::attach(&["latency"], &world.targets());
    let server = Server::start(&world.far, world.far_address(4), 2, Duration::ZERO);
    drive(&world.near, world.far_address(4), 1, 100);
    let seen = probe.ask("snapshot");
    assert_eq!(of(&seen, "near")["latency"]["client"]["turn"]["count"], 100);
    probe.ask("reset");
    drive(&world.near, world.far_address(4), 1, 30);
    server.end();
    let report = probe.stop();
    assert_eq!(of(&report, "near")["latency"]["client"]["turn"]["count"], 30);
}

#[test]
fn killed_it_leaves_nothing() {
    let world = World::new();
    let mut probe = Probe::attach(&["latency", "drops", "connections"], &world.targets());
    let held = programs_of(probe.id());
    assert!(held.len() >= 8, "{held:?}");
    probe.kill();
    // The kernel lets go of programs a moment later.
    let end = Instant::now() + Duration::from_secs(10);
    while programs().intersection(&held).next().is_some() {
        assert!(
            Instant::now() < end,
            "still there: {:?}",
            programs().intersection(&held).collect::<Vec<_>>()
        );
        sleep(Duration::from_millis(100));
    }
}

/// Programs that a process holds, by their numbers.
fn programs_of(process: u32) -> BTreeSet<u64> {
    let files = fs::read_dir(format!("/proc/{process}/fdinfo")).expect("it runs");
    files
        .filter_map(|file| fs::read_to_string(file.expect("a file").path()).ok())
        .filter_map(|text| text.lines().find_map(|line| line.strip_prefix("prog_id:")?.trim().parse().ok()))
        .collect()
}

fn programs() -> BTreeSet<u64> {
    let list: Value = serde_json::from_str(&run("bpftool -j prog show")).expect("it is JSON");
    list.as_array().expect("a list").iter().filter_map(|program| program["id"].as_u64()).collect()
}
