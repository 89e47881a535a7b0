#!/bin/bash
# The floor: the least that is a deployment at all. Fetch, check out, hard-link the dependencies, boot on a Unix socket,
# wait for health, flip. Nothing is verified, rehearsed, backed up or recorded. Usage: floor.sh [BRANCH]
set -euo pipefail
cd "$PLACE"
unset GIT_DIR GIT_QUARANTINE_PATH
git --git-dir=mirror.git fetch --quiet "$PLACE/origin.git" '+refs/heads/*:refs/heads/*'
commit=$(git --git-dir=mirror.git rev-parse "${1:-dev}")
release=$PLACE/releases/$commit
mkdir -p "$release"
git --git-dir=mirror.git archive "$commit" | tar -x -C "$release"

previous=$(readlink current || true)
if [ -n "$previous" ] && cmp -s "$previous/package-lock.json" "$release/package-lock.json"; then
  cp -al "$previous/node_modules" "$release/node_modules"
else
  (cd "$release" && npm ci --omit=dev)
fi
if ! diff -rq "${previous:-/nowhere}/migrations" "$release/migrations" >/dev/null 2>&1; then
  (cd "$release" && node migrate.mjs up >/dev/null)
fi

socket=$PLACE/run/${commit:0:12}.sock
(cd "$release" && LISTEN=$socket exec setsid node server.mjs >>"$PLACE/server.log" 2>&1 </dev/null) &
echo $! >"$PLACE/run/${commit:0:12}.pid"
until curl -sf -o /dev/null --unix-socket "$socket" http://localhost/_deploy/health; do sleep 0.01; done

"$(dirname "$0")/flip.sh" "$release" "$socket"
