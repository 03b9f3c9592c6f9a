//go:build pact

package provider

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/llama-orch/node-registration/contracts/internal/target"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// nodes are the nodes that the provider knows, which are changed through its API.
type nodes struct {
	api   *nodeapi.Client
	token string
}

func newNodes(p Provider, line http.RoundTripper) (*nodes, error) {
	_, err := target.Parse(p.URL, p.Token)
	if err != nil {
		return nil, err
	}
	n := &nodes{token: p.Token}
	client := &http.Client{Transport: line}
	n.api, err = nodeapi.NewClient(p.URL, nodeapi.WithHTTPClient(client), nodeapi.WithRequestEditorFn(n.authorize))
	return n, err
}

func (n *nodes) authorize(_ context.Context, r *http.Request) error {
	if n.token != "" {
		r.Header.Set("Authorization", "Bearer "+n.token)
	}
	return nil
}

// probe makes sure that there is something to verify, with which a node could talk.
func (n *nodes) probe(ctx context.Context) error {
	answer, err := n.api.ListNodes(ctx, nil)
	if err != nil {
		return err
	}
	body, _ := io.ReadAll(answer.Body) // it is there already
	why := target.Refusal(answer.StatusCode, n.token)
	if why == "" {
		return nil
	}
	if to, err := answer.Location(); err == nil && answer.StatusCode/100 == 3 { // whose query may hold a secret
		return fmt.Errorf("orchestratord answers %d: %s: %s://%s%s", answer.StatusCode, why, to.Scheme, to.Host,
			to.Path)
	}
	return fmt.Errorf("orchestratord answers %d: %s%s", answer.StatusCode, why, because(body))
}

// needsToken reports whether a list without a token is refused.
func (n *nodes) needsToken(ctx context.Context) (bool, error) {
	answer, err := n.api.ListNodes(ctx, nil, func(_ context.Context, r *http.Request) error {
		r.Header.Del("Authorization")
		return nil
	})
	if err != nil {
		return false, err
	}
	answer.Body.Close()
	return answer.StatusCode == http.StatusUnauthorized, nil
}

func (n *nodes) register(ctx context.Context, id string) error {
	return expect(http.StatusOK)(n.api.RegisterNode(ctx, nil, nodeapi.RegisterRequest{
		NodeID:       id,
		MachineID:    "pact-machine-1",
		Address:      "http://192.0.2.10:9200", // of the block for documentation, RFC 5737
		Pools:        []string{"pool-0"},
		Capabilities: nodeapi.NodeCapabilities{Gpus: &[]nodeapi.GPU{}},
	}))
}

func (n *nodes) beat(ctx context.Context, id string) error {
	return expect(http.StatusOK)(n.api.HeartbeatNode(ctx, id, nil, nodeapi.HeartbeatRequest{
		Timestamp: time.Now().UTC(),
		Pools:     []nodeapi.PoolStatus{},
	}))
}

func (n *nodes) remove(ctx context.Context, id string) error {
	return expect(http.StatusNoContent, http.StatusNotFound)(n.api.DeregisterNode(ctx, id, nil))
}

// expect returns what makes an error of any answer that has none of the statuses.
func expect(statuses ...int) func(*http.Response, error) error {
	return func(answer *http.Response, err error) error {
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		if slices.Contains(statuses, answer.StatusCode) {
			return nil
		}
		body, _ := io.ReadAll(answer.Body) // it is there already
		return fmt.Errorf("%s %s was answered %d, not %d%s",
			answer.Request.Method, answer.Request.URL.Path, answer.StatusCode, statuses[0], because(body))
	}
}
