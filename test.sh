#!/usr/bin/env bash
# Builds and tests everything that this machine can restore. Ends with the totals on a line of their own.
set -uo pipefail
cd "$(dirname "$0")"

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
failed_runs=0

run() { # solution or filter; what fails is told and counted, and the totals still come last
  if ! dotnet build "$1" -c Release --nologo -v q; then
    echo "$1 does not build."
    failed_runs=1
    return
  fi
  dotnet test "$1" -c Release --no-build --nologo -v q --logger "trx" --results-directory "$results" || failed_runs=1
}

# The tests with JavaScript clients need Node; without it only they fail.
clients=tests/clients
installed=$clients/node_modules/.package-lock.json
if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
  echo "Node.js (node and npm) is not installed: the tests with JavaScript clients will fail."
elif [ ! -f "$installed" ] || [ "$clients/package-lock.json" -nt "$installed" ]; then
  if (cd "$clients" && npm ci --no-audit --no-fund --silent); then
    touch "$installed"
  else
    echo "The JavaScript clients could not be installed: the tests with them will fail."
  fi
fi

if ! command -v kubectl >/dev/null && ! command -v kustomize >/dev/null; then
  echo "Neither kubectl nor kustomize is installed: the tests that render the manifests of k8s/ will fail."
fi

echo "== Standalone.slnf"
run Standalone.slnf

cluster=$(find src tests -maxdepth 2 \( -name 'Granary.Grains.csproj' -o -name 'Granary.Silo.csproj' \) | head -n 1)
if [ -z "$cluster" ]; then
  ran="standalone tests only: there are no cluster projects yet"
elif dotnet restore Orleans.sln --nologo -v q >"$results/restore.log" 2>&1; then
  echo "== Orleans.sln"
  run Orleans.sln
  ran="standalone and cluster tests"
else
  ran="standalone tests only: Orleans.sln does not restore on this machine"
fi

# The counters of every project's result file, added up.
read -r passed failed skipped < <(
  cat "$results"/*.trx 2>/dev/null | grep -o '<Counters [^>]*>' | awk '
    { for (i = 1; i <= NF; i++) if (split($i, part, "=") == 2) { gsub(/[^0-9]/, "", part[2]); count[part[1]] += part[2] } }
    END { print count["passed"] + 0, count["total"] - count["passed"] - (count["total"] - count["executed"]), count["total"] - count["executed"] }')

echo "Ran: $ran"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$failed_runs" -eq 0 ]
