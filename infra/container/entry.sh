#!/bin/sh
# First process of the image: takes a role, becomes that program. Decides nothing else; settings are the environment's.
set -eu

usage() {
  cat >&2 <<'TEXT'
usage: docker run <image> <role> [arguments]

  api         REST, sockets and the dashboard on PORT (8080)
  scheduler   places tasks on workers; any number of copies
  runner      runs tasks in the containers of the Docker engine at DOCKER_HOST; --wait waits to be registered
  restore     <file>: puts a backup into the store and ends, while nothing else runs
  cloudai     the command line

Settings are environment variables: docs/DOCUMENTATION.md. Secrets may be in files that JWT_SECRET_FILE,
CLUSTER_TOKEN_FILE, STORE_URL_FILE and REDIS_URL_FILE name.
TEXT
  exit 64
}

[ $# -gt 0 ] || usage
role=$1
shift
# Of this run, not of one before.
rm -f "${HEALTH_FILE:-/tmp/health}"

case "$role" in
  api | scheduler | runner) exec node "/app/dist/$role/main.js" "$@" ;;
  restore) exec node /app/dist/api/main.js --restore "$@" ;;
  cloudai) exec node /app/dist/cli/main.js "$@" ;;
  *)
    echo "\"$role\" is no role of this image" >&2
    usage
    ;;
esac
