# Thousands of entries by IPVS's own sync protocol: a namespace plays the master, the director is the backup.
#
# Few hash buckets, as on a director that outgrew its module parameter, make each read of the table slow enough to be
# cut short.

IP_VS_PARAMETERS=conn_tab_bits=8
insert ipv6 veth ip_vs ip_vs_rr ip_vs_sh
start_backup

# Two services that the entries belong to, so that the kernel counts them by real server.
ipvsadm -R <<-END
	-A -t 192.0.2.1:8000 -s rr
	-a -t 192.0.2.1:8000 -r 198.51.100.1:80 -m
	-a -t 192.0.2.1:8000 -r 198.51.100.2:80 -m
	-A -u 192.0.2.2:8001 -s sh
	-a -u 192.0.2.2:8001 -r 198.51.100.1:80 -m
END

# What a backup says of itself that hears nothing, and one that hears its master.
run deaf ipvsstate diagnose -o json --ignore LVS014,LVS015
fill every 20000 20000
steady volume readings volume
run hears ipvsstate diagnose -o json

# Some more, while the table is read; of IPv6, whose rows are long: after that one read takes long enough to be stopped
# in the middle.
mkdir /run/grown
run growing ipvsstate -o json &
growing=$!
run grown.record ipvsstate record --host lb1 /run/grown &
sleep 0.3
fill more 20000 40000
wait "$growing" "$!"
run grown ipvsstate list -o proc /run/grown/*
start=$(date +%s.%N)
run many ipvsstate -o json --timeout 60s
end=$(date +%s.%N)
busybox awk -v start="$start" -v end="$end" 'BEGIN { print end - start }' >"$OUT/many.seconds"
run interrupted guest interrupt ip_vs_conn_sync ipvsstate -o json
half=$(busybox awk '{ printf "%dms", $1 * 500 }' "$OUT/many.seconds")
run out-of-time ipvsstate -o json --timeout "$half"
