#!/bin/bash
# Makes a release that serves on a socket the live one; the one before stays warm, older ones end. flip.sh RELEASE SOCKET
set -euo pipefail
cd "$PLACE/run"
for link in live write; do
  ln -s "$(basename "$2")" ".$link" && mv -T ".$link" "$link.sock"
done
cd "$PLACE"
before=$(readlink current || true)
ln -sfn "$1" .current && mv -T .current current
oldest=$(readlink before || true)
if [ -n "$before" ]; then ln -sfn "$before" before; fi
if [ -n "$oldest" ] && [ "$oldest" != "$1" ]; then
  name=$(basename "$oldest")
  kill "$(cat "run/${name:0:12}.pid")" && rm "run/${name:0:12}.pid"
fi
