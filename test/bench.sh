#!/usr/bin/env bash
# Prints the ratios the project promises: files and pipes here, live reading in a real kernel.
set -euo pipefail
cd "$(dirname "$0")/.."
. test/prerequisites.sh
go run ./test/bench "$@"
echo
IPVSSTATE_KERNEL_BENCH=1 go test -count=1 -v -timeout 30m -run LiveRead ./test/kernel 2>&1 | grep -vE '^=== '
