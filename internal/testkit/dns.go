package testkit

import (
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Names is a DNS server of a test's own, by UDP and TCP on one port of 127.0.0.1. It answers for every name: what it does not have is NXDOMAIN.
type Names struct {
	Addr string // host:port

	mu      sync.Mutex
	records map[string][]dnsmessage.Resource // by name and type
	names   map[string]bool
	broken  map[string]bool
	asked   []string
}

// DNS runs a server until the test ends. The zone has a record on each line: name, type and value, as in "example.org TXT v=spf1 -all". Types are TXT, MX
// ("10 mx.example.org"), A, AAAA and CNAME; with SERVFAIL a name cannot be asked about.
func DNS(t testing.TB, zone string) *Names {
	t.Helper()
	n := &Names{}
	n.Set(t, zone)
	packets, streams := listenTwice(t)
	n.Addr = packets.LocalAddr().String()
	var serving sync.WaitGroup
	serving.Go(func() { n.servePackets(packets) })
	serving.Go(func() { n.serveStreams(streams, &serving) })
	t.Cleanup(func() {
		_, _ = packets.Close(), streams.Close()
		serving.Wait()
	})
	return n
}

// listenTwice listens by UDP and TCP on one port. A port that is free for one may be taken for the other.
func listenTwice(t testing.TB) (packets net.PacketConn, streams net.Listener) {
	t.Helper()
	var err error
	for range 20 {
		if packets, err = (&net.ListenConfig{}).ListenPacket(t.Context(), "udp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		if streams, err = net.Listen("tcp", packets.LocalAddr().String()); err == nil {
			return packets, streams
		}
		_ = packets.Close()
	}
	t.Fatal(err)
	return nil, nil
}

// Set replaces the zone.
func (n *Names) Set(t testing.TB, zone string) {
	t.Helper()
	records, names, broken := map[string][]dnsmessage.Resource{}, map[string]bool{}, map[string]bool{}
	for line := range strings.Lines(zone) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		kind, value, _ := strings.Cut(rest, " ")
		if name == "" {
			continue
		}
		name = strings.ToLower(name) + "."
		if names[name] = true; kind == "SERVFAIL" {
			broken[name] = true
			continue
		}
		body := recordOf(t, kind, value)
		key := name + kind
		records[key] = append(records[key], dnsmessage.Resource{
			Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(name), Class: dnsmessage.ClassINET, TTL: 1}, Body: body,
		})
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.records, n.names, n.broken = records, names, broken
}

func recordOf(t testing.TB, kind, value string) dnsmessage.ResourceBody {
	t.Helper()
	switch kind {
	case "TXT":
		body := &dnsmessage.TXTResource{}
		for ; len(value) > 255; value = value[255:] {
			body.TXT = append(body.TXT, value[:255])
		}
		body.TXT = append(body.TXT, value)
		return body
	case "MX":
		preference, host, _ := strings.Cut(value, " ")
		number, err := strconv.ParseUint(preference, 10, 16)
		if err != nil {
			t.Fatalf("MX %s: %v", value, err)
		}
		return &dnsmessage.MXResource{Pref: uint16(number), MX: dnsmessage.MustNewName(strings.TrimSuffix(host, ".") + ".")}
	case "A":
		return &dnsmessage.AResource{A: netip.MustParseAddr(value).As4()}
	case "AAAA":
		return &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(value).As16()}
	case "CNAME":
		return &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(value + ".")}
	}
	t.Fatalf("a record of type %q", kind)
	return nil
}

// Asked returns the questions that came, as "name TYPE", in their order.
func (n *Names) Asked() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.asked...)
}

func (n *Names) servePackets(conn net.PacketConn) {
	buf := make([]byte, 4096)
	for {
		size, from, err := conn.ReadFrom(buf)
		if err != nil {
			return
		}
		if answer := n.answer(buf[:size], 512); answer != nil {
			_, _ = conn.WriteTo(answer, from)
		}
	}
}

func (n *Names) serveStreams(ln net.Listener, serving *sync.WaitGroup) {
	for {
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		serving.Go(func() {
			defer conn.Close()
			var size uint16
			for binary.Read(conn, binary.BigEndian, &size) == nil {
				question := make([]byte, size)
				if _, err := io.ReadFull(conn, question); err != nil {
					return
				}
				answer := n.answer(question, 1<<16)
				_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
			}
		})
	}
}

// answer answers a question in at most so many bytes; what is longer is cut, and says so, for the other way of asking.
func (n *Names) answer(question []byte, most int) []byte {
	var m dnsmessage.Message
	if m.Unpack(question) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	name := strings.ToLower(q.Name.String())
	kind := strings.TrimPrefix(q.Type.String(), "Type")
	n.mu.Lock()
	n.asked = append(n.asked, strings.TrimSuffix(name, ".")+" "+kind)
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, Authoritative: true, RecursionAvailable: true}, Questions: m.Questions}
	aliases := n.records[name+"CNAME"]
	switch {
	case n.broken[name]:
		reply.RCode = dnsmessage.RCodeServerFailure
	case len(aliases) > 0:
		target := aliases[0].Body.(*dnsmessage.CNAMEResource).CNAME.String()
		reply.Answers = append(append(reply.Answers, aliases...), n.records[strings.ToLower(target)+kind]...)
	case !n.names[name]:
		reply.RCode = dnsmessage.RCodeNameError
	default:
		reply.Answers = n.records[name+kind]
	}
	n.mu.Unlock()
	packed, err := reply.Pack()
	if err == nil && len(packed) > most {
		reply.Truncated, reply.Answers = true, nil
		packed, err = reply.Pack()
	}
	if err != nil {
		return nil
	}
	return packed
}
