# Sourced: installs what the tests in the real kernel need, and zstdcat, where that is possible.
# As root on Debian or Ubuntu it uses apt-get; elsewhere it says what is left out.

packages="user-mode-linux busybox-static ipvsadm iproute2 zstd"

missing() {
	local p
	for p in linux.uml busybox ipvsadm ip zstdcat; do
		PATH=$PATH:/usr/sbin:/sbin command -v "$p" >/dev/null || return 0
	done
	return 1
}

if missing && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	echo "== installing $packages"
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $packages >/dev/null ||
		echo "the packages could not be installed"
fi
if missing; then
	echo "LEFT OUT: the tests in the real kernel, or with zstdcat; they want Debian's packages $packages"
	if [ -n "${CI:-}" ]; then
		echo "under CI nothing may be left out"
		exit 1
	fi
fi
