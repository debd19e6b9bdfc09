package capture

import (
	"bytes"
	"regexp"

	"ipvsstate/internal/parse"
)

// promptHost is the host that a line tells which is a shell's prompt, with the command behind it or
// without, in one of the usual forms
//
//	[root@lvs1 ~]# ipvsadm -Lnc
//	root@lvs1:~# ipvsadm -Lnc
//	root@lvs1 ~ # ipvsadm -Lnc
//
// with # or $ or %. A prompt whose command
// runs elsewhere (ssh, kubectl, docker) tells that the host is not known: then it is empty,
// and ok.
func promptHost(line []byte) (host string, ok bool) {
	if len(line) > maxTimeLine {
		return "", false
	}
	if bytes.IndexByte(line, 0x1b) >= 0 {
		line = parse.WithoutEscapes(line)
	}
	line = bytes.TrimSpace(line)
	if len(line) == 0 || line[0] != '[' && line[0]|0x20-'a' >= 26 {
		return "", false
	}
	at := bytes.IndexByte(line, '@')
	if at < 0 || at > 40 {
		return "", false
	}
	user, rest := line[:at], line[at+1:]
	bracket := user[0] == '['
	if bracket {
		user = user[1:]
	}
	n := bytes.IndexAny(rest, ": ]")
	if n < 0 || !isHostName(user) || !isHostName(rest[:n]) {
		return "", false
	}
	name, rest := string(rest[:n]), rest[n:]
	sign := bytes.IndexAny(rest, "#$%")
	if sign < 1 || bracket != (rest[sign-1] == ']') || len(bytes.Fields(rest[:sign])) > 2 || sign+1 < len(rest) && rest[sign+1] != ' ' {
		return "", false
	}
	for _, word := range bytes.Fields(rest[sign+1:]) {
		if elsewhere[string(word)] {
			return "", true
		}
	}
	if name == "localhost" {
		return "", true
	}
	return name, true
}

// headingHost is the host that a line of its own tells, in front of what was read there: a director's usual name, with
// its number, that is set off on both sides, and what ansible prints
//
//	== lvs1 ==
//	==> prod-lb-2.example.com <==
//	lvs1 | CHANGED | rc=0 >>
//
// Other names in such places are of files, interfaces, kernels, tickets and much else.
func headingHost(line []byte) (host string, ok bool) {
	if len(line) > maxTimeLine {
		return "", false
	}
	line = bytes.TrimSpace(line)
	name, rest, found := bytes.Cut(line, []byte(" | "))
	if found && (bytes.HasPrefix(rest, []byte("CHANGED")) || bytes.HasPrefix(rest, []byte("SUCCESS"))) && bytes.HasSuffix(rest, []byte(">>")) {
		return string(name), isDirector(string(name))
	}
	name = trimMarks(line)
	front := bytes.Index(line, name)
	if front < 2 || len(line)-front-len(name) < 2 || !usualName.Match(name) {
		return "", false
	}
	return string(name), !kindWords[string(name[bytes.LastIndexByte(name, '.')+1:])] // lvs1.log
}

// usualName is a director's, perhaps with its site in front, and with its domain.
var usualName = regexp.MustCompile(`^(?:[A-Za-z0-9]+[-_])*(?i:lvs|lb|slb|dpvs|director|ldirector|ha|gw)[-_]?\d+(?:[-_][A-Za-z0-9]+)*(?:\.[A-Za-z][A-Za-z0-9-]*)*$`)

// elsewhere are commands that run others on another host.
var elsewhere = wordSet("ssh sshpass pssh pdsh clush ansible salt kubectl oc docker podman nerdctl crictl lxc virsh vagrant telnet")
