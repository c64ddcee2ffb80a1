#!/bin/bash
# The data path's tests in Debian kernels, under software emulation: run.sh LOADER TESTS [SERIES…] prints a table. LOADER
# and TESTS are static programs (see README.md). Kernels are downloaded once (fetch.sh). MESHMARK_KERNEL_TESTS names tests, or `all`.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
loader=$1 tests=$2
shift 2
series=("$@")
[ ${#series[@]} -gt 0 ] || series=(5.10 6.1 6.12 7)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# What every kernel boots: busybox, ip with its libraries, the two programs.
base=$work/base
mkdir -p "$base/bin" "$base/usr/bin" "$base/modules"
cp /bin/busybox "$base/bin/busybox"
cp "$(readlink -f "$(command -v ip)")" "$base/usr/bin/ip"
ldd "$base/usr/bin/ip" | grep -o '/[^ ]*' | while read -r library; do install -D "$library" "$base$library"; done
cp "$loader" "$base/bin/meshmark-datapath"
cp "$tests" "$base/bin/datapath-tests"
strip "$base/bin/datapath-tests" "$base/bin/meshmark-datapath" 2> /dev/null || true
# Each test loads the programs anew, which takes the verifier seconds here: by default, one test of each kind.
some='process::it_says process::a_loader from_pod::pods from_pod::a_source policy::once policy::a_deny policy::an_allow
  connect::ipv6 sendmsg:: to_pod::the_node proxy::'
wanted=${MESHMARK_KERNEL_TESTS:-$some}
[ "$wanted" = all ] && wanted=
echo $wanted > "$base/filter"
install -m 755 "$here/init" "$base/init"

boot() {
  local name=$1 kernel root=$work/$1
  kernel=$("$here/fetch.sh" "$name")
  cp -r "$base" "$root"
  cp "$kernel"/modules/*.ko "$root/modules/" 2> /dev/null || true
  (cd "$root" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -1) > "$work/$name.img"
  timeout "${MESHMARK_KERNEL_SECONDS:-300}" qemu-system-x86_64 -accel tcg -cpu max -m 1024 -smp 2 -nographic -no-reboot \
    -kernel "$kernel/vmlinuz" -initrd "$work/$name.img" -append 'console=ttyS0 quiet panic=1 mitigations=off' \
    < /dev/null > "$work/$name.log" 2>&1 || true
}

status=0
printf '%-28s %-8s %7s %7s  %s\n' kernel attach passed failed 'failed tests'
for name in "${series[@]}"; do
  begun=$SECONDS
  boot "$name"
  log=$work/$name.log
  [ -n "${MESHMARK_KERNEL_LOGS:-}" ] && cp "$log" "$MESHMARK_KERNEL_LOGS/$name.log"
  release=$(grep -ao 'kernel [0-9][0-9a-z.+~-]*' "$log" | head -n 1 | cut -d ' ' -f 2)
  attach=$(sed -n 's/.*attach kind: "\([a-z]*\)".*/\1/p' "$log" | head -n 1)
  result=$(grep -ao '[0-9]* passed; [0-9]* failed' "$log" || echo '0 passed; 0 failed')
  passed=${result%% *} failed=$(cut -d ' ' -f 3 <<< "$result")
  # Below the second heading "failures:" are their names.
  names=$(tr -d '\r' < "$log" | sed -n '/^failures:$/,$p' | grep -a '^    [a-z]*::' | sort -u | tr -d '\n' || true)
  printf '%-28s %-8s %7s %7s  %s(%s s)\n' "${release:-$name did not boot}" "${attach:-?}" "$passed" "$failed" "$names" $((SECONDS - begun))
  if [ "$passed" = 0 ] || [ "$failed" != 0 ]; then status=1; fi
done
exit "$status"
