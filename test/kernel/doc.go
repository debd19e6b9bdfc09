// Package kernel tests ipvsstate against a real Linux kernel with IPVS, on a machine that may have none itself.
//
// The kernel is Debian's user-mode-linux: a whole kernel in an ordinary process, up in two seconds, which sees the
// host's files. Each test boots a guest with one scenario script, in which network namespaces are clients, real
// servers and directors, and compares on the host what ipvsstate said with what ipvsadm and the kernel's own files
// said at the same moment. The comparison counts entries with a few lines of its own, not with ipvsstate's parser.
//
//	go test ./test/kernel                             # skipped, saying why, where a program is missing
//	CI=true go test ./test/kernel                     # missing programs are a failure
//	IPVSSTATE_KERNEL_BENCH=1 go test -v -timeout 30m -run LiveRead ./test/kernel
//
// What it needs, as root on Debian or Ubuntu: apt-get install user-mode-linux busybox-static ipvsadm iproute2
//
// The scenarios:
//
//	empty.sh    no IPVS in the kernel, then an empty table
//	traffic.sh  true connections through NAT and direct routing, services, timeouts, a second namespace
//	services.sh services of every sort beside their entries; what is left when servers and services go
//	diagnose.sh a healthy director, and one with most of what goes wrong
//	volume.sh   thousands of entries in every state, sent by the sync protocol; reads that are cut short
//	bench.sh    how long one read of 100,000 entries takes, beside cat and ipvsadm
package kernel
