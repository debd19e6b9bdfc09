# The sync master, for scenarios that want many entries.

# start_backup: makes the director the backup of a master in a namespace. After ip_vs is in the kernel.
start_backup() {
	ip -batch - <<-END
		netns add master
		link add v0 type veth peer name v1 netns master
		addr add 10.5.0.1/24 dev v0
		link set v0 up
	END
	ip -n master -batch - <<-END
		addr add 10.5.0.2/24 dev v1
		link set v1 up
	END
	sysctl -qw net.core.rmem_max=67108864 net.ipv4.vs.sync_sock_size=67108864
	ipvsadm --start-daemon backup --mcast-interface v0 --syncid 0
}

# fill MIX COUNT TOTAL: sends COUNT entries of a mix, and waits until the table has TOTAL.
fill() {
	ip netns exec master guest sync 10.5.0.2 "$1" "$2"
	until_true table_has "$3"
}

table_has() {
	[ "$(wc -l </proc/net/ip_vs_conn)" -eq "$(($1 + 1))" ]
}
