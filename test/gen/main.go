// Gen writes a listing like a busy director's: what `ipvsadm -Lcn` prints, or
// /proc/net/ip_vs_conn holds. The same flags give the same bytes.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
)

func main() {
	rows := flag.Int("rows", 5_000_000, "entries")
	clients := flag.Int("clients", 2_000_000, "different client addresses")
	services := flag.Int("services", 40, "virtual services")
	servers := flag.Int("servers", 200, "real servers")
	format := flag.String("format", "ipvsadm", "ipvsadm or proc")
	seed := flag.Uint64("seed", 1, "seed of the random numbers")
	flag.Parse()

	g := &generator{random: rand.New(rand.NewPCG(*seed, 0)), clients: *clients, services: *services, servers: *servers}
	row, head := g.ipvsadm, "IPVS connection entries\npro expire state       source             virtual            destination\n"
	if *format == "proc" {
		row, head = g.proc, "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	out.WriteString(head)
	line := make([]byte, 0, 128)
	for range *rows {
		line = row(line[:0])
		if _, err := out.Write(line); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

type generator struct {
	random                     *rand.Rand
	clients, services, servers int
}

// states is the mix of a web director under NAT, in percent, with each state's timeout.
var states = []struct {
	name             string
	percent, timeout int
}{
	{"ESTABLISHED", 38, 900}, {"TIME_WAIT", 30, 120}, {"FIN_WAIT", 16, 120}, {"SYN_RECV", 6, 60},
	{"CLOSE_WAIT", 4, 60}, {"CLOSE", 4, 10}, {"NONE", 2, 3},
}

type entry struct {
	client, virtual, server             uint32
	clientPort, virtualPort, serverPort uint16
	state                               string
	left                                int
}

func (g *generator) entry() entry {
	s := g.random.IntN(g.services)
	e := entry{
		client:     0x0b000000 + uint32(g.random.IntN(g.clients))*1237, // scattered over public addresses
		clientPort: uint16(1024 + g.random.IntN(64512)),
		virtual:    0xcb007100 + uint32(s/2), // 203.0.113.0 and up
		server:     0xac103e00 + uint32(g.random.IntN(g.servers)),
	}
	e.virtualPort, e.serverPort = 443, 8443
	if s%2 == 1 {
		e.virtualPort, e.serverPort = 80, 8080
	}
	p := g.random.IntN(100)
	for _, s := range states {
		if p -= s.percent; p < 0 {
			e.state, e.left = s.name, g.random.IntN(s.timeout)
			break
		}
	}
	return e
}

func (g *generator) ipvsadm(b []byte) []byte {
	e := g.entry()
	return fmt.Appendf(b, "TCP %02d:%02d  %-11s %-18s %-18s %s\n", e.left/60, e.left%60, e.state,
		endpoint(e.client, e.clientPort), endpoint(e.virtual, e.virtualPort), endpoint(e.server, e.serverPort))
}

func (g *generator) proc(b []byte) []byte {
	e := g.entry()
	return fmt.Appendf(b, "TCP %08X %04X %08X %04X %08X %04X %-11s %7d\n", e.client, e.clientPort,
		e.virtual, e.virtualPort, e.server, e.serverPort, e.state, e.left)
}

func endpoint(a uint32, port uint16) string {
	return fmt.Sprintf("%d.%d.%d.%d:%d", a>>24, a>>16&0xff, a>>8&0xff, a&0xff, port)
}
