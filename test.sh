#!/usr/bin/env bash
# Builds and tests everything that this machine can restore. Ends with the totals on a line of their own.
set -uo pipefail
cd "$(dirname "$0")"

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
failed_runs=0

run() { # what to build, then what to test of it; what fails is told and counted, and the totals still come last
  local built=$1 tested
  shift
  if ! dotnet build "$built" -c Release --nologo -v q; then
    echo "$built does not build."
    failed_runs=1
    return
  fi
  for tested in "$@"; do
    dotnet test "$tested" -c Release --no-build --nologo -v q --logger "trx" --logger "console;verbosity=minimal" --results-directory "$results" \
      | tee -a "$results/console.log" || failed_runs=1
  done
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

# The tests with PostgreSQL start servers of their own; without it only they fail.
if ! command -v createdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/createdb >/dev/null 2>&1; then
  echo "PostgreSQL is not installed (on Debian and Ubuntu: apt-get install postgresql): the tests with it will fail."
fi

echo "== Standalone.slnf"
run Standalone.slnf Standalone.slnf

if dotnet restore Orleans.sln --nologo -v q >"$results/restore.log" 2>&1; then
  echo "== Orleans.sln"
  # The tests that the filter above leaves out: those that need Orleans.
  mapfile -t cluster < <(find tests -mindepth 2 -maxdepth 2 -name '*.Tests.csproj' | sort | while read -r project; do
    grep -qF "\"$project\"" Standalone.slnf || echo "$project"
  done)
  run Orleans.sln "${cluster[@]}"
  ran="standalone and cluster tests"
else
  ran="standalone tests only: Orleans.sln does not restore on this machine"
fi

# The counters of every project's result file, added up.
read -r passed failed skipped < <(
  cat "$results"/*.trx 2>/dev/null | grep -o '<Counters [^>]*>' | awk '
    { for (i = 1; i <= NF; i++) if (split($i, part, "=") == 2) { gsub(/[^0-9]/, "", part[2]); count[part[1]] += part[2] } }
    END { print count["passed"] + 0, count["total"] - count["passed"] - (count["total"] - count["executed"]), count["total"] - count["executed"] }')

# What failed and why, once more and without the logs between, where whoever reads the end of this sees it.
if [ "$failed" -gt 0 ]; then
  echo "== Failed"
  awk '
    /^  Failed / { shown = 30 }
    /^ *Standard Output Messages:/ || /^(Passed|Failed)! / || /^  (Passed|Skipped) / { shown = 0 }
    shown > 0 { print substr($0, 1, 600); shown-- }' "$results/console.log"
fi

echo "Ran: $ran"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$failed_runs" -eq 0 ]
