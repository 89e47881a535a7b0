#!/bin/bash
# Back to the release before, which is still warm. floor-back.sh [MIGRATION that is to be the newest]
set -euo pipefail
cd "$PLACE"
if [ -n "${1:-}" ]; then (cd current && node migrate.mjs down --to "$1" >/dev/null); fi
release=$(readlink before)
name=$(basename "$release")
"$(dirname "$0")/flip.sh" "$release" "$PLACE/run/${name:0:12}.sock"
