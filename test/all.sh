#!/usr/bin/env bash
# Runs all checks and tests, cheapest first, and stops at the first that fails.
set -euo pipefail
cd "$(dirname "$0")/.."
step() { printf '== %s\n' "$*"; }

# gotest runs go test and prints a line a package, and every skipped test with its reason; all of
# it if something fails.
log=$(mktemp)
trap 'rm -f "$log"' EXIT
gotest() {
	if ! go test -v "$@" >"$log" 2>&1; then
		cat "$log"
		exit 1
	fi
	grep -E -B1 '^ *--- SKIP' "$log" || true
	grep -E '^ok' "$log"
}

staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
depguard=github.com/OpenPeeDeeP/depguard/v2/cmd/depguard@v2.3.0
govulncheck=golang.org/x/vuln/cmd/govulncheck@v1.9.0

. test/prerequisites.sh

step formatting
unformatted=$(gofmt -l cmd internal test)
[ -z "$unformatted" ] || { echo "gofmt would change: $unformatted"; exit 1; }

step go vet
go vet ./...

step modules are tidy
go mod tidy -diff

step staticcheck
go run "$staticcheck" ./...

step imports between the rooms
go run "$depguard" ./...

step streams, environment and clock stay in cmd
if grep -rnE 'os\.(Stdin|Stdout|Stderr|Args|Getenv|LookupEnv)|time\.Now\(' internal --include='*.go' --exclude='*_test.go'; then
	echo "only cmd/ipvsstate touches these"
	exit 1
fi

step builds elsewhere
for target in darwin/arm64 linux/386 linux/arm64; do
	CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go build -o /dev/null ./cmd/ipvsstate
	CGO_ENABLED=0 GOOS=${target%/*} GOARCH=${target#*/} go vet ./cmd/... ./internal/...
done

step known vulnerabilities
if ! out=$(go run "$govulncheck" ./... 2>&1); then
	case $out in
	*vuln.go.dev* | *'dial tcp'* | *'no such host'* | *'fetching'*) echo "LEFT OUT: govulncheck, its data at vuln.go.dev cannot be reached" ;;
	*) echo "$out"; exit 1 ;;
	esac
fi

step tests, with the race detector
gotest -race ./cmd/... ./internal/...

step HTML pages in a browser
test/browser.sh

step fuzzing, a smoke run
# By number: a run that is limited in time can fail without having found anything (go.dev/issue/75804, until Go 1.27).
# Ten tries to shorten an input: the default, a minute for each, stands still on inputs as long as a listing.
grep -rHoE '^func Fuzz[A-Za-z0-9]+' --include='*_test.go' cmd internal | while IFS=: read -r file target; do
	go test -run '^$' -fuzz "^${target#func }\$" -fuzztime 20000x -fuzzminimizetime 10x "./${file%/*}" </dev/null
done

step tests in the real kernel
gotest -count=1 -timeout 20m ./test/kernel

echo "== all passed"
