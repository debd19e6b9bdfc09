package ipvs

import (
	"encoding/binary"
	"errors"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"ipvsstate/internal/conn"
)

// The sync daemons, which moby/ipvs does not read (linux/ip_vs.h, linux/genetlink.h).
const (
	ctrlFamily     = 0x10 // GENL_ID_CTRL
	ctrlGetFamily  = 3    // CTRL_CMD_GETFAMILY
	attrFamilyID   = 1    // CTRL_ATTR_FAMILY_ID
	attrFamilyName = 2    // CTRL_ATTR_FAMILY_NAME

	cmdGetDaemon    = 11 // IPVS_CMD_GET_DAEMON
	attrDaemon      = 3  // IPVS_CMD_ATTR_DAEMON
	attrDaemonState = 1  // IPVS_DAEMON_ATTR_STATE
	attrDaemonIface = 2  // IPVS_DAEMON_ATTR_MCAST_IFN
	attrDaemonID    = 3  // IPVS_DAEMON_ATTR_SYNC_ID
	stateBackup     = 2  // IP_VS_STATE_BACKUP

	typeMask   = 0x3fff // NLA_TYPE_MASK
	genlHeader = 4      // struct genlmsghdr
)

// genlRequest is a message's head behind netlink's: command, version, two unused bytes.
type genlRequest struct{ command, version uint8 }

func (r genlRequest) Len() int          { return genlHeader }
func (r genlRequest) Serialize() []byte { return []byte{r.command, r.version, 0, 0} }

// readDaemons reads which sync daemons run in a network namespace.
func readDaemons(path string) ([]conn.Daemon, error) {
	ns := netns.None()
	if path != "" {
		h, err := netns.GetFromPath(path)
		if err != nil {
			return nil, err
		}
		defer h.Close()
		ns = h
	}
	socket, err := nl.GetNetlinkSocketAt(ns, netns.None(), unix.NETLINK_GENERIC)
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	timeout := unix.Timeval{Sec: 3}
	if err := socket.SetReceiveTimeout(&timeout); err != nil {
		return nil, err
	}
	ask := func(family, flags int, command uint8, data ...nl.NetlinkRequestData) ([][]byte, error) {
		req := nl.NewNetlinkRequest(family, flags)
		req.Sockets = map[int]*nl.SocketHandle{unix.NETLINK_GENERIC: {Socket: socket}}
		req.AddData(genlRequest{command, 1})
		for _, d := range data {
			req.AddData(d)
		}
		return req.Execute(unix.NETLINK_GENERIC, 0)
	}
	answers, err := ask(ctrlFamily, 0, ctrlGetFamily, nl.NewRtAttr(attrFamilyName, nl.ZeroTerminated("IPVS")))
	if err != nil {
		return nil, err
	}
	family := 0
	for _, m := range answers {
		if id := attributes(m)[attrFamilyID]; len(id) >= 2 {
			family = int(binary.NativeEndian.Uint16(id))
		}
	}
	if family == 0 {
		return nil, errors.New("the kernel's netlink knows no IPVS")
	}
	answers, err = ask(family, unix.NLM_F_DUMP, cmdGetDaemon)
	if err != nil {
		return nil, err
	}
	all := []conn.Daemon{}
	for _, m := range answers {
		of := nested(attributes(m)[attrDaemon])
		if state := of[attrDaemonState]; len(state) >= 4 {
			d := conn.Daemon{Backup: binary.NativeEndian.Uint32(state) == stateBackup, Interface: strings.TrimRight(string(of[attrDaemonIface]), "\x00")}
			if id := of[attrDaemonID]; len(id) >= 4 {
				d.SyncID = int(binary.NativeEndian.Uint32(id))
			}
			all = append(all, d)
		}
	}
	return all, nil
}

// attributes are those of a message behind its head.
func attributes(message []byte) map[uint16][]byte {
	if len(message) < genlHeader {
		return nil
	}
	return nested(message[genlHeader:])
}

func nested(data []byte) map[uint16][]byte {
	parsed, err := nl.ParseRouteAttr(data)
	if err != nil {
		return nil
	}
	all := make(map[uint16][]byte, len(parsed))
	for _, a := range parsed {
		all[a.Attr.Type&typeMask] = a.Value
	}
	return all
}
