//! What can go wrong around the program: each is said in a sentence, and what was seen until then is kept.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use object::{Object, ObjectSection, ObjectSymbol};
use serde_json::Value;

use crate::{
    probe::{PROGRAM, Probe, program},
    world::World,
};

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

/// The program's own eBPF object, but for some programs, whose first instruction reads a register that holds nothing.
struct Spoilt(PathBuf);

impl Spoilt {
    fn new(programs: &[&str]) -> Self {
        /// `r0 = r9`
        const READ_NOTHING: [u8; 8] = [0xbf, 0x90, 0, 0, 0, 0, 0, 0];
        let mut bytes =
            fs::read(concat!(env!("OUT_DIR"), "/probe.o")).expect("the build script put it there");
        let file = object::File::parse(&*bytes).expect("an object");
        let place = |name: &&str| {
            let symbol =
                file.symbols().find(|symbol| symbol.name() == Ok(*name)).expect("it has the program");
            let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
            let (begin, _) = section.and_then(|section| section.file_range()).expect("it has bytes");
            usize::try_from(begin + symbol.address()).expect("within the file")
        };
        let places: Vec<usize> = programs.iter().map(place).collect();
        for place in places {
            bytes[place..place + READ_NOTHING.len()].copy_from_slice(&READ_NOTHING);
        }
        let name = format!("mmpr-{}-{}.o", std::process::id(), programs.concat());
        let path = std::env::temp_dir().join(name);
        fs::write(&path, bytes).expect("there is room");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("plain")
    }
}

impl Drop for Spoilt {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn where_the_verifier_refuses_a_program_the_next_is_taken() {
    let spoilt = Spoilt::new(&["drop_btf"]);
    let world = World::new();
    let probe = Probe::attach(&["drops", "--state", "hash", "--object", spoilt.path()], &world.targets());
    assert_eq!(program(&probe.ready, "drop"), "drop_raw");
    let hooks = probe.ready["hooks"].as_array().expect("hooks");
    let refused = &hooks.iter().find(|hook| hook["hook"] == "drop").expect("a hook")["refused"][0];
    assert_eq!(refused["program"], "drop_btf");
    let reason = refused["reason"].as_str().expect("a reason");
    assert!(reason.starts_with("load: ") && reason.ends_with("R9 !read_ok"), "{reason}");
}

#[test]
fn where_it_refuses_all_of_them_its_words_and_the_kernel_are_said() {
    let spoilt = Spoilt::new(&["drop_btf", "drop_raw"]);
    let mut command = Command::new(PROGRAM);
    let said = sentence(command.args(["drops", "--object", spoilt.path()]));
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").expect("/proc is mounted");
    let begins = format!("meshmark-probe: kernel {} does not let the probes in:\n", release.trim());
    assert!(said.starts_with(&begins), "{said}");
    for way in ["BTF tracepoint", "raw tracepoint"] {
        let line = said.lines().find(|line| line.contains(way)).unwrap_or_else(|| panic!("{said}"));
        assert!(line.starts_with(&format!("  drop by {way} kfree_skb: load: ")), "{line}");
        assert!(line.ends_with("R9 !read_ok"), "{line}");
    }
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

/// Only what needs it is missing: the state of connections lies where it does otherwise.
#[test]
fn without_a_cgroup2_file_system() {
    let hide = format!(
        "cat /proc/self/mounts | while read -r _ place kind _; do [ $kind != cgroup2 ] || umount -l $place; done
        exec {PROGRAM} connections --duration 100ms --format json"
    );
    let watch = |command: &mut Command| -> Value {
        let output = command.output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("it is JSON")
    };
    let with = watch(Command::new(PROGRAM).args(["connections", "--duration", "100ms", "--format", "json"]));
    let without = watch(Command::new("unshare").args(["--mount", "sh", "-c", &hide]));
    assert_eq!(without["state"], with["state"]);
    for hook in without["hooks"].as_array().expect("hooks") {
        let of_tls = hook["hook"].as_str().expect("a name").starts_with("TLS");
        assert_eq!(hook["rung"].is_null(), of_tls, "{hook}");
    }
    let said = "no TLS handshakes: this kernel has no way to see it";
    assert!(without["warnings"].as_array().expect("warnings").iter().any(|warning| warning == said));
    assert_eq!(without["targets"][0]["connections"]["client"]["tls"], Value::Null);
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
