package ipvs

import (
	"context"
	"fmt"
	"io"
	"math/bits"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	mobyipvs "github.com/moby/ipvs"
	"github.com/sirupsen/logrus"

	"ipvsstate/internal/conn"
)

// ReadConfig reads services, real servers and timeouts over netlink, which wants
// CAP_NET_ADMIN. It returns with the context at the latest, while the handle of
// moby/ipvs, which can wait for ever, is left to itself. What could be read is
// returned beside an error.
func ReadConfig(ctx context.Context, w Where) (*conn.Config, error) {
	if w.proc() != defaultProc {
		return nil, ErrOtherProc
	}
	path, err := w.netnsPath()
	if err != nil {
		return nil, err
	}
	// moby/ipvs runs modprobe when it starts: never reach it without the module, whose
	// files are in every namespace or in none.
	if _, err := os.Stat(filepath.Join(defaultProc, "net", "ip_vs")); err != nil {
		return nil, ErrNoIPVS
	}
	type result struct {
		config *conn.Config
		err    error
	}
	answer := make(chan result, 1)
	go func() {
		config, err := readConfig(path)
		answer <- result{config, err}
	}()
	select {
	case r := <-answer:
		return r.config, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("netlink did not answer in time: %w", ctx.Err())
	}
}

func readConfig(netnsPath string) (config *conn.Config, err error) {
	// On an answer it does not expect moby/ipvs panics (GetConfig, v1.1.0).
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("moby/ipvs failed: %v", p)
		}
	}()
	logrus.SetOutput(io.Discard) // it logs what it also returns
	h, err := mobyipvs.New(netnsPath)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	services, err := h.GetServices()
	if err != nil {
		return nil, err
	}
	config = &conn.Config{Services: make([]conn.Service, 0, len(services))}
	if daemons, err := readDaemons(netnsPath); err == nil { // for the diagnosis alone, which says so where it lacks them
		config.Daemons = daemons
	}
	for _, s := range services {
		servers, err := h.GetDestinations(s)
		if err != nil {
			return nil, err
		}
		config.Services = append(config.Services, service(s, servers))
	}
	timeouts, err := h.GetConfig()
	if err != nil {
		return config, err
	}
	config.Timeouts = &conn.Timeouts{TCP: seconds(timeouts.TimeoutTCP), TCPFin: seconds(timeouts.TimeoutTCPFin), UDP: seconds(timeouts.TimeoutUDP)}
	return config, nil
}

func seconds(d time.Duration) conn.Seconds { return conn.Seconds(d / time.Second) }

// Flags of a service (linux/ip_vs.h).
const (
	flagPersistent = 0x1
	flagOnePacket  = 0x4
	flagScheduler  = 0x8 // the first of three
)

// schedulerFlags names a service's scheduler flags as ipvsadm does (print_sched_flags).
func schedulerFlags(s *mobyipvs.Service) string {
	names := []string{"flag-1", "flag-2", "flag-3"}
	if s.SchedName == "sh" || s.SchedName == "mh" {
		names[0], names[1] = s.SchedName+"-fallback", s.SchedName+"-port"
	}
	var set []string
	for i, name := range names {
		if s.Flags&(flagScheduler<<i) != 0 {
			set = append(set, name)
		}
	}
	return strings.Join(set, ",")
}

func service(s *mobyipvs.Service, servers []*mobyipvs.Destination) conn.Service {
	to := conn.Service{
		Fwmark:         s.FWMark,
		IPv6:           s.AddressFamily == syscall.AF_INET6,
		Scheduler:      s.SchedName,
		SchedulerFlags: schedulerFlags(s),
		OnePacket:      s.Flags&flagOnePacket != 0,
		Servers:        make([]conn.Server, 0, len(servers)),
	}
	if s.FWMark == 0 {
		switch s.Protocol {
		case syscall.IPPROTO_TCP:
			to.Protocol = conn.TCP
		case syscall.IPPROTO_UDP:
			to.Protocol = conn.UDP
		case syscall.IPPROTO_SCTP:
			to.Protocol = conn.SCTP
		default:
			to.Protocol, _ = conn.ProtocolOf(fmt.Sprintf("IP_%d", s.Protocol))
		}
		to.Virtual = endpoint(s.Address, s.Port)
	}
	if s.Flags&flagPersistent != 0 {
		to.Persistent = conn.Seconds(s.Timeout)
		to.Mask = mask(s)
	}
	for _, d := range servers {
		to.Servers = append(to.Servers, conn.Server{
			Address:    endpoint(d.Address, d.Port),
			Forwarding: conn.Forwarding(d.ConnectionFlags & mobyipvs.ConnectionFlagFwdMask),
			Weight:     d.Weight,
			Active:     d.ActiveConnections,
			Inactive:   d.InactiveConnections,
			Persistent: conn.UnknownCount, // not read by moby/ipvs
		})
	}
	return to
}

// mask is the length of a service's persistence mask, 0 where it is the whole address:
// of IPv4 the kernel tells the mask, of IPv6 its length (IPVS_SVC_ATTR_NETMASK).
func mask(s *mobyipvs.Service) int {
	length, whole := bits.OnesCount32(s.Netmask), 32
	if s.AddressFamily == syscall.AF_INET6 {
		length, whole = int(s.Netmask), 128
	}
	if length == whole {
		return 0
	}
	return length
}

func endpoint(ip net.IP, port uint16) conn.Endpoint {
	a, _ := netip.AddrFromSlice(ip) // no address leaves a zero one, which prints as such
	return conn.Endpoint{Addr: a.Unmap(), Port: port, PortKnown: true}
}
