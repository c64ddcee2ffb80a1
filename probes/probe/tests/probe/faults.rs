//! What can go wrong around the program: each is said in a sentence, and what was seen until then is kept.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use crate::probe::PROGRAM;

/// What it says, when it ends at once and without success.
fn sentence(command: &mut Command) -> String {
    let begun = Instant::now();
    let output = command.output().expect("it runs");
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(begun.elapsed() < Duration::from_secs(5), "refused before anything is watched");
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}

/// The program where every user may run it.
struct Copy(PathBuf);

impl Copy {
    fn new() -> Self {
        let path = std::env::temp_dir().join(format!("mmpr-{}-program", std::process::id()));
        fs::copy(PROGRAM, &path).expect("there is room");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
        Self(path)
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn without_root() {
    let program = Copy::new();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program.0).arg("latency");
    assert_eq!(
        sentence(&mut command),
        "meshmark-probe: the probes need root (or CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN and CAP_SYS_ADMIN as root has them)"
    );
}

/// Root in name only, as in a container that is not privileged.
#[test]
fn where_the_kernel_refuses_the_programs() {
    let mut command = Command::new("setpriv");
    command.args(["--bounding-set=-sys_admin,-bpf,-net_admin,-perfmon", "--", PROGRAM, "latency"]);
    let said = sentence(&mut command);
    assert!(said.starts_with("meshmark-probe: creating the probes' maps"), "{said}");
    assert!(said.contains("Operation not permitted"), "{said}");
}

#[test]
fn without_the_kernels_types() {
    let hide = format!("mount -t tmpfs none /sys/kernel/btf && exec {PROGRAM} latency");
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &hide]);
    assert_eq!(
        sentence(&mut command),
        "meshmark-probe: the kernel does not describe its types (/sys/kernel/btf/vmlinux: No such file or directory (os error 2)): \
         the probes need a kernel built with CONFIG_DEBUG_INFO_BTF"
    );
}

#[test]
fn where_the_output_is_a_directory() {
    let said = sentence(Command::new(PROGRAM).args(["drops", "--output", "/tmp"]));
    assert_eq!(said, "meshmark-probe: the output /tmp can't be written: Is a directory (os error 21)");
}

#[test]
fn where_there_is_no_room_for_the_output() {
    let said =
        sentence(Command::new(PROGRAM).args(["drops", "--duration", "100ms", "--output", "/dev/full"]));
    assert_eq!(said, "meshmark-probe: writing the result: No space left on device (os error 28)");
}
