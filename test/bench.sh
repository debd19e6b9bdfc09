#!/usr/bin/env bash
# Prints the ratios the project promises: files and pipes here, live reading in a real kernel.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/prerequisites.sh
go run ./test/bench "$@"
echo
echo "live reading of 100,000 entries in the real kernel (aims: ipvsstate at most 1.15 x cat, ipvsadm at least 3 x ipvsstate)"
IPVSSTATE_KERNEL_BENCH=1 go test -count=1 -v -timeout 30m -run LiveRead ./test/kernel 2>&1 | grep -vE '^=== '
