package consumer_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
	"github.com/llama-orch/node-registration/pkg/registration"
)

// TestStubServesANode has a real node of a name of its own register, beat and leave at a
// server that has nothing but the committed pact, as Pact's stub servers do.
func TestStubServesANode(t *testing.T) {
	orchestratord := newStub(t)
	events := make(chan registration.Event, 64)
	n, err := registration.New(registration.Config{
		NodeID: "gpu-node-7", MachineID: "machine-beta", Address: "https://[fd00::7]:9200",
		OrchestratordURL: orchestratord.URL,
		Pools:            []string{"pool-a"}, Version: "1.2.3", Capabilities: hardware(),
		APIToken: registration.StaticToken("any"),
		Jitter:   func() float64 { return 0 },
		OnEvent:  func(e registration.Event) { events <- e },
		Logger:   slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err = n.StartHeartbeat(ctx, func(context.Context) ([]registration.PoolStatus, error) {
		return []registration.PoolStatus{{
			PoolID: "pool-a", Ready: true, SlotsFree: 1, SlotsTotal: 8, VRAMFreeBytes: 1, Engine: "vllm",
			ModelsAvailable: []string{"m"},
		}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []registration.EventType{registration.EventRegistered, registration.EventOnline} {
		select {
		case e := <-events:
			if e.Type != want {
				t.Fatalf("the node is %s, not %s: %v", e.Type, want, e.Err)
			}
		case <-ctx.Done():
			t.Fatalf("the node is not %s", want)
		}
	}
	if err := n.Deregister(ctx); err != nil {
		t.Error(err)
	}
}

func hardware() registration.Capabilities {
	gpu := registration.GPU{Name: "NVIDIA H100", VRAMTotalBytes: 80_000_000_000, ComputeCapability: "9.0"}
	other := gpu
	other.DeviceID = 1
	return registration.Capabilities{
		GPUCount: 2, TotalVRAMMB: 160_000, CUDAVersion: "12.4", CPUCores: 64, RAMTotalBytes: 1 << 40,
		GPUs: []registration.GPU{gpu, other},
	}
}

func TestStubServesTheList(t *testing.T) {
	client, err := nodeapi.NewClientWithResponses(newStub(t).URL)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.ListNodesWithResponse(t.Context(), nil, func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer a-token-that-is-valid-0123456789")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer.JSON200 == nil || len(answer.JSON200.Nodes) != 1 {
		t.Errorf("the list is %s: %s", answer.Status(), answer.Body)
	}
}

// newStub starts a server that answers as the first interaction whose request matches.
func newStub(t *testing.T) *httptest.Server {
	t.Helper()
	pact, err := pactfile.Read("../pacts/pool-managerd-orchestratord.json")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body any
		content, err := io.ReadAll(r.Body)
		if err == nil && len(content) > 0 {
			err = json.Unmarshal(content, &body)
		}
		i := slices.IndexFunc(pact.Interactions, func(i pactfile.Interaction) bool { return fits(i.Request, r, body) })
		if err != nil || i < 0 {
			t.Errorf("the pact has no %s %s with %s: %v", r.Method, r.URL.Path, content, err)
			w.WriteHeader(http.StatusNotFound)
			return
		}
		response := pact.Interactions[i].Response
		maps.Copy(w.Header(), response.Headers)
		w.WriteHeader(response.Status)
		text, _ := response.Body.Bytes()
		_, _ = w.Write(text)
	}))
	t.Cleanup(server.Close)
	return server
}

// fits reports whether a real request is one that the pact means. It knows the matchers of
// the committed pact alone.
func fits(want pactfile.Request, r *http.Request, body any) bool {
	if r.Method != want.Method || !matches(want.Rules.Path, want.Path, r.URL.Path) {
		return false
	}
	for name, values := range want.Headers {
		if !matches(want.Rules.Header[name], values[0], r.Header.Get(name)) {
			return false
		}
	}
	return want.Body.Empty() && body == nil || !want.Body.Empty() &&
		fitsBody("$", want.Rules.Body, want.Body.Content, body)
}

// fitsBody compares a value with an example: their fields and lengths are the same, and each
// value inside matches its rule.
func fitsBody(at string, rules []pactfile.BodyRule, want, have any) bool {
	switch want := want.(type) {
	case map[string]any:
		fields, isObject := have.(map[string]any)
		for name, value := range want {
			if !fitsBody(at+"."+name, rules, value, fields[name]) {
				return false
			}
		}
		return isObject && len(fields) == len(want)
	case []any:
		items, isList := have.([]any)
		if !isList || len(items) != len(want) {
			return false
		}
		for i, value := range want {
			if !fitsBody(at+"["+string(rune('0'+i))+"]", rules, value, items[i]) {
				return false
			}
		}
		return true
	}
	var matchers []pactfile.Matcher
	for _, rule := range rules {
		if rule.Path.String() == at {
			matchers = rule.Matchers
		}
	}
	return matches(matchers, want, have)
}

// matches reports whether a value matches all matchers, or equals the example if there are none.
func matches(matchers []pactfile.Matcher, want, have any) bool {
	for _, m := range matchers {
		switch m.Match {
		case "type":
			if reflect.TypeOf(want) != reflect.TypeOf(have) {
				return false
			}
		case "integer":
			if number, isNumber := have.(float64); !isNumber || number != float64(int64(number)) {
				return false
			}
		case "regex":
			text, isText := have.(string)
			if !isText {
				digits, _ := json.Marshal(have)
				text = string(digits)
			}
			if !regexp.MustCompile(`\A(?:` + m.Regex + `)\z`).MatchString(text) {
				return false
			}
		default:
			return false
		}
	}
	return len(matchers) > 0 || reflect.DeepEqual(want, have)
}
