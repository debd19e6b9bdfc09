# A master director and its backup, with the kernel's sync daemons between them. The network, its addresses and in_ns are
# those of traffic.sh, whose first part the test runs before this. The backup is a namespace of its own:
#
#	director 10.5.0.1 ── 10.5.0.2 backup

ip -batch - <<-END
	netns add backup
	link add d-sync type veth peer name eth0 netns backup
	addr add 10.5.0.1/24 dev d-sync
	link set d-sync up
END
ip -n backup -batch - <<-END
	addr add 10.5.0.2/24 dev eth0
	link set lo up
	link set eth0 up
END

cat >/run/services <<-END
	-A -t 10.9.0.1:80 -s rr
	-a -t 10.9.0.1:80 -r 10.2.1.2:8001 -m
	-a -t 10.9.0.1:80 -r 10.2.2.2:8001 -m
	-A -t 10.9.0.1:81 -s rr
	-a -t 10.9.0.1:81 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:82 -s rr
	-a -t 10.9.0.1:82 -r 10.2.1.2:8002 -m
	-A -t 10.9.0.1:83 -s rr
	-a -t 10.9.0.1:83 -r 10.2.1.2:8004 -m
	-A -t 10.9.0.1:85 -s rr
	-a -t 10.9.0.1:85 -r 10.2.3.2:8001 -m
	-A -t 10.9.0.1:89 -s rr -p 600
	-a -t 10.9.0.1:89 -r 10.2.1.2:8001 -m
	-A -u 10.9.0.1:53 -s rr
	-a -u 10.9.0.1:53 -r 10.2.1.2:8010 -m
	-A -t 10.9.0.2:8001 -s rr
	-a -t 10.9.0.2:8001 -r 10.3.1.2:8001 -g
END
ipvsadm -R </run/services
in_ns backup ipvsadm -R </run/services
sysctl -qw net.ipv4.vs.sync_threshold="3 50" net.ipv4.vs.expire_nodest_conn=1

for server in nat1 nat2 dr1; do
	in_ns "$server" guest serve "/run/$server.ready" tcp/hold/[::]:8001 tcp/polite/[::]:8002 udp/echo/[::]:8010 &
done
for server in nat1 nat2 dr1; do
	until_true [ -e "/run/$server.ready" ]
done

# saved NAME: both tables, each behind the time, the services and the settings.
saved() {
	{
		date -u +%Y-%m-%dT%H:%M:%SZ
		ipvsadm -Ln
		sysctl net.ipv4.vs
		cat /proc/net/ip_vs_conn_sync
	} >"$OUT/$1.master.txt"
	{
		date -u +%Y-%m-%dT%H:%M:%SZ
		in_ns backup ipvsadm -Ln
		in_ns backup cat /proc/net/ip_vs_conn_sync
	} >"$OUT/$1.backup.txt"
}

# synced NUMBER SERVICE: the backup has so many connections of a service.
synced() {
	[ "$(in_ns backup ipvsadm -Lcn | grep -c "ESTABLISHED .* $2 ")" -eq "$1" ]
}

# Connections from before the daemons run, which say nothing afterwards: the backup never hears of them.
in_ns client guest connect /run/early.ready <<-END &
	tcp - 10.9.0.1:80 7 tell
END
until_true [ -e /run/early.ready ]
ipvsadm --start-daemon master --mcast-interface d-sync --syncid 1
in_ns backup ipvsadm --start-daemon backup --mcast-interface eth0 --syncid 1
ipvsadm -L --daemon >"$OUT/master.daemon.txt"
sleep 1

# Three packets of the client's, SYN, ACK and data, are as many as sync_threshold wants; a connection that says nothing
# has two, and a datagram is one.
in_ns client guest connect /run/late.ready <<-END &
	tcp - 10.9.0.1:80 20 tell
	tcp - 10.9.0.1:81 12 hold
	tcp - 10.9.0.1:82 6 close
	tcp 10.1.0.11 10.9.0.1:89 3 tell
	tcp - 10.9.0.2:8001 5 tell
	udp - 10.9.0.1:53 4 tell
	tcp - 10.9.0.1:85 5 try
	tcp - 10.9.0.1:83 4 refuse
END
until_true [ -e /run/late.ready ]
until_true synced 20 10.9.0.1:80
until_true synced 3 10.9.0.1:89
until_true synced 5 10.9.0.2:8001
steady full saved full
mkdir /run/lb1 /run/lb2
run record.master ipvsstate record --host lb1 /run/lb1
run record.backup ipvsstate record --host lb2 --netns backup /run/lb2
run recorded ipvsstate diff --sync -o json /run/lb1/* /run/lb2/*
run live ipvsstate diff --sync -o json --netns backup "$OUT/full.master.txt"
run origins ipvsstate diff --sync -o json "$OUT/full.backup.txt"

# A server is removed, and with expire_nodest_conn its connections with it: at once, which no packet can do. The backup
# keeps them.
ipvsadm -d -t 10.9.0.1:80 -r 10.2.1.2:8001
steady gone saved gone
run removed ipvsstate diff -o json "$OUT/full.master.txt" "$OUT/gone.master.txt"
mkdir /run/later
run record.later ipvsstate record --host lb1 /run/later
run changed ipvsstate diff -o json /run/lb1/* /run/later/*
