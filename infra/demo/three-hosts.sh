#!/bin/sh
# Three hosts on one machine (network namespaces, each with a Docker engine of its own), one cluster over them, one host
# cut off and healed: says in plain words what happens, and ends with 0 when all went as promised. Needs root on Linux,
# dockerd, redis-server, iproute2 and iptables, and "npm ci" done. Leaves nothing behind, also when it is stopped.
set -eu
cd "$(dirname "$0")/../.."
if [ ! -d node_modules ]; then
  echo 'the packages are missing: run "npm ci" first' >&2
  exit 1
fi
node infra/setup/bootstrap.mjs build
exec node_modules/.bin/tsx test/demo/three-hosts.ts "$@"
