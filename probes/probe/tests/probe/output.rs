//! Where the result goes, and what is shown meanwhile.

use std::{
    fs::{self, File},
    io::Read,
    os::fd::FromRawFd,
    process::{Command, Output},
    ptr, thread,
};

use serde_json::Value;

use crate::{folder::Folder, probe::PROGRAM};

/// In a mount namespace of its own, in which the output is a mount: its name can't be given to another file.
fn mounted(folder: &Folder, script: &str) -> Output {
    for name in ["real", "seen.json"] {
        fs::write(folder.file(name), "before").expect("there is room");
    }
    let [real, seen] = ["real", "seen.json"].map(|name| folder.file(name));
    let script = format!("mount --bind {real} {seen} && {script}");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]).env("PROBE", PROGRAM).env("SEEN", seen);
    command.output().expect("it runs")
}

#[test]
fn a_file_that_is_a_mount_is_written() {
    let folder = Folder::new("mount");
    let output = mounted(&folder, "exec $PROBE drops --duration 100ms --output $SEEN");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(folder.report("real")["schema"], "meshmark/probe/1");
    assert_eq!(folder.names(), ["real", "seen.json"]);
}

/// Only since it was looked at can it not be written any more.
#[test]
fn what_can_not_go_there_is_kept_and_said() {
    let folder = Folder::new("read-only");
    let output = mounted(
        &folder,
        "{ $PROBE drops --duration 2 --output $SEEN & sleep 1; mount -o remount,ro,bind $SEEN; wait $!; }",
    );
    assert!(!output.status.success());
    let part = &folder.part().expect("it is kept");
    assert_eq!(
        String::from_utf8_lossy(&output.stderr).trim_end(),
        format!(
            "meshmark-probe: writing the result to {} (it is in {}): Read-only file system (os error 30)",
            folder.file("seen.json"),
            folder.file(part)
        )
    );
    assert_eq!(folder.report(part)["partial"], false);
}

/// What the program writes to a terminal.
fn on_a_terminal(arguments: &[&str]) -> String {
    let (mut here, mut there) = (0, 0);
    // SAFETY: both descriptors are filled in, nothing else is asked for.
    let opened = unsafe {
        libc::openpty(&raw mut here, &raw mut there, ptr::null_mut(), ptr::null_mut(), ptr::null_mut())
    };
    assert_eq!(opened, 0, "a terminal");
    // SAFETY: just made, and nobody else's.
    let (mut here, there) = unsafe { (File::from_raw_fd(here), File::from_raw_fd(there)) };
    let mut command = Command::new(PROGRAM);
    command.args(arguments).args(["--target", "netns:/proc/self/ns/net"]).stdout(there);
    let mut child = command.spawn().expect("it runs");
    // Else this end would be there for good.
    drop(command);
    let reader = thread::spawn(move || {
        let mut all = Vec::new();
        // It ends with an error, when nobody has the other end any more.
        let _ = here.read_to_end(&mut all);
        String::from_utf8(all).expect("it is text")
    });
    assert!(child.wait().expect("it ends").success());
    reader.join().expect("it reads")
}

#[test]
fn a_terminal_shows_what_was_asked_for() {
    let meanwhile = ["latency", "--duration", "700ms", "--interval", "200ms"];
    let table = on_a_terminal(&meanwhile);
    assert!(table.starts_with("\x1b[H\x1b[2Jlatency · "), "{table}");
    let json = on_a_terminal(&[&meanwhile[..], &["--format", "json"]].concat());
    let reports: Vec<Value> =
        json.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect();
    assert!(reports.len() > 2, "some in between, and the result");
    assert!(reports.iter().all(|report| report["schema"] == "meshmark/probe/1"));
}
