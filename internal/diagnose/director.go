package diagnose

import (
	"slices"

	"ipvsstate/internal/conn"
)

// The rules of the director itself, and of the listing.

// runs reports a sync daemon in one of its two states.
func (f *Facts) runs(backup bool) bool {
	for _, d := range f.Config.Daemons {
		if d.Backup == backup {
			return true
		}
	}
	return false
}

func (f *Facts) entries() uint64 { return f.Tally.Connections() + f.Tally.Templates() }

// deafBackup is LVS018.
func deafBackup(f *Facts) []Finding {
	if !f.runs(true) || f.runs(false) || f.Tally.Synced() > 0 {
		return nil
	}
	i := slices.IndexFunc(f.Config.Daemons, func(d conn.Daemon) bool { return d.Backup })
	g := f.finding(f.entries(), text("interface", f.Config.Daemons[i].Interface), number("entries", f.entries())).
		run("tcpdump -ni %s -c 5 udp port 8848", f.Config.Daemons[i].Interface)
	return []Finding{exact(g)}
}

// idleMaster is LVS019.
func idleMaster(f *Facts) []Finding {
	n, all := f.Tally.Synced(), f.entries()
	if !f.runs(false) || f.runs(true) || !f.volume(all, "sync.min") || !f.much(n, all, "sync.share") {
		return nil
	}
	return []Finding{exact(f.finding(n, number("synced", n), number("entries", all)).run("ip -brief address"))}
}

// hashFull is LVS021.
func hashFull(f *Facts) []Finding {
	n := f.entries()
	if !f.much(n, f.Buckets, "hash.load") {
		return nil
	}
	return []Finding{exact(f.finding(n, number("entries", n), number("buckets", f.Buckets)).run("cat /sys/module/ip_vs/parameters/conn_tab_bits"))}
}

// connMax is LVS022.
func connMax(f *Facts) []Finding {
	n, most := f.entries(), f.sysctl("conn_max")
	if !f.much(n, most, "conn_max.share") {
		return nil
	}
	return []Finding{exact(f.finding(n, number("entries", n), number("conn_max", most)).run("sysctl net.ipv4.vs.conn_max"))}
}

// listing is LVS026.
func listing(f *Facts) (found []Finding) {
	l := f.Listing
	say := func(of string, size uint64, facts ...Fact) {
		g := exact(f.finding(size, facts...))
		g.Case = of
		found = append(found, g)
	}
	if l.CutShort {
		say("cut", l.Entries, number("entries", l.Entries))
	}
	if rows := l.Entries + l.Bad; f.much(l.Bad+l.Garbled, rows, "listing.bad_share") && l.Bad+l.Garbled > 0 {
		say("", l.Bad+l.Garbled, number("bad", l.Bad+l.Garbled), number("rows", rows))
	}
	if l.Mixed {
		say("mixed", l.Entries)
	}
	return found
}
