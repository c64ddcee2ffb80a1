#!/bin/bash
# The programs for arm64 in Debian's cloud kernel of that architecture, under emulation: arm64.sh [FOLDER] (default: what
# `npm run build:probes -- --target arm64` built). The data path must load, and 20 requests must be counted as 20: on 6.1 sends are seen
# by a kprobe only, whose arguments lie in other registers than on x86-64. Needs qemu-system-arm; the kernel is downloaded once.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
programs=${1:-$here/../prebuilt/linux-arm64}
cache=${MESHMARK_KERNELS:-/var/cache/meshmark/kernels}/arm64
if [ ! -e "$cache/complete" ]; then
  rm -rf "$cache"
  mkdir -p "$cache/lists/partial" "$cache/cache/archives/partial"
  own=(-qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o APT::Sandbox::User=root -o Dir::State::status=/dev/null
    -o "Dir::State::lists=$cache/lists" -o "Dir::Cache=$cache/cache")
  apt-get "${own[@]}" update
  image=$(apt-cache "${own[@]}" pkgnames linux-image-6.1. | grep -E 'cloud-arm64$' | sort -V | tail -n 1)
  (cd "$cache" && apt-get "${own[@]}" download "$image" busybox-static)
  for package in "$cache"/*.deb; do dpkg-deb -x "$package" "$cache/root"; done
  cp "$cache"/root/boot/vmlinuz-* "$cache/vmlinuz"
  cp "$cache/root/bin/busybox" "$cache/busybox"
  rm -rf "$cache"/*.deb "$cache/root" "$cache/lists" "$cache/cache"
  touch "$cache/complete"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/root/bin" "$work/root/www"
cp "$cache/busybox" "$programs"/meshmark-* "$work/root/bin/"
echo hello > "$work/root/www/index.html"
cat > "$work/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp /run
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mount -t tmpfs none /run
mkdir -p /tmp/cgroup2 && mount -t cgroup2 none /tmp/cgroup2
mkdir -p /tmp/cgroup2/lab
ip link set lo up
echo "kernel $(uname -rm)"
meshmark-datapath --socket /tmp/socket --cgroup /tmp/cgroup2/lab &
loader=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -e /tmp/socket ] && break; sleep 1; done
kill $loader; wait $loader
echo "data path ended with $?"
meshmark-probe verify
echo "verify ended with $?"
httpd -p 127.0.0.1:8080 -h /www
meshmark-probe connections --duration 15s --target client=address:127.0.0.1:8080 --format table &
probe=$!
sleep 6
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do wget -q -O /dev/null http://127.0.0.1:8080/; done
wait $probe
echo "connections ended with $?"
poweroff -f
INIT
chmod +x "$work/root/init"
(cd "$work/root" && find . | busybox cpio -o -H newc 2> /dev/null | gzip -1) > "$work/initrd"
timeout "${MESHMARK_KERNEL_SECONDS:-300}" qemu-system-aarch64 -machine virt -accel tcg -cpu cortex-a72 -m 1024 -smp 1 -nographic \
  -no-reboot -kernel "$cache/vmlinuz" -initrd "$work/initrd" -append 'console=ttyAMA0 quiet panic=1 oops=panic' \
  < /dev/null | tr -d '\r' | tee "$work/log" || true

status=0
wants() { grep -qE "$1" "$work/log" || { echo "arm64.sh: $2" >&2; status=1; }; }
wants '"ready":true' 'the data path did not load'
wants '^data path ended with 0$' 'the data path did not end well'
wants '^verify ended with 0$' 'verify failed'
# opened, failed, closed, requests
wants '^client  client +20 +0 +20 +20 ' '20 requests were not counted as 20'
exit "$status"
