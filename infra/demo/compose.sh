#!/bin/sh
# infra/compose.yaml brought up whole on this machine, with images made of the machine's own programs in the place of those
# of a registry: a task through the proxy, its output live, gRPC, crashes of an API, a scheduler and the runner, and the
# way down. Says in plain words what happens, and ends with 0 when all went as promised. Needs root on Linux, Docker,
# Compose v2 (or COMPOSE_PATH), haproxy, redis-server, iptables, busybox-static, Go for the store, and "npm ci" done; with
# a prometheus on the PATH it is asked, too. CLOUDAI_IMAGE: an image that is built already. Leaves nothing behind.
set -eu
cd "$(dirname "$0")/../.."
if [ ! -d node_modules ]; then
  echo 'the packages are missing: run "npm ci" first' >&2
  exit 1
fi
node infra/setup/bootstrap.mjs build
exec node_modules/.bin/tsx test/demo/compose.ts "$@"
