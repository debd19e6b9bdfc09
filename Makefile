.PHONY: test bench

# Everything that must hold before a change lands. It installs what it lacks where it may.
test:
	@test/all.sh

# Times and memory beside wc, awk and ipvsadm. Wants an idle machine.
bench:
	@test/bench.sh
