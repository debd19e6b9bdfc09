package parse

import "bytes"

// isTitle reports ipvsadm's first line.
func isTitle(clean []byte) bool {
	return bytes.Contains(clean, []byte("IPVS connection entries"))
}

// columns is the format whose column titles a line holds, Auto for none.
func columns(clean []byte) Format {
	words := bytes.Fields(clean)
	has := func(at int, want ...string) bool {
		if len(words)-at < len(want) {
			return false
		}
		for k, w := range want {
			if string(words[at+k]) != w {
				return false
			}
		}
		return true
	}
	for i, w := range words {
		switch {
		case bytes.HasSuffix(w, []byte("pro")) && has(i+1, "expire", "state", "source", "virtual"):
			if has(i+5, "local") {
				return Fullnat
			}
			return Ipvsadm
		case bytes.HasSuffix(w, []byte("Pro")) && has(i+1, "FromIP", "FPrt", "ToIP", "TPrt"):
			switch {
			case has(i+5, "LocalIP"):
				return Fullnat
			case has(i+5, "DestIP", "DPrt", "State", "Origin"):
				return ProcSync
			}
			return Proc
		}
	}
	return Auto
}

// Message is what a command printed where its listing should be.
type Message uint8

// The messages, each with the text that tells it (ipvsadm 1.24 to 1.31, DPVS 1.10).
const (
	NoMessage Message = iota
	// NoProcFile is `cannot open file /proc/net/ip_vs_conn`, or cat's own words
	// for it: the module is not loaded.
	NoProcFile
	// NotRoot is `Can't initialize ipvs: Permission denied (you must be root)`.
	NotRoot
	// NoIPVS is any other `Can't initialize ipvs: …`.
	NoIPVS
	// NoDPVS is DPVS's ipvsadm without a running dpvs.
	NoDPVS
	// CutShort is DPVS's `Fail to fetch all connection entries!`, which may follow
	// rows.
	CutShort
	// Conflict is an option that ipvsadm does not take together with -c.
	Conflict
	// NoCommand is a shell that did not find ipvsadm.
	NoCommand
)

var messageTexts = [...]struct {
	text []byte
	is   Message
}{
	{[]byte("Can't initialize ipvs: Permission denied"), NotRoot},
	{[]byte("Can't initialize ipvs"), NoIPVS},
	{[]byte("Are you sure that dpvs is running"), NoDPVS},
	{[]byte("[dpvs_getsockopt]"), NoDPVS},
	{[]byte("[sockopt_msg_"), NoDPVS},
	{[]byte("Fail to fetch all connection entries"), CutShort},
	{[]byte("cannot open file /proc/net/ip_vs_conn"), NoProcFile},
	{[]byte("unexpected input from /proc/net/ip_vs_conn"), NoProcFile},
	{[]byte("/proc/net/ip_vs_conn: No such file or directory"), NoProcFile},
	{[]byte("/proc/net/ip_vs_conn': No such file or directory"), NoProcFile},
	{[]byte("cannot open '/proc/net/ip_vs_conn"), NoProcFile},
	{[]byte("/proc/net/ip_vs_conn: Permission denied"), NoProcFile},
	{[]byte("conflicts with the 'connection' option"), Conflict},
	{[]byte("options conflicts in the list command"), Conflict},
	{[]byte("ipvsadm: command not found"), NoCommand},
	{[]byte("ipvsadm: not found"), NoCommand},
	{[]byte("ipvsadm: 未找到命令"), NoCommand},
	{[]byte("command not found: ipvsadm"), NoCommand},
	{[]byte("ipvsadm: No such file or directory"), NoCommand},
}

// message recognises a saved error message.
func message(clean []byte) Message {
	for i := range messageTexts {
		if bytes.Contains(clean, messageTexts[i].text) {
			return messageTexts[i].is
		}
	}
	return NoMessage
}
