# True traffic. The director is the guest's first namespace; clients, real servers and a second director are
# namespaces of their own:
#
#	client 10.1.0.2 ── 10.1.0.1 director 10.2.1.1 ── 10.2.1.2 nat1   real server behind NAT
#	       fd01::2     fd01::1           10.2.2.1 ── 10.2.2.2 nat2   another
#	                                     10.2.3.1 ── 10.2.3.2 dead   gets packets, has no way to answer
#	                                     10.3.1.1 ── 10.3.1.2 dr1    direct routing, has the virtual address too
#	client 10.4.0.2 ───────────────────────────────── 10.4.0.1 dr1   the way back, past the director
#
# Virtual addresses: 10.9.0.1 and fd09::1 NAT, 10.9.0.2 and fd09::2 direct routing, 10.9.0.10 and fd09::10 fwmark.

insert ipv6 veth hmac sctp ip_vs ip_vs_rr ip_vs_wrr ip_vs_wlc ip_vs_sh ip_vs_pe_sip sch_ingress cls_flower act_skbedit

# ---- the network

# in_ns NAMESPACE COMMAND…
in_ns() {
	ip netns exec "$@"
}

sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip -batch - <<-END
	netns add client
	netns add nat1
	netns add nat2
	netns add dead
	netns add dr1
	link add d-client type veth peer name eth0 netns client
	link add d-nat1 type veth peer name eth0 netns nat1
	link add d-nat2 type veth peer name eth0 netns nat2
	link add d-dead type veth peer name eth0 netns dead
	link add d-dr1 type veth peer name eth0 netns dr1
	addr add 10.1.0.1/24 dev d-client
	addr add 10.2.1.1/24 dev d-nat1
	addr add 10.2.2.1/24 dev d-nat2
	addr add 10.2.3.1/24 dev d-dead
	addr add 10.3.1.1/24 dev d-dr1
	addr add fd01::1/64 dev d-client nodad
	addr add fd02:1::1/64 dev d-nat1 nodad
	addr add fd02:2::1/64 dev d-nat2 nodad
	addr add fd03:1::1/64 dev d-dr1 nodad
	addr add 10.9.0.1/32 dev lo
	addr add 10.9.0.2/32 dev lo
	addr add 10.9.0.10/32 dev lo
	addr add fd09::1/128 dev lo nodad
	addr add fd09::2/128 dev lo nodad
	addr add fd09::10/128 dev lo nodad
	link set d-client up
	link set d-nat1 up
	link set d-nat2 up
	link set d-dead up
	link set d-dr1 up
END
ip -n client -batch - <<-END
	link add eth1 type veth peer name eth1 netns dr1
	addr add 10.1.0.2/24 dev eth0
	addr add 10.1.0.11/24 dev eth0
	addr add 10.1.0.12/24 dev eth0
	addr add 10.1.0.13/24 dev eth0
	addr add 10.1.0.14/24 dev eth0
	addr add fd01::2/64 dev eth0 nodad
	addr add fd01::11/64 dev eth0 nodad
	addr add fd01::12/64 dev eth0 nodad
	addr add 10.4.0.2/24 dev eth1
	addr add fd04::2/64 dev eth1 nodad
	link set lo up
	link set eth0 up
	link set eth1 up
	route add default via 10.1.0.1
	route add default via fd01::1
END
ip -n nat1 -batch - <<-END
	addr add 10.2.1.2/24 dev eth0
	addr add fd02:1::2/64 dev eth0 nodad
	link set lo up
	link set eth0 up
	route add default via 10.2.1.1
	route add default via fd02:1::1
END
ip -n nat2 -batch - <<-END
	addr add 10.2.2.2/24 dev eth0
	addr add fd02:2::2/64 dev eth0 nodad
	link set lo up
	link set eth0 up
	route add default via 10.2.2.1
	route add default via fd02:2::1
END
ip -n dead -batch - <<-END
	addr add 10.2.3.2/24 dev eth0
	link set eth0 up
END
ip -n dr1 -batch - <<-END
	addr add 10.3.1.2/24 dev eth0
	addr add fd03:1::2/64 dev eth0 nodad
	addr add 10.4.0.1/24 dev eth1
	addr add fd04::1/64 dev eth1 nodad
	addr add 10.9.0.2/32 dev lo
	addr add fd09::2/128 dev lo nodad
	link set lo up
	link set eth0 up
	link set eth1 up
	route add 10.1.0.0/24 via 10.4.0.2
	route add fd01::/64 via fd04::2
END

# The firewall marks are set by traffic control: a guest has no need of iptables for this.
tc qdisc add dev d-client ingress
tc filter add dev d-client ingress protocol ip flower dst_ip 10.9.0.10 action skbedit mark 10
tc filter add dev d-client ingress protocol ipv6 flower dst_ip fd09::10 action skbedit mark 20

# ---- the virtual services

ipvsadm -R <<-END
	-A -t 10.9.0.1:80 -s rr
	-a -t 10.9.0.1:80 -r 10.2.1.2:8001 -m -w 1
	-a -t 10.9.0.1:80 -r 10.2.2.2:8001 -m -w 3
	-A -t 10.9.0.1:81 -s rr
	-a -t 10.9.0.1:81 -r 10.2.1.2:8002 -m
	-A -t 10.9.0.1:82 -s rr
	-a -t 10.9.0.1:82 -r 10.2.1.2:8003 -m
	-A -t 10.9.0.1:83 -s rr
	-a -t 10.9.0.1:83 -r 10.2.1.2:8004 -m
	-A -t 10.9.0.1:85 -s rr
	-a -t 10.9.0.1:85 -r 10.2.3.2:8001 -m
	-A -u 10.9.0.1:53 -s rr
	-a -u 10.9.0.1:53 -r 10.2.1.2:8010 -m
	-A -u 10.9.0.1:54 -s rr -o
	-a -u 10.9.0.1:54 -r 10.2.1.2:8010 -m
	-A --sctp-service 10.9.0.1:90 -s rr
	-a --sctp-service 10.9.0.1:90 -r 10.2.1.2:8020 -m
	-A -t 10.9.0.1:443 -s wlc -p 600
	-a -t 10.9.0.1:443 -r 10.2.1.2:8001 -m -w 100
	-a -t 10.9.0.1:443 -r 10.2.2.2:8001 -m -w 65535
	-A -t 10.9.0.1:444 -s rr -p 600
	-a -t 10.9.0.1:444 -r 10.2.3.2:8001 -m
	-A -u 10.9.0.1:500 -s rr -p 600
	-a -u 10.9.0.1:500 -r 10.2.1.2:8010 -m
	-A -u 10.9.0.1:5060 -s rr -p 600 -o --pe sip
	-a -u 10.9.0.1:5060 -r 10.2.1.2:8010 -m
	-A -t 10.9.0.1:445 -s rr -p 900
	-a -t 10.9.0.1:445 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.2:8001 -s wrr
	-a -t 10.9.0.2:8001 -r 10.3.1.2:8001 -g -w 2
	-A -t 10.9.0.2:8002 -s rr
	-a -t 10.9.0.2:8002 -r 10.3.1.2:8002 -g
	-A -t 10.9.0.2:8005 -s rr
	-a -t 10.9.0.2:8005 -r 10.2.3.2:8005 -g
	-A -u 10.9.0.2:8010 -s rr
	-a -u 10.9.0.2:8010 -r 10.3.1.2:8010 -g
	-A -f 10 -s rr -p 300
	-a -f 10 -r 10.2.1.2:0 -m
	-A -f 20 -6 -s sh -p 360
	-a -f 20 -6 -r [fd02:1::2]:0 -m
	-A -t [fd09::1]:80 -s rr
	-a -t [fd09::1]:80 -r [fd02:1::2]:8001 -m
	-a -t [fd09::1]:80 -r [fd02:2::2]:8001 -m
	-A -t [fd09::1]:81 -s rr
	-a -t [fd09::1]:81 -r [fd02:1::2]:8002 -m
	-A -u [fd09::1]:53 -s rr
	-a -u [fd09::1]:53 -r [fd02:1::2]:8010 -m
	-A -t [fd09::1]:443 -s rr -p 600
	-a -t [fd09::1]:443 -r [fd02:1::2]:8001 -m
	-A -t [fd09::2]:8001 -s rr
	-a -t [fd09::2]:8001 -r [fd03:1::2]:8001 -g
	-A -t [fd09::1]:99 -s rr
	-a -t [fd09::1]:99 -r 10.2.1.2:99 -i
	-A -t 10.9.0.1:99 -s wlc
	-a -t 10.9.0.1:99 -r 10.2.1.2:99 -i -w 0
	-a -t 10.9.0.1:99 -r 10.2.2.2:99 -g
	-a -t 10.9.0.1:99 -r 10.1.0.1:99 -m
	-A -t 10.9.0.1:98 -s wlc
END

# ---- the traffic

for server in nat1 nat2 dr1; do
	in_ns "$server" guest serve "/run/$server.ready" tcp/hold/[::]:8001 tcp/polite/[::]:8002 tcp/leave/[::]:8003 \
		udp/echo/[::]:8010 &
done
in_ns nat1 guest serve /run/sctp.ready sctp/hold/10.2.1.2:8020 &
for server in nat1 nat2 dr1 sctp; do
	until_true [ -e "/run/$server.ready" ]
done

in_ns client guest connect /run/client.ready <<-END &
	tcp  -         10.9.0.1:80   5 hold
	tcp  -         10.9.0.1:80   2 half
	tcp  -         10.9.0.1:81   4 close
	tcp  -         10.9.0.1:82   3 hold
	udp  -         10.9.0.1:53   6 ask
	udp  -         10.9.0.1:54   4 tell
	sctp 10.1.0.2  10.9.0.1:90   2 hold
	tcp  10.1.0.11 10.9.0.1:443  2 hold
	tcp  10.1.0.12 10.9.0.1:443  1 close
	tcp  10.1.0.13 10.9.0.1:444  1 try
	udp  10.1.0.11 10.9.0.1:500  2 ask
	udp  10.1.0.12 10.9.0.1:5060 2 call
	tcp  10.1.0.14 10.9.0.1:445  1 hold
	tcp  -         10.9.0.2:8001 3 hold
	tcp  -         10.9.0.2:8002 2 close
	udp  -         10.9.0.2:8010 2 tell
	tcp  10.1.0.11 10.9.0.10:8001 2 hold
	tcp  10.1.0.12 10.9.0.10:8002 1 hold
	tcp  fd01::11 [fd09::10]:8001 1 hold
	tcp  -         [fd09::1]:80   4 hold
	tcp  -         [fd09::1]:80   1 half
	tcp  -         [fd09::1]:81   2 close
	udp  -         [fd09::1]:53   3 ask
	tcp  fd01::12 [fd09::1]:443  1 hold
	tcp  -         [fd09::1]:99   1 try
	tcp  -         [fd09::2]:8001 2 hold
	tcp  -         [fd09::2]:8001 1 close
END
until_true [ -e /run/client.ready ]

# The real server of a pinned client goes away and another one comes: the client's next connection makes its template
# an invalid one, on port 65535, and gets a new template beside it.
ipvsadm -d -t 10.9.0.1:445 -r 10.2.1.2:8001
ipvsadm -a -t 10.9.0.1:445 -r 10.2.2.2:8001 -m

# The short-lived states come last: CLOSE is over in 10 seconds, SYN_RECV in 60.
in_ns client guest connect /run/late.ready <<-END &
	tcp  10.1.0.14 10.9.0.1:445  1 hold
	tcp  -         10.9.0.1:85   3 try
	tcp  -         10.9.0.2:8005 2 try
	tcp  -         10.9.0.1:83   2 refuse
	tcp  -         10.9.0.2:8001 2 reset
END
until_true [ -e /run/late.ready ]
steady traffic readings traffic

# ---- the kernel's timeouts, before and after they are set

ipvsadm -L --timeout >"$OUT/timeout.before.txt"
run timeout.before ipvsstate -o json --live
ipvsadm --set 30 5 7
ipvsadm -L --timeout >"$OUT/timeout.after.txt"
run timeout.after ipvsstate -o json --live
ipvsadm --set 900 120 300

# ---- a user who may read the table but not ask netlink

mkdir -m 777 /run/snapshots
reads_unprivileged() {
	rm -f /run/snapshots/*
	run nobody guest nobody ipvsstate -o json
	run nobody.record guest nobody ipvsstate record --lang en /run/snapshots
	run nobody.recorded ipvsstate -o json /run/snapshots/*
}
steady nobody reads_unprivileged

# ---- a second director, whose table is seen only in its own namespace

ip netns add second
ip -n second link set lo up
ip -n second addr add 10.8.0.1/32 dev lo
in_ns second ipvsadm -R <<-END
	-A -t 10.8.0.1:80 -s rr
	-a -t 10.8.0.1:80 -r 127.0.0.1:8001 -m
END
in_ns second ipvsadm --set 700 60 200
in_ns second guest serve /run/second.ready tcp/hold/[::]:8001 &
until_true [ -e /run/second.ready ]
in_ns second guest connect /run/second-client.ready <<-END &
	tcp - 10.8.0.1:80 3 hold
END
until_true [ -e /run/second-client.ready ]
inside=$(ip netns pids second | head -n 1)
in_ns second ipvsadm -Lcn >"$OUT/second.before.txt"
in_ns second ipvsadm -Ln >"$OUT/second.services.txt"
run second.name ipvsstate -o json --netns second
run second.path ipvsstate -o json --netns /run/netns/second
run second.pid ipvsstate -o json --netns "$inside"
run second.record ipvsstate record --quiet --host second --netns second /run/snapshots
run second.recorded ipvsstate -o json /run/snapshots/second-*
run second.absent ipvsstate -o json --netns nowhere
in_ns second ipvsadm -Lcn >"$OUT/second.after.txt"
