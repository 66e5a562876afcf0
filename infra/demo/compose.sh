#!/bin/sh
# infra/compose.yaml brought up whole, on a host of this machine (a network namespace with a Docker engine of its own), with
# images made of the machine's programs in the place of those of a registry: a task through the proxy, its output live,
# gRPC, crashes of an API, a scheduler and the runner, and the way down. Says in plain words what happens, and ends with 0
# when all went as promised. Needs root on Linux, Docker, iproute2, iptables, Compose v2 (or COMPOSE_PATH), haproxy,
# redis-server, busybox-static, Go for the store, and "npm ci" done; a prometheus on the PATH is asked, too. CLOUDAI_IMAGE
# names an image of the machine's engine to use in place of one made here. Leaves nothing behind.
set -eu
cd "$(dirname "$0")/../.."
if [ ! -d node_modules ]; then
  echo 'the packages are missing: run "npm ci" first' >&2
  exit 1
fi
node infra/setup/bootstrap.mjs build
exec node_modules/.bin/tsx test/demo/compose.ts "$@"
