package explain

// Ladder is the packets of a way that connections go, and what becomes of the sockets
// at their ends. The director's states are not in it: they follow from the packets.
type Ladder struct {
	// Begin is "none" where the packets begin a connection, "established" where it is open.
	Begin string `yaml:"begin"`
	Steps []Rung `yaml:"steps"`
}

// Rung is one packet.
type Rung struct {
	Packet string `yaml:"packet"` // as machine.ParseEvent reads it
	Client string `yaml:"client"` // the client's socket once the packet has arrived; empty where it stays
	Server string `yaml:"server"` // the real server's
}

// Ladder is the packets of a topic, nil where it has none.
func (c *Catalogue) Ladder(t *Topic) *Ladder {
	if t.Kind != Life {
		return nil
	}
	return c.rest().ladders[t.Key]
}

// SocketChange is one step of a TCP socket from state to state.
type SocketChange struct {
	From string `yaml:"from"`
	To   string `yaml:"to"`
	On   string `yaml:"on"`   // the call or the packet that brings it about
	Send string `yaml:"send"` // the packet that the socket sends then; empty for none
}

// SocketChanges are the changes of a TCP socket, from its beginning on.
func (c *Catalogue) SocketChanges() []SocketChange { return c.rest().sockets }
