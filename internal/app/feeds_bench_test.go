package app_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"silkpost/internal/app"
	"silkpost/internal/articles"
	"silkpost/internal/config"
	"silkpost/internal/database"
	"silkpost/internal/testkit"
)

// BenchmarkServeFeed is the running program with a feed of about 100 KB in its memory, beside a bare net/http server whose handler does
// nothing but write the same bytes with the same headers. Readers in a process of their own keep 64 connections to each and ask the two
// by turns.
//
// req/s and bare-req/s are medians of the turns, and ratio that of the pairs of turns. Readers and servers share the machine, so what the
// readers take brings ratio nearer to 1 than it is; cpu-ratio is without them: the processor time of this process for an answer of
// the bare server by that for one of the program.
func BenchmarkServeFeed(b *testing.B) {
	program := serveProgram(b)
	plain, packed := readOnce(b, program, ""), readOnce(b, program, gzipHeader)
	for _, c := range []struct{ name, header string }{
		{"gzip", gzipHeader},
		{"304", gzipHeader + "If-None-Match: " + packed.Header.Get("ETag") + "\r\n"},
	} {
		b.Run(c.name, func(b *testing.B) {
			race(b, program, serveBare(b, readOnce(b, program, c.header)), c.header)
			b.ReportMetric(float64(len(plain.body))/1000, "KB")
			b.ReportMetric(float64(len(packed.body))/1000, "KB-gzip")
		})
	}
}

const gzipHeader = "Accept-Encoding: gzip\r\n"

// turn is how long one server is asked before the other one is.
const turn = 100 * time.Millisecond

// race asks the two servers by turns and reports how they did.
func race(b *testing.B, program, bare, header string) {
	readers := startAudience(b, program, bare, header)
	for who := range 2 { // to get warm
		readers.ask(b, who)
	}
	var rates, cpus [2][]float64 // of program and bare: answers a second, and seconds of processor time for one
	for n := 0; b.Loop(); n++ {
		for i := range 2 {
			who := (n + i) % 2
			before := testkit.ProcessorTime(b)
			rate := readers.ask(b, who)
			rates[who] = append(rates[who], rate)
			cpus[who] = append(cpus[who], (testkit.ProcessorTime(b)-before).Seconds()/(rate*turn.Seconds()))
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(quotients(rates[0], rates[1])), "ratio")
	b.ReportMetric(median(quotients(cpus[1], cpus[0])), "cpu-ratio")
	b.ReportMetric(median(rates[0]), "req/s")
	b.ReportMetric(median(rates[1]), "bare-req/s")
	b.ReportMetric(median(cpus[0])*1e6, "cpu-µs/req")
}

func quotients(a, b []float64) (all []float64) {
	for i := range a {
		all = append(all, a[i]/b[i])
	}
	return all
}

func median(all []float64) float64 { return slices.Sorted(slices.Values(all))[len(all)/2] }

// serveProgram runs the program with fifty articles and returns its address.
func serveProgram(b *testing.B) (address string) {
	cfg := config.Defaults()
	cfg.DatabaseURL, cfg.Listen, cfg.SecretKey = testkit.FreshURL(b), "127.0.0.1:0", []string{secretKey}
	a, err := app.Open(b.Context(), cfg, app.Options{Log: slog.New(slog.NewTextHandler(b.Output(), nil))}) // level info, as serve has it
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = a.Close(context.Background()) })
	publishNews(b, a)
	web, err := a.Listen()
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx, app.Parts{Web: web}) }()
	b.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	return web.Addr().String()
}

func publishNews(b *testing.B, a *app.App) {
	now := a.Clock.Now()
	drafts := make([]articles.Draft, 50)
	for i := range drafts {
		drafts[i] = articles.Draft{
			ExternalKey: fmt.Sprint(i), URL: fmt.Sprintf("https://www.example.org/%d", i), Title: fmt.Sprintf("Title %d", i), Language: "en",
			HTML: testkit.Prose(uint64(i), 1000), Section: "News", Tags: []string{"robots", "people"}, Published: now.Add(-time.Duration(i) * time.Hour),
		}
	}
	err := database.Transact(b.Context(), a.DB, func(tx *sqlx.Tx) error {
		source, err := a.Articles.EnsureSource(b.Context(), tx, "desk", now)
		if err == nil {
			_, err = a.Articles.Save(b.Context(), tx, source, drafts, articles.SaveOptions{Now: now})
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
}

// serveBare runs a server that gives the same answer to everything, and returns its address.
func serveBare(b *testing.B, same answer) (address string) {
	header := same.Header.Clone()
	header.Del("Date") // net/http's own
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		h := w.Header()
		for name, values := range header {
			h[name] = values
		}
		w.WriteHeader(same.StatusCode)
		_, _ = w.Write(same.body)
	})}
	go func() { _ = server.Serve(ln) }()
	b.Cleanup(func() { _ = server.Close() })
	return ln.Addr().String()
}

// requestTo is a reader's whole request.
func requestTo(address, header string) string {
	return "GET /feeds/all.rss HTTP/1.1\r\nHost: " + address + "\r\nUser-Agent: reader/1.0\r\nAccept: */*\r\n" + header + "\r\n"
}

func readOnce(b *testing.B, address, header string) answer {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	a, err := readAnswer(conn, conn, requestTo(address, header))
	if err != nil {
		b.Fatal(err)
	}
	return a
}

func readAnswer(from io.Reader, conn io.Writer, request string) (a answer, err error) {
	if _, err := io.WriteString(conn, request); err != nil {
		return a, err
	}
	a.Response, err = http.ReadResponse(bufio.NewReader(from), nil)
	if err == nil {
		a.body, err = io.ReadAll(a.Body)
	}
	return a, err
}

// The readers are this test's program once more, told by the environment what to do: two addresses and what the requests to them have
// beside. A line on its standard input says whom to ask, and it answers with how many answers it got a second.
const readersEnvironment = "SILKPOST_TEST_READERS"

type audience struct {
	tell io.Writer
	said *bufio.Reader
}

func startAudience(b *testing.B, program, bare, header string) audience {
	cmd := exec.CommandContext(context.Background(), os.Args[0])
	cmd.Env = append(os.Environ(), readersEnvironment+"="+strings.Join([]string{program, bare, header}, "|"))
	cmd.Stderr = os.Stderr
	tell, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	said, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = tell.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("the readers: %v", err)
		}
	})
	return audience{tell, bufio.NewReader(said)}
}

// ask has one of the two servers asked for a turn.
func (a audience) ask(b *testing.B, who int) (rate float64) {
	fmt.Fprintln(a.tell, who)
	line, err := a.said.ReadString('\n')
	if err == nil {
		rate, err = strconv.ParseFloat(strings.TrimSpace(line), 64)
	}
	if err != nil {
		b.Fatal(err)
	}
	return rate
}

// readersMain is what the readers' process does.
func readersMain(told string) error {
	parts := strings.Split(told, "|")
	var crowds [2][]*reader
	for who := range crowds {
		for range 64 {
			r, err := newReader(parts[who], parts[2])
			if err != nil {
				return err
			}
			crowds[who] = append(crowds[who], r)
		}
	}
	orders := bufio.NewScanner(os.Stdin)
	for orders.Scan() {
		who, err := strconv.Atoi(orders.Text())
		if err != nil {
			return err
		}
		rate, err := askAll(crowds[who])
		if err != nil {
			return err
		}
		fmt.Println(rate)
	}
	return orders.Err()
}

func askAll(crowd []*reader) (rate float64, err error) {
	var stop atomic.Bool
	var answers atomic.Int64
	var group errgroup.Group
	begin := time.Now()
	for _, r := range crowd {
		group.Go(func() error {
			n := int64(0)
			defer func() { answers.Add(n) }()
			for ; !stop.Load(); n++ {
				if err := r.read(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	time.Sleep(turn)
	stop.Store(true)
	err = group.Wait()
	return float64(answers.Load()) / time.Since(begin).Seconds(), err
}

// reader sends one request again and again. Of the answers it looks at nothing but how long they are, which is always the same.
type reader struct {
	conn    net.Conn
	request []byte
	answer  []byte
}

func newReader(address, header string) (*reader, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	request := requestTo(address, header)
	var whole bytes.Buffer
	if _, err := readAnswer(io.TeeReader(conn, &whole), conn, request); err != nil {
		return nil, err
	}
	return &reader{conn, []byte(request), whole.Bytes()}, nil
}

func (r *reader) read() error {
	if _, err := r.conn.Write(r.request); err != nil {
		return err
	}
	_, err := io.ReadFull(r.conn, r.answer)
	return err
}
