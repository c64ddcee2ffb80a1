#!/bin/bash
# The probes in Debian kernels, under software emulation: run.sh KERNELS PROGRAM [TESTS] prints, for each kernel, what
# `verify` says and how the tests went. KERNELS has a folder per series with vmlinuz and modules (probes/kernels/fetch.sh
# makes them); PROGRAM and TESTS are static programs. MESHMARK_KERNEL_TESTS names tests.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
kernels=$1 program=$2 tests=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

base=$work/base
mkdir -p "$base/bin" "$base/usr/bin" "$base/modules"
cp /bin/busybox "$base/bin/busybox"
cp "$(readlink -f "$(command -v ip)")" "$base/usr/bin/ip"
ldd "$base/usr/bin/ip" | grep -o '/[^ ]*' | while read -r library; do install -D "$library" "$base$library"; done
cp "$program" "$base/bin/meshmark-probe"
if [ -n "$tests" ]; then
  cp "$tests" "$base/bin/probe-tests"
  strip "$base/bin/probe-tests" 2> /dev/null || true
fi
# The other tests want programs that are not in there (nft, tc, ss, openssl), or a certain kernel.
echo "${MESHMARK_KERNEL_TESTS:-turns::as_many set_state:: seed:: drop::at drop::by_address two_at_once begins_anew}" > "$base/filter"
# Where the tests look for it.
echo "${MESHMARK_PROGRAM_PATH:-$(cd "$here/../.." && pwd)/target/x86_64-unknown-linux-gnu/debug/meshmark-probe}" > "$base/program"
install -m 755 "$here/init" "$base/init"

for kernel in "$kernels"/*/; do
  name=$(basename "$kernel")
  [ -e "$kernel/vmlinuz" ] || continue
  cp -r "$base" "$work/$name"
  cp "$kernel"/modules/*.ko "$work/$name/modules/" 2> /dev/null || true
  (cd "$work/$name" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -1) > "$work/$name.img"
  timeout "${MESHMARK_KERNEL_SECONDS:-200}" qemu-system-x86_64 -accel tcg -cpu max -m 1024 -smp "${MESHMARK_KERNEL_CPUS:-1}" -nographic -no-reboot \
    -kernel "$kernel/vmlinuz" -initrd "$work/$name.img" -append 'console=ttyS0 quiet panic=1 oops=panic' \
    < /dev/null 2>&1 | tr -d '\r' || true
done
