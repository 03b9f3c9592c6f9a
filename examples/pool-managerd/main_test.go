//go:build unix

package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/internal/devcert"
	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// asProgram is set in the environment of a process that is the program, not its tests.
const asProgram = "POOL_MANAGERD_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process is the program as a process, and systemd that has started it.
type process struct {
	*exec.Cmd
	url     string
	systemd *net.UnixConn
	said    map[string]bool // to systemd
}

// start starts the program for a node of an orchestratord, and waits until it serves.
func start(t *testing.T, orchestratord string, args ...string) *process {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { systemd.Close() })
	program := exec.Command(os.Args[0], append([]string{"-listen", "127.0.0.1:0"}, args...)...)
	d := &process{Cmd: program, systemd: systemd, said: map[string]bool{}}
	d.Env = append(os.Environ(), asProgram+"=1", "NOTIFY_SOCKET="+socket, "WATCHDOG_USEC=1500000",
		"ORCHESTRATORD_URL="+orchestratord, "POOL_MANAGERD_NODE_ID=gpu-node-1", "POOL_MANAGERD_POOLS=pool-0",
		"POOL_MANAGERD_ADDRESS=http://192.168.1.100:9200", "CUDA_VISIBLE_DEVICES=", "ROCR_VISIBLE_DEVICES=",
		"PATH="+drivers) // whose nvidia-smi fails: a node goes on without what cannot be read
	stderr, err := d.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Process.Kill() })
	lines := bufio.NewScanner(io.TeeReader(stderr, t.Output()))
	for d.url == "" && lines.Scan() {
		if _, address, found := strings.Cut(lines.Text(), "serving address="); found {
			d.url = "http://" + address
		}
	}
	go io.Copy(t.Output(), stderr)
	if d.url == "" {
		t.Fatal("the program does not serve")
	}
	return d
}

// patience is for a machine that is very busy.
const patience = 2 * time.Minute

// says waits until the program has notified systemd of a state.
func (d *process) says(t *testing.T, want string) {
	t.Helper()
	d.systemd.SetReadDeadline(time.Now().Add(patience))
	message := make([]byte, 1024)
	for !d.said[want] {
		n, err := d.systemd.Read(message)
		if err != nil {
			t.Fatalf("systemd has not heard %s: %v", want, err)
		}
		d.said[string(message[:n])] = true
	}
}

// beats waits until the node has reported a pool that is like that.
func beats(t *testing.T, orchestratord *mocktest.Server, is ...mocktest.PoolState) {
	t.Helper()
	orchestratord.Expect(t, mocktest.AtLeast(1, mocktest.Heartbeats).WithPool("pool-0", is...).Within(patience))
}

// get returns the status and the body of an answer.
func (d *process) get(t *testing.T, path string) (status int, body string) {
	t.Helper()
	answer, err := http.Get(d.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(content)
}

// ends waits for the program to end, and checks that it has left orchestratord.
func (d *process) ends(t *testing.T, orchestratord *mocktest.Server) {
	t.Helper()
	if err := d.Wait(); err != nil {
		t.Errorf("the program has failed: %v", err)
	}
	orchestratord.ExpectStatus(t, "gpu-node-1", mocktest.Gone)
}

func (d *process) signal(t *testing.T) {
	t.Helper()
	if err := d.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// The node is alive while orchestratord is away, and ready when it has been online.
func TestProbes(t *testing.T) {
	t.Parallel()
	orchestratord := mocktest.InMemory(t)
	var back atomic.Bool
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !back.Load() {
			http.Error(w, "away", http.StatusServiceUnavailable)
			return
		}
		orchestratord.ServeHTTP(w, r)
	}))
	defer front.Close()
	d := start(t, front.URL)
	d.says(t, "READY=1")
	d.says(t, "STATUS=failed")
	if status, body := d.get(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("ready before orchestratord knows the node: %d %s", status, body)
	}
	if status, body := d.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("not healthy while orchestratord is away: %d %s", status, body)
	}
	back.Store(true)
	d.says(t, "STATUS=online")
	if status, body := d.get(t, "/readyz"); status != http.StatusOK {
		t.Errorf("not ready although online: %d %s", status, body)
	}
	if _, body := d.get(t, "/metrics"); !strings.Contains(body, "node_registration_heartbeats_total{") {
		t.Errorf("the metrics are\n%s", body)
	}
	if cores := orchestratord.Nodes()[0].Registration.Capabilities.CPUCores; cores == nil || *cores < 1 {
		t.Error("the hardware was not detected")
	}
	d.signal(t)
	d.says(t, "STOPPING=1")
	d.ends(t, orchestratord)
}

// job is a piece of work that ends when its prompt does.
type job struct {
	begun  chan struct{} // closed when the program asks for the prompt, and so has a slot
	prompt *io.PipeWriter
	answer chan string
}

func (d *process) work(t *testing.T) job {
	reader, writer := io.Pipe()
	j := job{make(chan struct{}), writer, make(chan string, 1)}
	begins := &httptrace.ClientTrace{Got100Continue: func() { close(j.begun) }}
	request, err := http.NewRequestWithContext(httptrace.WithClientTrace(t.Context(), begins), http.MethodPost,
		d.url+"/work", reader)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Expect", "100-continue")
	go func() {
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			j.answer <- err.Error()
			return
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		j.answer <- answer.Status + " " + string(body)
	}()
	return j
}

func TestDrain(t *testing.T) {
	t.Parallel()
	orchestratord := mocktest.Start(t)
	d := start(t, orchestratord.URL, "-slots", "2", "-drain-timeout", "1h")
	d.says(t, "WATCHDOG=1")
	d.says(t, "STATUS=online")
	under := d.work(t)
	beats(t, orchestratord, mocktest.Ready, mocktest.SlotsFree(1))

	d.signal(t)
	beats(t, orchestratord, mocktest.Draining, mocktest.SlotsFree(1))
	d.says(t, "STOPPING=1")
	for range 2 { // one may have been on its way
		delete(d.said, "WATCHDOG=1")
		d.says(t, "WATCHDOG=1")
	}
	if status, body := d.get(t, "/readyz"); status != http.StatusServiceUnavailable || body != "the node drains\n" {
		t.Errorf("ready while it drains: %d %s", status, body)
	}
	if status, body := d.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("not healthy while it drains: %d %s", status, body)
	}
	refused := d.work(t)
	refused.prompt.Close()
	if got := <-refused.answer; got != "503 Service Unavailable no slot is free\n" {
		t.Errorf("work during the drain is answered %s", got)
	}
	io.WriteString(under.prompt, "a prompt")
	under.prompt.Close()
	if got := <-under.answer; got != "200 OK a prompt" {
		t.Errorf("the work under way is answered %s", got)
	}
	d.ends(t, orchestratord)
}

// A node that orchestratord does not know ends its work, too.
func TestDrainOfAnUnknownNode(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	d := start(t, away.URL, "-drain-timeout", "1h")
	under := d.work(t)
	select {
	case <-under.begun:
	case got := <-under.answer:
		t.Fatalf("the work is answered %s before its prompt is there", got)
	}
	d.signal(t)
	d.says(t, "STOPPING=1")
	io.WriteString(under.prompt, "a prompt")
	under.prompt.Close()
	if got := <-under.answer; got != "200 OK a prompt" {
		t.Errorf("the work under way is answered %s", got)
	}
	if err := d.Wait(); err != nil {
		t.Errorf("the program has failed: %v", err)
	}
}

// Work that does not end keeps the node no longer than it may.
func TestDrainThatIsCutShort(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		timeout string
		signals int
	}{
		"by its deadline":   {"1ms", 1},
		"by another signal": {"1h", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			orchestratord := mocktest.Start(t)
			d := start(t, orchestratord.URL, "-drain-timeout", test.timeout)
			d.says(t, "STATUS=online")
			under := d.work(t)
			defer under.prompt.Close()
			beats(t, orchestratord, mocktest.SlotsFree(3))
			d.signal(t)
			if test.signals > 1 {
				beats(t, orchestratord, mocktest.Draining)
				d.signal(t)
			}
			d.ends(t, orchestratord)
		})
	}
}

func TestTokenFileAndMutualTLS(t *testing.T) {
	t.Parallel()
	files, err := devcert.Make(t.Context(), filepath.Join(t.TempDir(), "certificates"))
	if err != nil {
		t.Fatal(err)
	}
	const token = "a-token-of-more-than-thirty-two-bytes"
	tokenFile := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(tokenFile, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	orchestratord := mocktest.InMemory(t, mockserver.WithTokens(token))
	front := httptest.NewUnstartedServer(orchestratord)
	front.TLS = mutual(t, files)
	front.StartTLS()
	defer front.Close()
	d := start(t, front.URL, "-token-file", tokenFile,
		"-tls-ca", files.CA, "-tls-cert", files.Client, "-tls-key", files.Client)
	d.says(t, "STATUS=online")
	d.signal(t)
	d.ends(t, orchestratord)
}

// mutual returns what a server needs that asks for certificates.
func mutual(t *testing.T, files devcert.Files) *tls.Config {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(files.Server, files.Server)
	if err != nil {
		t.Fatal(err)
	}
	ca, err := os.ReadFile(files.CA)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &tls.Config{
		Certificates: []tls.Certificate{pair}, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert,
	}
}

// TestBadSettings starts the program with settings that no node can have: its log names where they come from.
func TestBadSettings(t *testing.T) {
	for name, test := range map[string]struct{ variable, flags, want string }{
		"no pool":          {"POOL_MANAGERD_POOLS=", "", "POOL_MANAGERD_POOLS names 0 pools: must name one"},
		"two pools":        {"POOL_MANAGERD_POOLS=a,b", "", "POOL_MANAGERD_POOLS names 2 pools: must name one"},
		"no slot":          {"", "-slots 0", "-slots is 0: must be 1 or more"},
		"half a pair":      {"", "-tls-cert a", "-tls-cert and -tls-key need each other, and only one is set"},
		"a stray argument": {"", "serve", "belongs to no flag, and there are no other arguments"},
		"a URL without a scheme": {
			"ORCHESTRATORD_URL=h:1", "",
			"invalid configuration: orchestratord URL [ORCHESTRATORD_URL] lacks its scheme, as in http://h:1",
		},
		"no URL": {"ORCHESTRATORD_URL=", "", "orchestratord URL [ORCHESTRATORD_URL] is empty"},
		"a URL and a flag that do not fit": {
			"ORCHESTRATORD_URL=http://h:1", "-tls-ca /dev/null",
			"orchestratord URL [ORCHESTRATORD_URL] is not https, but TLS is set",
		},
		"a pool of no form": {"POOL_MANAGERD_POOLS=a b", "", "pools/0 [POOL_MANAGERD_POOLS] is"},
		"an interval": {
			"POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS=20", "",
			"node timeout is 30s, which is not longer than two heartbeat intervals " +
				"[POOL_MANAGERD_HEARTBEAT_INTERVAL_SECS] of 20s",
		},
		"no number": {"ORCHESTRATORD_NODE_TIMEOUT_MS=x", "", "ORCHESTRATORD_NODE_TIMEOUT_MS is"},
	} {
		t.Run(name, func(t *testing.T) {
			program := exec.CommandContext(t.Context(), os.Args[0], strings.Fields(test.flags)...)
			program.Env = append(os.Environ(), asProgram+"=1", "ORCHESTRATORD_URL=http://h:1",
				"POOL_MANAGERD_POOLS=pool-0", "POOL_MANAGERD_NODE_ID=gpu-node-1",
				"POOL_MANAGERD_ADDRESS=http://h:2", test.variable)
			if said, err := program.CombinedOutput(); err == nil || !strings.Contains(string(said), test.want) {
				t.Errorf("the program ends with %v and says %s, want %s", err, said, test.want)
			}
		})
	}
}
