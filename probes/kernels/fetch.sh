#!/bin/bash
# Downloads a Debian kernel, or qemu, once, and prints the folder: fetch.sh 5.10|6.1|6.12|7 (vmlinuz, and modules), fetch.sh
# qemu (usr/). From this machine's own Debian mirror, with package lists of its own; nothing is installed.
set -euo pipefail
wanted=$1
cache=${MESHMARK_KERNELS:-/var/cache/meshmark/kernels}
architecture=$(dpkg --print-architecture)
case $wanted in
  5.10) suite=bullseye ;;
  6.1) suite=bookworm ;;
  6.12) suite=bookworm-backports ;;
  7) suite=trixie-backports ;;
  # Bookworm's own, 7.2, loses the flags register of kernel 6.12.
  qemu) suite=bookworm-backports ;;
  *) echo "fetch.sh: there is no suite for $wanted" >&2; exit 1 ;;
esac
folder=$cache/$wanted
if [ -e "$folder/complete" ]; then echo "$folder"; exit 0; fi

fail() { echo "fetch.sh: $wanted of Debian's $suite can't be had: $1" >&2; exit 1; }
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1 || true)
[ -n "$mirror" ] || fail "apt knows no Debian mirror (apt-get update?)"
work=$cache/$wanted.work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$work/sources.list"
options=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null -o "Dir::State::lists=$work/lists"
  -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=3)
apt-get -qq -o APT::Update::Error-Mode=any "${options[@]}" update || fail "its package list can't be downloaded"

if [ "$wanted" = qemu ]; then
  packages=(qemu-system-x86 qemu-system-data seabios)
else
  # The newest of the series: image, and where it is a package of its own, the modules.
  names=$(apt-cache "${options[@]}" pkgnames linux- |
    grep -E "^linux-(image|binary|modules)-${wanted//./\\.}[.0-9a-z+~-]*-cloud-$architecture(-unsigned)?$" | grep -v -- -dbg || true)
  image=$(grep -E '^linux-(image|binary)-' <<< "$names" | grep -v unsigned | sort -V | tail -n 1)
  [ -n "$image" ] || fail "there is no cloud kernel of that number"
  if grep -q '^linux-binary-' <<< "$names"; then image=$(grep '^linux-binary-' <<< "$names" | sort -V | tail -n 1); fi
  release=${image#linux-image-}; release=${release#linux-binary-}
  packages=("$image")
  if grep -qx "linux-modules-$release" <<< "$names"; then packages+=("linux-modules-$release"); fi
fi
(cd "$work" && apt-get -qq "${options[@]}" download "${packages[@]}") || fail "${packages[*]} can't be downloaded"
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done

rm -rf "$folder"
if [ "$wanted" = qemu ]; then
  mkdir -p "$folder"
  cp -a "$work/root/usr" "$folder/usr"
else
  mkdir -p "$folder/modules"
  cp "$(find "$work/root" -name 'vmlinuz*' -type f | head -n 1)" "$folder/vmlinuz"
  for name in veth sch_ingress cls_bpf ipv6; do
    find "$work/root" -name "$name.ko*" -exec cp {} "$folder/modules/" \;
  done
  find "$folder/modules" -name '*.xz' -exec busybox unxz {} \;
fi
rm -rf "$work"
touch "$folder/complete"
echo "$folder"
