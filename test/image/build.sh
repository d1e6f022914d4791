#!/usr/bin/env bash
# Builds the image of this repository and leaves what is in it, and its configuration, for the checks to look at:
#
#   $IMAGE_WORK/root          the tree of files
#   $IMAGE_WORK/inspect.json  what the engine says about the image
#
# With a Docker engine it uses that. Without one, buildah builds the same Dockerfile without a daemon; where the base
# image cannot be pulled, a stand-in takes its name (stand-in.sh). Needs root then.
set -euo pipefail
cd "$(dirname "$0")/../.."

work=${IMAGE_WORK:?is not set: a folder to work in}
image=localhost/sandbox-broker:test
base=$(sed -n 's/^ARG NODE_IMAGE=//p' Dockerfile | head -n 1)
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
revision=$(git rev-parse --verify --quiet HEAD || echo unknown)

arguments=(--tag "$image" --build-arg "VERSION=$version" --build-arg "REVISION=$revision")
# What this machine needs to reach the npm registry goes in as secrets, which stay in no layer.
if [ -f "${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}" ]; then
  arguments+=(--secret "id=npmrc,src=${NPM_CONFIG_USERCONFIG:-$HOME/.npmrc}")
fi
if [ -n "${NODE_EXTRA_CA_CERTS:-}" ]; then
  arguments+=(--secret "id=ca,src=$NODE_EXTRA_CA_CERTS")
fi

unpack_with_docker() {
  docker build "${arguments[@]}" .
  docker image inspect "$image" > "$work/inspect.json"
  local container
  container=$(docker create "$image")
  docker export "$container" | tar -x -C "$work/root"
  docker rm "$container" > /dev/null
}

unpack_with_buildah() {
  # Storage of our own: nothing of this is left in the machine's.
  export BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot} STORAGE_DRIVER=${STORAGE_DRIVER:-vfs}
  export CONTAINERS_STORAGE_CONF=$work/storage.conf
  printf '[storage]\ndriver = "%s"\ngraphroot = "%s/storage"\nrunroot = "%s/run"\n' \
    "$STORAGE_DRIVER" "$work" "$work" > "$CONTAINERS_STORAGE_CONF"
  if ! buildah inspect --type image "$base" > /dev/null 2>&1; then
    if timeout 60 buildah pull --quiet "$base" > "$work/pull.log" 2>&1; then
      printf 'Pulled %s\n' "$base"
    else
      printf 'The base image cannot be pulled here: %s\n' "$(tail -n 1 "$work/pull.log" | cut -c 1-200)"
      test/image/stand-in.sh "$base"
    fi
  fi
  buildah build --format docker --pull=never "${arguments[@]}" . > "$work/build.log" 2>&1 || {
    tail -n 40 "$work/build.log" >&2
    return 1
  }
  buildah inspect --type image "$image" > "$work/inspect.json"
  local container
  container=$(buildah from --pull=never "$image")
  cp -a "$(buildah mount "$container")/." "$work/root/"
  buildah rm "$container" > /dev/null
}

mkdir -p "$work"
rm -rf --one-file-system "$work/root"
mkdir "$work/root"
if docker info > /dev/null 2>&1; then
  printf 'Building with Docker\n'
  unpack_with_docker
elif command -v buildah > /dev/null; then
  printf 'No Docker engine answers here: building with %s\n' "$(buildah --version)"
  unpack_with_buildah
else
  printf 'Neither a Docker engine nor buildah is here: apt-get install -y buildah debootstrap\n' >&2
  exit 2
fi
