#!/bin/sh
# Runs the fuzz and invariant tests with forge. Installs from the lock file what it needs; the tests themselves run
# offline. Arguments go to "forge test", such as: ./forge.sh --match-contract Money -vv
#
# The lock file names forge's binaries themselves, not the package that chooses among them: npm ci would fail wherever
# one platform's binary cannot be had.
set -eu
cd "$(dirname "$0")"
find_forge() {
  for f in node_modules/@foundry-rs/forge-*/bin/forge; do
    if [ -x "$f" ]; then
      echo "$f"
      return
    fi
  done
}
forge=$(find_forge)
if [ -z "$forge" ] || [ ! -d node_modules/solc ]; then
  npm ci
  forge=$(find_forge)
fi
if [ -z "$forge" ]; then
  echo "forge.sh: no forge for this platform in package.json: add its @foundry-rs/forge-<os>-<cpu> package" >&2
  exit 1
fi
exec "$forge" test "$@"
