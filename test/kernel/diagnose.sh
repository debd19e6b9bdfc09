# What goes wrong on a director, made with true traffic: first a table with nothing wrong, then one with most of what
# there is to find. The network, its addresses and in_ns are those of traffic.sh, whose first part the test runs before this.

# What takes hundreds of connections on a director takes a few here.
cat >/run/thresholds <<-END
	syn_recv.min=5
	close.min=5
	close_wait.min=5
	fin_wait.min=5
	rearmed.min=1
END

# diagnosed NAME: the director as it is, and what is saved of it.
diagnosed() {
	ipvsadm -Lcn >"$OUT/$1.listing.txt"
	run "$1.live" ipvsstate diagnose -o json --set-file /run/thresholds
	{
		ipvsadm -Ln
		sysctl net.ipv4.vs
		cat "$OUT/$1.listing.txt"
	} >"$OUT/$1.saved.txt"
	run "$1.saved" ipvsstate diagnose -o json --set-file /run/thresholds "$OUT/$1.saved.txt"
}

ipvsadm -R <<-END
	-A -t 10.9.0.1:80 -s rr
	-a -t 10.9.0.1:80 -r 10.2.1.2:8001 -m
	-a -t 10.9.0.1:80 -r 10.2.2.2:8001 -m
	-A -t 10.9.0.1:81 -s rr
	-a -t 10.9.0.1:81 -r 10.2.1.2:8002 -m
	-A -t 10.9.0.2:8001 -s rr
	-a -t 10.9.0.2:8001 -r 10.3.1.2:8001 -g
	-A -t 10.9.0.2:8002 -s rr
	-a -t 10.9.0.2:8002 -r 10.3.1.2:8002 -g
END

for server in nat1 nat2 dr1; do
	in_ns "$server" guest serve "/run/$server.ready" tcp/hold/[::]:8001 tcp/polite/[::]:8002 tcp/leave/[::]:8003 udp/echo/[::]:8010 &
done
for server in nat1 nat2 dr1; do
	until_true [ -e "/run/$server.ready" ]
done
in_ns client guest connect /run/healthy.ready <<-END &
	tcp - 10.9.0.1:80   20 hold
	tcp - 10.9.0.1:81   20 close
	tcp - 10.9.0.2:8001 20 hold
	tcp - 10.9.0.2:8002 20 close
END
until_true [ -e /run/healthy.ready ]
diagnosed healthy

ipvsadm -R <<-END
	-A -u 10.9.0.1:53 -s rr
	-a -u 10.9.0.1:53 -r 10.2.1.2:8010 -m
	-A -t 10.9.0.1:82 -s rr
	-a -t 10.9.0.1:82 -r 10.2.1.2:8003 -m
	-A -t 10.9.0.1:83 -s rr
	-a -t 10.9.0.1:83 -r 10.2.1.2:8004 -m
	-a -t 10.9.0.1:83 -r 10.2.2.2:8001 -m
	-A -t 10.9.0.1:85 -s rr
	-a -t 10.9.0.1:85 -r 10.2.3.2:8001 -m
	-a -t 10.9.0.1:85 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:86 -s rr
	-a -t 10.9.0.1:86 -r 10.2.3.2:8001 -m
	-A -t 10.9.0.1:87 -s rr
	-a -t 10.9.0.1:87 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:88 -s rr
	-a -t 10.9.0.1:88 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:89 -s rr -p 600
	-a -t 10.9.0.1:89 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:93 -s rr -p 2
	-a -t 10.9.0.1:93 -r 10.2.1.2:8001 -m
	-A -t 10.9.0.1:98 -s rr
	-A -t 10.9.0.2:8005 -s rr
	-a -t 10.9.0.2:8005 -r 10.2.3.2:8005 -g
	-A -t 10.9.0.2:8006 -s rr
	-a -t 10.9.0.2:8006 -r 10.2.3.2:8006 -g
END

in_ns client guest connect /run/sick.ready <<-END &
	tcp - 10.9.0.1:93   1 hold
	tcp - 10.9.0.1:82   8 hold
	tcp - 10.9.0.1:87   8 half
	tcp - 10.9.0.1:88   6 hold
	tcp 10.1.0.11 10.9.0.1:89 3 hold
	udp - 10.9.0.1:53   6 ask
	tcp - 10.9.0.1:85   12 try
	tcp - 10.9.0.1:86   6 try
	tcp - 10.9.0.2:8005 6 try
END
until_true [ -e /run/sick.ready ]
ipvsadm -d -t 10.9.0.1:88 -r 10.2.1.2:8001
ipvsadm -a -t 10.9.0.1:88 -r 10.2.2.2:8001 -m
ipvsadm -d -u 10.9.0.1:53 -r 10.2.1.2:8010
ipvsadm -a -u 10.9.0.1:53 -r 10.2.2.2:8010 -m
ipvsadm -e -t 10.9.0.1:89 -r 10.2.1.2:8001 -m -w 0

# held: the template of 10.9.0.1:93 has been given another minute, since its two seconds are over and its connection lives.
held() {
	ipvsadm -Lcn | grep -q '00:5.* 10\.1\.0\.2:0 *10\.9\.0\.1:93'
}
until_true held

# CLOSE lasts ten seconds: what makes it comes last.
in_ns client guest connect /run/refused.ready <<-END &
	tcp - 10.9.0.1:83   12 try
END
until_true [ -e /run/refused.ready ]
# The kernel takes secure_tcp up within a second; under direct routing a SYN alone is SYNACK then.
sysctl -qw net.ipv4.vs.secure_tcp=3
sleep 1.2
in_ns client guest connect /run/secure.ready <<-END &
	tcp - 10.9.0.2:8006 2 try
END
until_true [ -e /run/secure.ready ]
diagnosed sick
