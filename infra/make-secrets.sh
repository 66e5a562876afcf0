#!/bin/sh
# Makes the secrets of infra/compose.yaml, each in a file of its own: in the folder that is named, or infra/secrets.
# What is there stays as it is.
set -eu
umask 077
here=$(cd "$(dirname "$0")" && pwd)
folder=${1:-${CLOUDAI_SECRETS:-$here/secrets}}
mkdir -p "$folder"
cd "$folder"

random() { od -An -tx1 -N32 /dev/urandom | tr -d ' \n'; }
# Never half a file.
keep() {
  [ -s "$1" ] && return
  printf '%s\n' "$2" >"$1.new"
  mv "$1.new" "$1"
  echo "made $folder/$1"
}

for name in jwt-secret cluster-token redis-password mongo-password; do keep "$name" "$(random)"; done
keep redis-url "redis://:$(cat redis-password)@redis:6379"
keep store-url "mongodb://cloudai:$(cat mongo-password)@mongo:27017/cloudai?authSource=admin"

# The processes in the containers are user 1000, who must read them; nobody else may. Of the servers' passwords, the
# servers read theirs before they become another user.
if [ "$(id -u)" = 0 ]; then chown 1000 jwt-secret cluster-token redis-url store-url; fi
