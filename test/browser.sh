#!/usr/bin/env bash
# Tests the HTML pages in a real browser. As root on Debian or Ubuntu it installs
# Chromium; elsewhere it says what is left out.
#   test/browser.sh [-v] [-run TEST] [-args -pictures FOLDER]
set -euo pipefail
cd "$(dirname "$0")/browser"

# left_out says what is missing, which is an error where nothing may be left out.
left_out() {
	echo "LEFT OUT: the tests in a browser; $1"
	if [ -n "${CI:-}" ]; then
		echo "under CI nothing may be left out"
		exit 1
	fi
	exit 0
}

missing() {
	local p
	for p in chromium chromium-browser google-chrome; do
		command -v "$p" >/dev/null && return 1
	done
	return 0
}

if missing && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "== installing chromium"
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium >/dev/null ||
		echo "the package could not be installed"
fi
! missing || left_out "they want Chromium"
go mod download 2>/dev/null || left_out "what drives the browser cannot be fetched"

go mod tidy -diff
go vet ./...
go test -count=1 -timeout 10m . "$@"
