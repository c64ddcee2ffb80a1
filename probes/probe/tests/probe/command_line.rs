//! The program as people run it: bad input, its end before the time, two at once, and killed.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::process::CommandExt,
    process::{Command, Output, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::{
    ladder::RUNGS,
    probe::{PROGRAM, Probe, of},
    traffic::{Server, drive},
    world::World,
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
    assert_eq!(refused(&["drops", "--follow"]), "meshmark-probe: --follow is of the latency probe");
    assert_eq!(
        refused(&["drops", "--format", "xml"]),
        "meshmark-probe: --format is json or table, not \"xml\""
    );
    assert_eq!(
        refused(&["drops", "--target", "netns:mmpr-none"]),
        "meshmark-probe: opening the network namespace /run/netns/mmpr-none: No such file or directory (os error 2)"
    );
    assert_eq!(
        refused(&["drops", "--target", "cgroup:/nowhere"]),
        "meshmark-probe: opening the cgroup /nowhere: No such file or directory (os error 2)"
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

/// What a program says that is changed before it starts by something that only it sees.
fn refused_after(change: fn() -> io::Result<()>) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(["latency", "--duration", "1"]);
    // SAFETY: the change consists of system calls alone.
    unsafe { command.pre_exec(change) };
    let output = command.output().expect("it runs");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).trim_end().to_owned()
}

fn done(result: i32) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// In a mount namespace of its own, in which the kernel's folder of types is empty.
#[test]
fn a_kernel_without_its_types_is_refused() {
    let sentence = refused_after(|| {
        // SAFETY: paths that end with 0.
        unsafe {
            done(libc::unshare(libc::CLONE_NEWNS))?;
            let none = std::ptr::null();
            done(libc::mount(none, c"/".as_ptr(), none, libc::MS_REC | libc::MS_PRIVATE, none.cast()))?;
            done(libc::mount(
                c"none".as_ptr(),
                c"/sys/kernel/btf".as_ptr(),
                c"tmpfs".as_ptr(),
                0,
                none.cast(),
            ))
        }
    });
    assert_eq!(
        sentence,
        "meshmark-probe: the kernel does not describe its types (/sys/kernel/btf/vmlinux: No such file or directory (os error \
         2)): the probes need a kernel built with CONFIG_DEBUG_INFO_BTF"
    );
}

/// The kernel gives itself a number of before 3.0 to a process that asks for it (`UNAME26`). Debian's kernels say theirs in
/// another place, too, which counts.
#[test]
fn a_kernel_before_5_10_is_refused() {
    // SAFETY: takes a number.
    let sentence = refused_after(|| unsafe { done(libc::personality(libc::UNAME26 as libc::c_ulong)) });
    assert!(sentence.starts_with("meshmark-probe: kernel "), "{sentence}");
    assert!(sentence.ends_with(" is too old: the probes need 5.10 or later"), "{sentence}");
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
    io::Read::read_to_string(&mut child.stdout.take().expect("piped"), &mut shown).expect("it is text");
    assert!(shown.lines().count() > 3, "every 200 ms a line");
}

#[test]
fn verify_finds_a_way_to_everything() {
    let output = probe(&["verify", "--format", "json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    assert_eq!(found["schema"], "meshmark/probe-verify/1");
    let rungs = found["rungs"].as_array().expect("rungs").iter();
    let programs: BTreeSet<&str> = rungs.map(|rung| rung["program"].as_str().expect("a name")).collect();
    let tested = RUNGS.iter().flat_map(|(_, programs)| programs.iter().copied()).collect();
    assert_eq!(programs, tested, "each is tested in ladder.rs");
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

/// All that the kernel has; one may go while they are listed.
fn programs() -> BTreeSet<u64> {
    aya::programs::loaded_programs().flatten().map(|program| program.id().into()).collect()
}
