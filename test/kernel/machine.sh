# Single packets through a director, of plans that the test wrote. The addresses that the packets are from, 10.1.0.77
# and 10.2.0.77, belong to no host, so that nothing but the plan's packets is ever sent.
#
#	client (packets of 10.1.0.77) ── 10.1.0.1 director 10.2.0.1 ── server (packets of 10.2.0.77)

insert veth sctp ip_vs ip_vs_rr

in_ns() {
	ip netns exec "$@"
}

sysctl -qw net.ipv4.ip_forward=1
ip -batch - <<-END
	netns add client
	netns add server
	link add d-client type veth peer name eth0 netns client
	link add d-server type veth peer name eth0 netns server
	addr add 10.1.0.1/24 dev d-client
	addr add 10.2.0.1/24 dev d-server
	addr add 10.9.0.1/32 dev lo
	addr add 10.9.0.2/32 dev lo
	link set d-client up
	link set d-server up
END
for side in client:1 server:2; do
	net=${side#*:}
	side=${side%:*}
	ip -n "$side" -batch - <<-END
		link set eth0 address 02:00:00:00:00:0$net
		addr add 10.$net.0.2/24 dev eth0
		link set eth0 up
		route add default via 10.$net.0.1
	END
	in_ns "$side" sysctl -qw net.ipv4.ip_forward=0 # a new namespace has the first one's setting, and would send packets back
	ip neigh add "10.$net.0.77" lladdr "02:00:00:00:00:0$net" dev "d-$side" nud permanent
done

# 10.9.0.1 is translated, 10.9.0.2 routed directly.
ipvsadm -R <<-END
	-A -t 10.9.0.1:80 -s rr
	-a -t 10.9.0.1:80 -r 10.2.0.77:80 -m
	-A -t 10.9.0.2:80 -s rr
	-a -t 10.9.0.2:80 -r 10.2.0.77:80 -g
	-A -u 10.9.0.1:80 -s rr
	-a -u 10.9.0.1:80 -r 10.2.0.77:80 -m
	-A -u 10.9.0.2:80 -s rr
	-a -u 10.9.0.2:80 -r 10.2.0.77:80 -g
	-A --sctp-service 10.9.0.1:80 -s rr
	-a --sctp-service 10.9.0.1:80 -r 10.2.0.77:80 -m
	-A --sctp-service 10.9.0.2:80 -s rr
	-a --sctp-service 10.9.0.2:80 -r 10.2.0.77:80 -g
END

table() {
	cat /proc/net/ip_vs_conn >"$OUT/$1.table.txt"
}

# plan NAME: sends the packets and reads the table at once, since some states last for seconds.
plan() {
	run "$1" guest inject 10.1.0.77 10.2.0.77 "/run/$1.plan"
	steady "$1" table "$1"
}
