//go:build unix

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/capabilities"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// heard returns a function that returns what systemd has heard since its last call.
func heard(t *testing.T) (all func() []string) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "notify")
	systemd, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { systemd.Close() })
	t.Setenv("NOTIFY_SOCKET", socket)
	file, err := systemd.File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return func() (states []string) {
		for message := make([]byte, 1024); ; {
			n, _, err := syscall.Recvfrom(int(file.Fd()), message, syscall.MSG_DONTWAIT)
			if err != nil {
				return states
			}
			states = append(states, string(message[:n]))
		}
	}
}

// Systemd hears of a healthy node three times in the time after which it would restart it, and no more of one
// that has left.
func TestTheWatchdog(t *testing.T) {
	said := heard(t)
	t.Setenv("WATCHDOG_USEC", "30000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	synctest.Test(t, func(t *testing.T) {
		mock, err := mockserver.New()
		if err != nil {
			t.Fatal(err)
		}
		defer mock.Close()
		node, err := registration.New(registration.Config{
			NodeID: "gpu-node-1", MachineID: "machine-alpha", Address: "http://192.168.1.100:9200",
			OrchestratordURL: "http://orchestratord", Pools: []string{"pool-0"},
			HTTPClient: &http.Client{Transport: mocktest.Transport(mock)},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- node.Run(ctx, newPool("pool-0", 1).status) }()
		synctest.Wait()
		alive, end := context.WithCancel(t.Context())
		over := make(chan bool)
		go func() { watchdog(alive, node); close(over) }()
		for _, want := range []int{0, 1, 1, 1} {
			if got := said(); len(got) != want || want == 1 && got[0] != "WATCHDOG=1" {
				t.Errorf("systemd heard %q in 10 s", got)
			}
			time.Sleep(10 * time.Second)
			synctest.Wait()
		}
		stop()
		<-left
		said()
		time.Sleep(time.Minute)
		if got := said(); len(got) != 0 {
			t.Errorf("systemd heard %q of a node that has left", got)
		}
		end()
		<-over
	})
	t.Setenv("WATCHDOG_USEC", "")
	watchdog(t.Context(), nil) // which returns
}

// Systemd hears of each change of a node, also after its drain has begun, and not of each heartbeat.
func TestWhatSystemdHears(t *testing.T) {
	said := heard(t)
	ready()
	report(registration.Event{Type: registration.EventOnline})
	report(registration.Event{Type: registration.EventHeartbeat})
	stopping()
	report(registration.Event{Type: registration.EventFailed})
	want := []string{"READY=1", "STATUS=online", "STOPPING=1", "STATUS=failed"}
	if got := said(); !slices.Equal(got, want) {
		t.Errorf("systemd heard %q, want %q", got, want)
	}
}

// The status of a pool through its life.
func TestTheStatusOfAPool(t *testing.T) {
	p := newPool("pool-7", 2)
	p.freeVRAM.Store(5)
	step := func(what string, ready bool, free int32) {
		t.Helper()
		want := []registration.PoolStatus{{
			PoolID: "pool-7", Ready: ready, Draining: !ready, SlotsFree: free, SlotsTotal: 2, VRAMFreeBytes: 5,
		}}
		got, err := p.status(t.Context())
		if !reflect.DeepEqual(got, want) || err != nil {
			t.Errorf("%s: status %+v, want %+v, %v", what, got, want, err)
		}
	}
	step("new", true, 2)
	taken := 0
	for p.enter() {
		taken++
	}
	if taken != 2 {
		t.Errorf("%d slots were taken of 2", taken)
	}
	step("full", true, 0)
	p.leave()
	step("one left", true, 1)
	idle := p.drain()
	if p.enter() {
		t.Error("work came in during the drain")
	}
	step("draining", false, 1)
	select {
	case <-idle:
		t.Error("the pool was idle before its work was done")
	default:
	}
	if p.leave(); p.drain() != idle {
		t.Error("a second drain waits for another end")
	}
	<-idle
	step("idle", false, 2)
	p = newPool("pool-8", 1)
	<-p.drain() // which has nothing to wait for
	if p.enter() {
		t.Error("work came in during the drain of an idle pool")
	}
}

// Orchestratord hears of each slot that is taken and free again, and a prompt has a size.
func TestWork(t *testing.T) {
	for name, test := range map[string]struct {
		size, status int
		changes      int
	}{
		"a prompt":         {1 << 20, http.StatusOK, 2},
		"one too long":     {1<<20 + 1, http.StatusBadRequest, 2},
		"one without slot": {1, http.StatusServiceUnavailable, 0},
	} {
		p, changes := newPool("pool-0", 1), 0
		if test.changes == 0 {
			p.enter()
		}
		free := []int{} // slots at each change
		work := p.work(func() { changes++; free = append(free, p.slots-p.busy) })
		prompt, answer := strings.Repeat("x", test.size), httptest.NewRecorder()
		work(answer, httptest.NewRequest(http.MethodPost, "/work", strings.NewReader(prompt)))
		if answer.Code != test.status || changes != test.changes ||
			(answer.Body.String() == prompt) != (test.status == http.StatusOK) {
			t.Errorf("%s: status %d, %d bytes, %d changes", name, answer.Code, answer.Body.Len(), changes)
		}
		if test.changes == 2 && (free[0] != 0 || free[1] != 1) {
			t.Errorf("%s: the changes were reported with %d slots free", name, free)
		}
	}
}

// The free memory of the GPUs is up to date every five seconds.
func TestTheMemoryIsWatched(t *testing.T) {
	root := t.TempDir()
	if err := os.CopyFS(root, os.DirFS("../../pkg/capabilities/testdata/roots/renderers")); err != nil {
		t.Fatal(err)
	}
	device := filepath.Join(root, "sys/class/drm/renderD129/device")
	used := func(bytes string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(device, "mem_info_vram_used"), []byte(bytes), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const total = 8573157376
	p := newPool("pool-0", 1)
	used("0")
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		over := make(chan bool)
		go func() {
			p.watchMemory(ctx, &capabilities.Machine{Root: root, NVML: "none", NVIDIASMI: "none"})
			close(over)
		}()
		time.Sleep(time.Second)
		for _, bytes := range []int64{0, 1000, 2000} {
			if free := p.freeVRAM.Load(); free != total-bytes {
				t.Errorf("%d bytes are free, want %d", free, total-bytes)
			}
			used(strconv.FormatInt(bytes+1000, 10))
			time.Sleep(5 * time.Second)
		}
		stop()
		<-over
	})
}

// pipes is a listener in memory.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if connection, open := <-p; open {
		return connection, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

// A request that is answered too late is cut off a second after the work has ended.
func TestShut(t *testing.T) {
	for name, takes := range map[string]time.Duration{"in time": 900 * time.Millisecond, "too late": time.Hour} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					select {
					case <-time.After(takes):
					case <-r.Context().Done():
					}
				})}
				listener := make(pipes)
				go server.Serve(listener)
				mine, its := net.Pipe()
				listener <- its
				answer := make(chan string)
				go func() {
					io.WriteString(mine, "GET / HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n")
					text, _ := io.ReadAll(mine)
					answer <- string(text)
				}()
				synctest.Wait()
				begin, over := time.Now(), make(chan error)
				go func() { over <- shut(t.Context(), server) }()
				got := <-answer
				if took := time.Since(begin); took > time.Second ||
					strings.HasPrefix(got, "HTTP/1.1 200") != (takes < time.Second) {
					t.Errorf("after %v the answer is %q", took, got)
				}
				if err := <-over; err != nil || time.Since(begin) > 2*time.Second {
					t.Errorf("after %v the server ends with %v", time.Since(begin), err)
				}
			})
		})
	}
}

func TestWhatANodeIsMadeOf(t *testing.T) {
	for variable, value := range map[string]string{
		"ORCHESTRATORD_URL": "https://h:1", "POOL_MANAGERD_POOLS": "pool-0", "POOL_MANAGERD_NODE_ID": "gpu-node-1",
		"POOL_MANAGERD_ADDRESS": "http://h:2",
	} {
		t.Setenv(variable, value)
	}
	for flag, test := range map[string]struct {
		value string
		field func(settings) any
		want  any
		unset any
	}{
		"listen":        {"h:1", func(s settings) any { return s.listen }, "h:1", "127.0.0.1:9200"},
		"slots":         {"1", func(s settings) any { return s.slots }, 1, 4},
		"drain-timeout": {"1m", func(s settings) any { return s.drain }, time.Minute, 30 * time.Second},
		"tls-ca":        {"ca", func(s settings) any { return s.node.TLS.CAFile }, "ca", ""},
	} {
		s, err := parse([]string{"-" + flag, test.value})
		unset, unsetErr := parse(nil)
		if err != nil || unsetErr != nil || test.field(s) != test.want || test.field(unset) != test.unset {
			t.Errorf("-%s makes %v of %v, %v", flag, test.field(s), test.field(unset), err)
		}
	}
	s, err := parse([]string{"-tls-cert", "cert", "-tls-key", "key"})
	if err != nil || s.node.TLS.CertFile != "cert" || s.node.TLS.KeyFile != "key" {
		t.Errorf("-tls-cert and -tls-key make %+v, %v", s.node.TLS, err)
	}
}
