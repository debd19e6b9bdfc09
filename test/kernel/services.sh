# Virtual services of every sort, with connections on them, and what is left when servers and services go away. The
# network, its addresses and in_ns are those of traffic.sh, whose first part the test runs before this. Besides:
# 10.9.0.3 and fd09::3 all ports, 10.9.0.11 mark 30, fd09::11 mark 10, which is of another service than 10.9.0.10's; nat2
# is 10.2.2.3 too.

busybox insmod "$MODULES/$(sed -n 's|^\([^:]*/ip_vs_mh\.ko[^:]*\):.*|\1|p' "$MODULES/modules.dep")"
ip -batch - <<-END
	addr add 10.9.0.3/32 dev lo
	addr add 10.9.0.11/32 dev lo
	addr add fd09::3/128 dev lo nodad
	addr add fd09::11/128 dev lo nodad
END
ip -n nat2 addr add 10.2.2.3/24 dev eth0
tc filter add dev d-client ingress protocol ip flower dst_ip 10.9.0.11 action skbedit mark 30
tc filter add dev d-client ingress protocol ipv6 flower dst_ip fd09::11 action skbedit mark 10

# ---- the virtual services

ipvsadm -R <<-END
	-A -t 10.9.0.1:80 -s wrr
	-a -t 10.9.0.1:80 -r 10.2.1.2:8001 -m -w 1
	-a -t 10.9.0.1:80 -r 10.2.2.2:8001 -m -w 3 -x 100 -y 50
	-A -t 10.9.0.1:81 -s wlc
	-a -t 10.9.0.1:81 -r 10.2.1.2:8002 -m -w 65535
	-a -t 10.9.0.1:81 -r 10.2.2.2:8002 -m -w 70000
	-a -t 10.9.0.1:81 -r 10.2.3.2:8002 -m -w 0
	-A -t 10.9.0.1:82 -s rr
	-a -t 10.9.0.1:82 -r 10.2.1.2:8001 -m
	-a -t 10.9.0.1:82 -r 10.2.2.2:8001 -m
	-A -t 10.9.0.1:83 -s rr
	-a -t 10.9.0.1:83 -r 10.2.1.2:8001 -m
	-a -t 10.9.0.1:83 -r 10.2.2.2:8001 -m
	-A -t 10.9.0.1:84 -s rr
	-a -t 10.9.0.1:84 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:85 -s rr
	-a -t 10.9.0.1:85 -r 10.2.3.2:8001 -m
	-A -t 10.9.0.1:86 -s rr
	-a -t 10.9.0.1:86 -r 10.2.1.2:8003 -m
	-A -t 10.9.0.1:98 -s lc
	-A -t 10.9.0.1:99 -s wlc
	-a -t 10.9.0.1:99 -r 10.2.1.2:99 -i -w 7
	-a -t 10.9.0.1:99 -r 10.2.2.2:99 -i --tun-type gue --tun-port 6080 -w 0
	-a -t 10.9.0.1:99 -r 10.3.1.2:99 -g
	-a -t 10.9.0.1:99 -r 10.1.0.1:99 -m
	-A -u 10.9.0.1:53 -s rr
	-a -u 10.9.0.1:53 -r 10.2.1.2:8010 -m
	-A -u 10.9.0.1:54 -s rr -o
	-a -u 10.9.0.1:54 -r 10.2.1.2:8010 -m
	-A --sctp-service 10.9.0.1:90 -s rr
	-a --sctp-service 10.9.0.1:90 -r 10.2.1.2:8020 -m
	-A -t 10.9.0.1:443 -s sh -b sh-port
	-a -t 10.9.0.1:443 -r 10.2.1.2:8001 -m
	-a -t 10.9.0.1:443 -r 10.2.2.2:8001 -m
	-A -t 10.9.0.1:444 -s sh -b sh-fallback,sh-port
	-a -t 10.9.0.1:444 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:445 -s mh -b mh-port
	-a -t 10.9.0.1:445 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:446 -s rr -p 600 -M 255.255.255.0
	-a -t 10.9.0.1:446 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:447 -s rr -p 900
	-a -t 10.9.0.1:447 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:448 -s rr -p 700
	-a -t 10.9.0.1:448 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:449 -s rr -p 800
	-a -t 10.9.0.1:449 -r 10.2.2.2:8001 -m
	-A -t 10.9.0.1:450 -s rr -p 500
	-a -t 10.9.0.1:450 -r 10.2.2.3:8001 -m
	-A -t 10.9.0.1:451 -s rr -p 550
	-a -t 10.9.0.1:451 -r 10.2.2.3:8001 -m
	-A -u 10.9.0.1:5060 -s rr -p 600 -o --pe sip
	-a -u 10.9.0.1:5060 -r 10.2.1.2:8010 -m
	-A -t 10.9.0.3:0 -s rr -p 300
	-a -t 10.9.0.3:0 -r 10.2.1.2:0 -m
	-a -t 10.9.0.3:0 -r 10.2.2.2:0 -m
	-A -u 10.9.0.3:0 -s rr -p 310
	-a -u 10.9.0.3:0 -r 10.2.1.2:0 -m
	-A -t 10.9.0.2:8001 -s wrr
	-a -t 10.9.0.2:8001 -r 10.3.1.2:8001 -g -w 2
	-A -u 10.9.0.2:8010 -s rr
	-a -u 10.9.0.2:8010 -r 10.3.1.2:8010 -g
	-A -f 10 -s rr -p 300 -M 255.255.255.0
	-a -f 10 -r 10.2.1.2:0 -m
	-A -f 10 -6 -s sh -p 360 -M 64
	-a -f 10 -6 -r [fd02:1::2]:0 -m
	-A -f 20 -6 -s rr
	-a -f 20 -6 -r [fd02:2::2]:0 -m
	-A -f 30 -s rr
	-a -f 30 -r 10.2.2.3:8001 -m
	-A -t [fd09::1]:80 -s rr
	-a -t [fd09::1]:80 -r [fd02:1::2]:8001 -m
	-a -t [fd09::1]:80 -r [fd02:2::2]:8001 -m
	-A -t [fd09::1]:81 -s rr
	-a -t [fd09::1]:81 -r [fd02:1::2]:8002 -m
	-A -t [fd09::1]:443 -s rr -p 600 -M 64
	-a -t [fd09::1]:443 -r [fd02:1::2]:8001 -m
	-A -u [fd09::1]:53 -s rr
	-a -u [fd09::1]:53 -r [fd02:1::2]:8010 -m
	-A --sctp-service [fd09::1]:90 -s rr
	-a --sctp-service [fd09::1]:90 -r [fd02:1::2]:8020 -m
	-A -t [fd09::1]:99 -s rr
	-a -t [fd09::1]:99 -r 10.2.1.2:99 -i
	-A -t [fd09::2]:8001 -s rr
	-a -t [fd09::2]:8001 -r [fd03:1::2]:8001 -g
	-A -t [fd09::3]:0 -s rr -p 320
	-a -t [fd09::3]:0 -r [fd02:1::2]:0 -m
END

# ---- the traffic

# Nothing is sent once the connections are there, so that no timer starts anew between two readings: no heartbeats, and
# a first packet that nobody answers is repeated once.
for side in client nat1; do
	in_ns "$side" sysctl -qw net.sctp.hb_interval=3600000
done
in_ns client sysctl -qw net.ipv4.tcp_syn_retries=1

for server in nat1 nat2 dr1; do
	in_ns "$server" guest serve "/run/$server.ready" tcp/hold/[::]:8001 tcp/polite/[::]:8002 tcp/leave/[::]:8003 \
		udp/echo/[::]:8010 &
done
in_ns nat1 guest serve /run/sctp.ready sctp/hold/10.2.1.2:8020 &
for server in nat1 nat2 dr1 sctp; do
	until_true [ -e "/run/$server.ready" ]
done

in_ns client guest connect /run/client.ready <<-END &
	tcp  -         10.9.0.1:85    3 try
	tcp  -         10.9.0.1:80    8 hold
	tcp  -         10.9.0.1:80    4 half
	tcp  -         10.9.0.1:81    5 close
	tcp  -         10.9.0.1:82    6 hold
	tcp  -         10.9.0.1:82    2 half
	tcp  -         10.9.0.1:83    4 hold
	tcp  -         10.9.0.1:84    3 hold
	tcp  -         10.9.0.1:86    2 hold
	udp  -         10.9.0.1:53    6 ask
	udp  -         10.9.0.1:54    4 tell
	sctp 10.1.0.2  10.9.0.1:90    2 hold
	tcp  10.1.0.11 10.9.0.1:443   4 hold
	tcp  10.1.0.12 10.9.0.1:445   2 hold
	tcp  10.1.0.11 10.9.0.1:446   1 hold
	tcp  10.1.0.12 10.9.0.1:446   2 hold
	tcp  10.1.0.14 10.9.0.1:447   1 hold
	tcp  10.1.0.13 10.9.0.1:448   2 hold
	tcp  10.1.0.13 10.9.0.1:449   1 hold
	tcp  10.1.0.13 10.9.0.1:450   1 hold
	tcp  10.1.0.13 10.9.0.1:451   1 hold
	udp  10.1.0.12 10.9.0.1:5060  2 call
	tcp  10.1.0.11 10.9.0.3:8001  2 hold
	tcp  10.1.0.11 10.9.0.3:8002  1 close
	tcp  10.1.0.12 10.9.0.3:8001  1 hold
	udp  10.1.0.13 10.9.0.3:8010  2 ask
	tcp  -         10.9.0.2:8001  3 hold
	udp  -         10.9.0.2:8010  2 tell
	tcp  10.1.0.11 10.9.0.10:8001 2 hold
	tcp  10.1.0.12 10.9.0.10:8002 1 hold
	tcp  -         10.9.0.11:80   2 hold
	tcp  -         10.9.0.11:8001 1 hold
	tcp  fd01::11 [fd09::11]:8001 1 hold
	tcp  fd01::12 [fd09::10]:8001 2 hold
	tcp  -         [fd09::1]:80   4 hold
	tcp  -         [fd09::1]:80   1 half
	tcp  -         [fd09::1]:81   2 close
	tcp  fd01::12 [fd09::1]:443   1 hold
	udp  -         [fd09::1]:53   3 ask
	tcp  -         [fd09::2]:8001 2 hold
	tcp  fd01::11 [fd09::3]:8001  2 hold
END
until_true [ -e /run/client.ready ]

# given_up: no client's socket is in SYN_SENT any more.
given_up() {
	! in_ns client grep -q ' 02 ' /proc/net/tcp
}
until_true given_up

# recorded NAME OPTION…: a snapshot, and `ipvsstate services` of it.
recorded() {
	recorded=$1
	shift
	run "$recorded.record" ipvsstate record --lang en "$@" /run/snapshots
	run "$recorded" ipvsstate services -o json "$(sed -n 's/ (.*//p' "$OUT/$recorded.record.out")"
}
mkdir /run/snapshots

# joined NAME: the services and entries as ipvsadm has them, the sysctls, and `ipvsstate services` from each source.
joined() {
	ipvsadm -Ln >"$OUT/$1.services.txt"
	ipvsadm -S -n >"$OUT/$1.rules.txt"
	for file in /proc/sys/net/ipv4/vs/*; do
		echo "${file##*/} $(cat "$file")"
	done >"$OUT/$1.sysctls.txt"
	ipvsadm -Lnc >"$OUT/$1.listing.txt"
	run "$1.live" ipvsstate services -o json
	run "$1.files" ipvsstate services -o json "$OUT/$1.services.txt" "$OUT/$1.listing.txt"
	run "$1.rules" ipvsstate services -o json "$OUT/$1.rules.txt" "$OUT/$1.listing.txt"
	(
		ipvsadm -Ln
		ipvsadm -Lnc
	) | tee "$OUT/$1.both.txt" | run "$1.pipe" ipvsstate services -o json
	recorded "$1.recorded"
	recorded "$1.anonymized" --anonymize
}

# listed: the entries written back and counted in groups.
listed() {
	run list.ipvsadm ipvsstate list -o ipvsadm
	ipvsstate list -o proc | run list.proc ipvsstate -o json
	ipvsstate list --state ESTABLISHED -o jsonl | wc -l >"$OUT/list.established.txt"
	run list.server ipvsstate -o json --by server
	run list.client ipvsstate -o json --by client,state
}

steady full joined full
steady list listed

# ---- servers and services that go away

ipvsadm -d -t 10.9.0.1:82 -r 10.2.1.2:8001
ipvsadm -d -t 10.9.0.1:448 -r 10.2.1.2:8001
ipvsadm -D -t 10.9.0.1:83
ipvsadm -D -u 10.9.0.1:53
ipvsadm -D -t 10.9.0.1:449
ipvsadm -e -t 10.9.0.1:84 -r 10.2.1.2:8001 -m -w 0

# The real server of a pinned client is replaced: the client's next connection invalidates its template.
ipvsadm -d -t 10.9.0.1:447 -r 10.2.1.2:8001
ipvsadm -a -t 10.9.0.1:447 -r 10.2.2.2:8001 -m
in_ns client guest connect /run/again.ready <<-END &
	tcp  10.1.0.14 10.9.0.1:447  1 hold
END
until_true [ -e /run/again.ready ]
steady gone joined gone

# ---- another sysctl, and a real server that two services of firewall marks have, so that of one connection it cannot
# be told whose it is

sysctl -qw net.ipv4.vs.expire_nodest_conn=1
ipvsadm -a -f 10 -r 10.2.2.3:0 -m
steady late joined late

# ---- a service and a server that go away, while a mark's service has the real server: of their connections it cannot
# be told whose they are, of their templates it can, since a mark's have the protocol IP

sysctl -qw net.ipv4.vs.expire_nodest_conn=0 # else the kernel deletes them at once
ipvsadm -D -t 10.9.0.1:450
ipvsadm -d -t 10.9.0.1:451 -r 10.2.2.3:8001
steady shared run shared ipvsstate services -o json

# ---- the timeouts

ipvsadm --set 30 5 7
run set ipvsstate -o json --live
