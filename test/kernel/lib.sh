# What every guest has: file systems, modules, and a few words for the scenarios.
#
# The init that boot_linux.go writes sets OUT (the host folder that results go to) and BIN (the folder with the
# programs under test), then reads this file and one scenario with `set -eux`, so that the console log on the host
# shows the command that failed.

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /mnt

# The programs run from the guest's own memory: the unprivileged user of the scenarios may not enter the host's
# temporary folder.
mkdir /run/bin
cp "$BIN"/* /run/bin/
PATH=/run/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH

MODULES=/usr/lib/uml/modules/$(uname -r)
[ -d "$MODULES" ] || MODULES=/lib/modules/$(uname -r)

ip link set lo up

# insert NAME…: kernel modules, each after those it needs, which modules.dep lists with the deepest last. A module that
# is built in is not listed. ip_vs gets the parameters in IP_VS_PARAMETERS. Once a scenario.
insert() {
	busybox awk -v names="$*" '
		BEGIN { split(names, wanted) }
		{
			name = $1
			sub(".*/", "", name)
			sub("\\.ko.*", "", name)
			needs[name] = $0
		}
		END {
			for (w = 1; w in wanted; w++)
				for (f = split(needs[wanted[w]], file); f > 0; f--) {
					sub(":$", "", file[f])
					if (!seen[file[f]]++)
						print file[f]
				}
		}' "$MODULES/modules.dep" >/run/modules
	while read -r file; do
		case $file in
		*/ip_vs.ko*) busybox insmod "$MODULES/$file" ${IP_VS_PARAMETERS-} ;;
		*) busybox insmod "$MODULES/$file" ;;
		esac
	done </run/modules
}

# run NAME COMMAND…: keeps the output in NAME.out, the messages in NAME.err and the exit code in NAME.code.
run() {
	name=$1
	shift
	code=0
	"$@" >"$OUT/$name.out" 2>"$OUT/$name.err" || code=$?
	echo "$code" >"$OUT/$name.code"
}

# until_true COMMAND…: waits ten seconds at most.
until_true() {
	for _ in $(seq 100); do
		"$@" && return
		sleep 0.1
	done
	return 1
}

# steady NAME COMMAND…: does the command between two listings of the table, NAME.before.txt and NAME.after.txt, and does
# it again when an entry came, went or changed its state meanwhile: a reading during which one goes can miss another.
steady() {
	steady=$1
	shift
	for _ in $(seq 20); do
		ipvsadm -Lcn >"$OUT/$steady.before.txt"
		"$@"
		ipvsadm -Lcn >"$OUT/$steady.after.txt"
		same_entries "$OUT/$steady.before.txt" "$OUT/$steady.after.txt" && return
	done
	echo "the table never stood still" >&2
	return 1
}

# same_entries LISTING LISTING: true when they differ in nothing but the times to expiry.
same_entries() {
	[ "$(entry_sum "$1")" = "$(entry_sum "$2")" ]
}

entry_sum() {
	sed 's/ [0-9]*:[0-9]* //' "$1" | sort | md5sum
}

# readings NAME: one quick series of everything that the host compares: the table as ipvsstate reads it, as it comes
# through a pipe, and as the kernel's two files have it; the services as ipvsadm and ipvsstate see them.
readings() {
	ipvsadm -Ln >"$OUT/$1.services.txt"
	run "$1.live" ipvsstate -o json
	cat /proc/net/ip_vs_conn >"$OUT/$1.proc.txt"
	cat /proc/net/ip_vs_conn_sync >"$OUT/$1.sync.txt"
	ipvsadm -Lcn | run "$1.pipe" ipvsstate -o json
}
