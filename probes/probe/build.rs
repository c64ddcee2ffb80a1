//! Puts the eBPF object where the program embeds it: `setup/bootstrap/probes.mjs` builds it first.
use std::{env, fs, path::PathBuf};

fn main() {
    println!("cargo::rerun-if-env-changed=MESHMARK_EBPF_PROBE");
    let object = env::var_os("MESHMARK_EBPF_PROBE").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../ebpf/target/bpfel-unknown-none/release/probe"),
        PathBuf::from,
    );
    println!("cargo::rerun-if-changed={}", object.display());
    let embedded = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("probe.o");
    if let Err(error) = fs::copy(&object, embedded) {
        println!(
            "cargo::error=no eBPF object at {} ({error}): build it first (node setup/bootstrap/probes.mjs)",
            object.display()
        );
    }
}
