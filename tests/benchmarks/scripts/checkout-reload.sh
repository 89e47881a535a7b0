#!/bin/bash
# What a webhook usually runs: pull, install, migrate in place, reload. checkout-reload.sh [COMMIT]; DOWN_TO: migrate down first
set -euo pipefail
exec 9>"$PLACE/lock"; flock 9
cd "$PLACE/checkout"
git fetch --quiet origin
if [ -n "${DOWN_TO:-}" ]; then node migrate.mjs down --to "$DOWN_TO" >/dev/null; fi
git reset --quiet --hard "${1:-origin/dev}"
npm install --omit=dev
node migrate.mjs up >/dev/null
"$PM2" reload "$PLACE/ecosystem.config.cjs" 9>&-
