//! Builds the eBPF side (ebpf/) with the same toolchain, and puts it where the program embeds it.
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

const TARGET: &str = "bpfel-unknown-none";
/// Where meshmark's set-up (`npm start`) puts it.
const MESHMARK_LINKER: &str = "/var/cache/meshmark/cargo/bin/bpf-linker";

fn main() {
    println!("cargo::rerun-if-changed=ebpf/src");
    println!("cargo::rerun-if-changed=ebpf/Cargo.toml");
    println!("cargo::rerun-if-env-changed=BPF_LINKER");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR"));
    let rustc = env::var("RUSTC").expect("cargo sets RUSTC");
    let linker = env::var("BPF_LINKER").unwrap_or_else(|_| {
        if Path::new(MESHMARK_LINKER).exists() { MESHMARK_LINKER.into() } else { "bpf-linker".into() }
    });
    let mut build = Command::new(env::var("CARGO").expect("cargo sets CARGO"));
    build.args(["build", "--release", "--manifest-path", "ebpf/Cargo.toml", "--target", TARGET]);
    build.arg("--target-dir").arg(out.join("ebpf"));
    if !has_core(&rustc) {
        build.args(["-Z", "build-std=core"]);
    }
    // aya-ebpf uses a nightly feature; what is set for this side is not for the other.
    build.env("RUSTC_BOOTSTRAP", "1").env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_LINKER", linker);
    build.env("CARGO_TARGET_BPFEL_UNKNOWN_NONE_RUSTFLAGS", "-C link-arg=--btf");
    build.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("CARGO_BUILD_TARGET");
    // Under `cargo clippy`, which lints this side only.
    build.env_remove("RUSTC_WORKSPACE_WRAPPER").env_remove("CLIPPY_ARGS");
    let built = build.status().is_ok_and(|status| status.success());
    let object = out.join("ebpf").join(TARGET).join("release/probe");
    if !built || fs::copy(object, out.join("probe.o")).is_err() {
        println!(
            "cargo::error=the eBPF side was not built. It needs bpf-linker (on PATH, or named by BPF_LINKER) and a toolchain that \
             has core for {TARGET}: Debian's rustc-web with libstd-rust-web-dev-bpf, or rustup's nightly with rust-src (cargo +nightly)"
        );
    }
}

/// Whether the toolchain comes with core for the kernel's target; else it is built from source.
fn has_core(rustc: &str) -> bool {
    let sysroot = Command::new(rustc).args(["--print", "sysroot"]).output();
    let sysroot =
        sysroot.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    Path::new(&sysroot).join("lib/rustlib").join(TARGET).exists()
}
