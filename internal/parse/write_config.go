package parse

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"

	"ipvsstate/internal/conn"
)

const configTitles = "Prot LocalAddress:Port Scheduler Flags\n" +
	"  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"

// AppendConfig writes a director's configuration as lines that a ConfigReader reads back:
// the services as `ipvsadm -Ln` lists them, the timeouts as `ipvsadm -L --timeout`, the
// sync daemons as `ipvsadm -L --daemon`, the sysctls as `sysctl -a`. What is not told is not written: no services leave their titles
// out too. A count that is not known is written as kernels have printed a negative one,
// 4294967295, which is read as not known. Counts of templates have no column.
func AppendConfig(dst []byte, c *conn.Config) []byte {
	if c.Services != nil {
		dst = append(dst, configTitles...)
	}
	for i := range c.Services {
		dst = appendService(dst, &c.Services[i])
	}
	if t := c.Timeouts; t != nil {
		dst = fmt.Appendf(dst, "%s%d %d %d\n", timeoutText, t.TCP, t.TCPFin, t.UDP)
	}
	for _, d := range c.Daemons {
		text := masterText
		if d.Backup {
			text = backupText
		}
		dst = fmt.Appendf(dst, "%smcast=%s, syncid=%d)\n", text, d.Interface, d.SyncID)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Sysctls)) {
		dst = fmt.Appendf(dst, "%s%s = %s\n", sysctlText, name, c.Sysctls[name])
	}
	return dst
}

func appendService(dst []byte, v *conn.Service) []byte {
	if v.Fwmark != 0 {
		dst = fmt.Appendf(dst, "FWM  %d", v.Fwmark)
		if v.IPv6 {
			dst = append(dst, " IPv6"...)
		}
	} else {
		dst = fmt.Appendf(dst, "%-4s %s", v.Protocol, v.Virtual)
	}
	dst = append(dst, ' ')
	dst = append(appendServiceText(dst, v), '\n')
	for i := range v.Servers {
		s := &v.Servers[i]
		method := s.Forwarding.String()
		if method == "" {
			method = "(null)" // ipvsadm's word for one it has no name for
		}
		dst = fmt.Appendf(dst, "  -> %-28s %-7s %-6d %-10d %d\n", s.Address, method, uint32(s.Weight), uint32(s.Active), uint32(s.Inactive))
	}
	return dst
}

// ServiceText is what ipvsadm prints of a service behind its name: the scheduler, and flags.
func ServiceText(v *conn.Service) string { return string(appendServiceText(nil, v)) }

func appendServiceText(dst []byte, v *conn.Service) []byte {
	dst = append(dst, v.Scheduler...)
	if v.SchedulerFlags != "" {
		dst = fmt.Appendf(dst, " (%s)", v.SchedulerFlags)
	}
	if v.Persistent > 0 {
		dst = fmt.Appendf(dst, " persistent %d", v.Persistent)
	}
	if v.Mask > 0 {
		dst = append(dst, " mask "...)
		dst = append(dst, mask(v)...)
	}
	if v.PEName != "" {
		dst = fmt.Appendf(dst, " pe %s", v.PEName)
	}
	if v.OnePacket {
		dst = append(dst, " ops"...)
	}
	return dst
}

// mask is a persistence mask as ipvsadm prints it: of IPv6 its length.
func mask(v *conn.Service) string {
	if v.IPv6 {
		return strconv.Itoa(v.Mask)
	}
	whole := netip.AddrFrom4([4]byte{255, 255, 255, 255})
	return netip.PrefixFrom(whole, v.Mask).Masked().Addr().String()
}
