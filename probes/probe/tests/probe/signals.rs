//! What ends the program before its time, and what does not.

use std::{
    io,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::Duration,
};

use crate::{folder::Folder, probe::PROGRAM};

fn kill(process: &Child, signal: i32) {
    // SAFETY: numbers; it is our own child.
    assert_eq!(unsafe { libc::kill(process.id().cast_signed(), signal) }, 0);
}

/// Watches, with this done of SIGHUP when it starts: a test may run under nohup itself.
fn watch(folder: &Folder, duration: &str, of_hangup: usize) -> Child {
    let mut command = Command::new(PROGRAM);
    command.args(["drops", "--duration", duration, "--output", &folder.file("seen.json")]);
    // SAFETY: a system call alone.
    unsafe {
        command.pre_exec(move || {
            if libc::signal(libc::SIGHUP, of_hangup) == libc::SIG_ERR {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
    }
    let child = command.stdout(Stdio::piped()).spawn().expect("it runs");
    folder.until_begun();
    child
}

#[test]
fn the_end_of_its_terminal_ends_it() {
    let folder = Folder::new("hangup");
    let mut child = watch(&folder, "60", libc::SIG_DFL);
    kill(&child, libc::SIGHUP);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(folder.report("seen.json")["partial"], true);
}

#[test]
fn but_not_where_that_is_to_be_ignored() {
    let folder = Folder::new("nohup");
    let mut child = watch(&folder, "1500ms", libc::SIG_IGN);
    kill(&child, libc::SIGHUP);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(folder.report("seen.json")["partial"], false);
}

/// As the command of the npm package starts it: `kill -9` of that leaves nothing.
#[test]
fn its_parents_end_ends_it() {
    let folder = Folder::new("parent");
    let file = folder.file("seen.json");
    let watch = format!("MESHMARK_PROBE_PARENT=$$ {PROGRAM} drops --duration 60 --output {file} & wait");
    let mut parent = Command::new("sh").args(["-c", &watch]).spawn().expect("a shell");
    folder.until_begun();
    // Not before.
    sleep(Duration::from_millis(1_500));
    assert!(folder.part().is_some(), "it watches");
    parent.kill().expect("it runs");
    parent.wait().expect("it ends");
    assert_eq!(folder.report("seen.json")["partial"], true);
}

/// It may have ended before the program has asked to be told.
#[test]
fn a_parent_that_is_no_more_ends_it_at_once() {
    let folder = Folder::new("orphan");
    let mut command = Command::new(PROGRAM);
    command.args(["drops", "--duration", "60", "--output", &folder.file("seen.json")]);
    // Nobody's parent.
    let mut child = command.env("MESHMARK_PROBE_PARENT", "2147483647").spawn().expect("it runs");
    assert_eq!(folder.report("seen.json")["partial"], true);
    assert!(child.wait().expect("it ends").success());
}

/// Ctrl-Z, and `fg`: it goes on, to its time, and shows nothing that it was not asked for.
#[test]
fn put_aside_it_goes_on() {
    let folder = Folder::new("aside");
    let mut child = watch(&folder, "3s", libc::SIG_DFL);
    // Until it has attached all of it, and waits.
    sleep(Duration::from_millis(1_500));
    kill(&child, libc::SIGSTOP);
    sleep(Duration::from_millis(100));
    kill(&child, libc::SIGCONT);
    assert!(child.wait().expect("it ends").success());
    let mut shown = String::new();
    io::Read::read_to_string(&mut child.stdout.take().expect("piped"), &mut shown).expect("it is text");
    assert_eq!(shown, "");
    let report = folder.report("seen.json");
    assert_eq!(report["partial"], false);
    assert!(report["seconds"].as_f64().expect("a time") >= 3.0);
}
