# No IPVS in the kernel, then an empty table.

# Whatever wants a module from here on is written down: programs find this modprobe first, the kernel is told of it.
cat >/run/bin/modprobe <<-END
	#!/bin/sh
	echo "\$0 \$*" >>"$OUT/modprobe.txt"
END
chmod +x /run/bin/modprobe
echo /run/bin/modprobe >/proc/sys/kernel/modprobe
: >"$OUT/modprobe.txt"

cat /proc/modules >"$OUT/modules.before.txt"
run absent ipvsstate -o json
run absent-live ipvsstate -o json --live
cat /proc/modules >"$OUT/modules.after.txt"
cp "$OUT/modprobe.txt" "$OUT/modprobe.absent.txt"

insert ip_vs
cat /proc/net/ip_vs_conn >"$OUT/empty.proc.txt"
run empty ipvsstate -o json
cp "$OUT/empty.proc.txt" /run/empty.txt
run empty-file ipvsstate -o json /run/empty.txt
ipvsadm -Lcn | run empty-pipe ipvsstate -o json
