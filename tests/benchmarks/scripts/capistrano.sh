#!/bin/bash
# A Capistrano layout: releases/, shared/, the link `current`, restart, the newest five kept. capistrano.sh deploy|rollback [MIGRATION]
set -euo pipefail
cd "$PLACE"

restart() {
  local pid
  pid=$(cat shared/server.pid 2>/dev/null || true)
  if [ -n "$pid" ]; then
    kill "$pid"
    while kill -0 "$pid" 2>/dev/null; do sleep 0.02; done
  fi
  (cd current && exec setsid node server.mjs >>"$PLACE/shared/server.log" 2>&1 </dev/null) &
  echo $! >shared/server.pid
}

point() { ln -sfn "$1" .current && mv -T .current current; }

case $1 in
  deploy)
    git --git-dir=repo fetch --quiet "$PLACE/origin.git" '+refs/heads/*:refs/heads/*'
    release=$PLACE/releases/$(date +%Y%m%d%H%M%S%N)
    mkdir -p "$release"
    git --git-dir=repo archive dev | tar -x -C "$release"
    (cd "$release" && npm ci --omit=dev --prefer-offline && node migrate.mjs up >/dev/null)
    point "$release"
    restart
    ls -d releases/* | head -n -5 | xargs -r rm -rf
    ;;
  rollback)
    if [ -n "${2:-}" ]; then (cd current && node migrate.mjs down --to "$2" >/dev/null); fi
    bad=$(readlink current)
    point "$PLACE/$(ls -d releases/* | tail -n 2 | head -n 1)"
    restart
    rm -rf "$bad"
    ;;
esac
