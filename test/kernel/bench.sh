# How long one whole read of a large table takes: ROUNDS rounds of each reader, in turn.

IP_VS_PARAMETERS=conn_tab_bits=12
insert ipv6 veth ip_vs
start_backup
fill typical 100000 100000
guest time "$ROUNDS" "$OUT/seconds.txt" \
	"cat /proc/net/ip_vs_conn >/dev/null" \
	"ipvsstate -o json >/dev/null" \
	"ipvsadm -Lcn >/dev/null"
table_has 100000
