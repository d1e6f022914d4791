#!/bin/sh
# The part of a container runtime that matters here, run as root in mount and process namespaces of its own:
# the tree becomes the root, read-only, with the devices and /proc that every runtime adds and nothing else but, where
# IMAGE_HOSTS names one, a file of hosts.
#
#   contained.sh TREE USER GROUP FOLDER VARIABLE=VALUE... -- COMMAND...
set -eu

tree=$1 user=$2 group=$3 folder=$4
shift 4

mount --bind "$tree" "$tree"
mkdir -p "$tree/proc" "$tree/dev"
mount -t proc -o ro,nosuid,nodev,noexec proc "$tree/proc"
mount -t tmpfs -o nosuid,noexec,mode=755 tmpfs "$tree/dev"
for device in null zero random urandom; do
  : > "$tree/dev/$device"
  mount --bind "/dev/$device" "$tree/dev/$device"
done
mount -o remount,ro "$tree/dev"
# Where its neighbours are, if the test says so.
if [ -n "${IMAGE_HOSTS:-}" ]; then
  : > "$tree/etc/hosts"
  mount --bind "$IMAGE_HOSTS" "$tree/etc/hosts"
fi
mount -o remount,bind,ro "$tree"

# "--" divides the environment from the command; env(1) takes both as they are.
count=$#
while [ "$count" -gt 0 ]; do
  argument=$1
  shift
  count=$((count - 1))
  if [ "$argument" = -- ]; then
    set -- "$@" /usr/bin/setpriv --no-new-privs \
      /usr/bin/unshare --root "$tree" --wd "$folder" --setgid "$group" --setuid "$user"
  else
    set -- "$@" "$argument"
  fi
done
exec /usr/bin/env -i "$@"
