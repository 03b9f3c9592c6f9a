//go:build pact

package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/internal/weburl"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// nodes are the nodes that the provider knows, which are changed through its API.
type nodes struct {
	api   *nodeapi.Client
	token string
}

func newNodes(p Provider, line http.RoundTripper) (*nodes, error) {
	_, err := weburl.ParseBase(p.URL)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the URL of orchestratord %w", err)
	case strings.ContainsFunc(p.Token, func(c rune) bool { return c <= ' ' || c >= 0x7f }):
		return nil, errors.New(
			"the token holds a character that a header cannot carry, perhaps a line break at its end")
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
	why := ""
	switch answer.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect,
		http.StatusPermanentRedirect:
		return fmt.Errorf("orchestratord answers %d: it redirects to %s, where no node follows", answer.StatusCode,
			destination(answer))
	case http.StatusUnauthorized:
		why = "it does not accept the token"
		if n.token == "" {
			why = "it needs a token, and none was given"
		}
	case http.StatusServiceUnavailable:
		why = "it is not ready, or its cloud profile is switched off"
	default:
		return nil
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

// destination returns where an answer redirects to, as far as it can hold no secret.
func destination(answer *http.Response) string {
	to, err := answer.Location()
	if err != nil {
		return "nowhere"
	}
	return to.Scheme + "://" + to.Host + to.Path
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
