#!/bin/bash
# Downloads Debian's cloud kernels, each once: fetch.sh SERIES (5.10, 6.1, 6.12, 7) prints the folder that has vmlinuz and
# the modules. From this machine's own Debian mirror, with package lists of its own.
set -euo pipefail
series=$1
cache=${MESHMARK_KERNELS:-/var/cache/meshmark/kernels}
architecture=$(dpkg --print-architecture)
case $series in
  5.10) suite=bullseye ;;
  6.1) suite=bookworm ;;
  6.12) suite=bookworm-backports ;;
  7) suite=trixie-backports ;;
  *) echo "fetch.sh: there is no suite for kernel $series" >&2; exit 1 ;;
esac
folder=$cache/$series
if [ -e "$folder/complete" ]; then echo "$folder"; exit 0; fi

mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Origin: Debian' | grep -v security | head -n 1)
work=$cache/$series.work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/root"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$work/sources.list"
apt=(apt-get -qq -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
  -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none)
"${apt[@]}" update
# The newest of the series: image, and where it is a package of its own, the modules.
names=$(apt-cache -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
  -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work/cache" pkgnames linux- |
  grep -E "^linux-(image|binary|modules)-${series//./\\.}[.0-9a-z+~-]*-cloud-$architecture(-unsigned)?$" | grep -v -- -dbg || true)
image=$(grep -E '^linux-(image|binary)-' <<< "$names" | grep -v unsigned | sort -V | tail -n 1)
if [ -z "$image" ]; then echo "fetch.sh: $suite has no cloud kernel $series" >&2; exit 1; fi
if grep -q '^linux-binary-' <<< "$names"; then image=$(grep '^linux-binary-' <<< "$names" | sort -V | tail -n 1); fi
release=${image#linux-image-}; release=${release#linux-binary-}
wanted=("$image")
if grep -qx "linux-modules-$release" <<< "$names"; then wanted+=("linux-modules-$release"); fi
(cd "$work" && "${apt[@]}" download "${wanted[@]}")
for package in "$work"/*.deb; do dpkg-deb -x "$package" "$work/root"; done

mkdir -p "$folder/modules"
cp "$(find "$work/root" -name 'vmlinuz*' -type f | head -n 1)" "$folder/vmlinuz"
for name in veth sch_ingress cls_bpf ipv6; do
  find "$work/root" -name "$name.ko*" -exec cp {} "$folder/modules/" \;
done
find "$folder/modules" -name '*.xz' -exec xz -d {} \;
rm -rf "$work"
touch "$folder/complete"
echo "$folder"
