package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/llama-orch/node-registration/internal/nodelist"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const listOperation = string(control.OperationListNodes)

// maxList is how many bytes a list may have, a kilobyte for each of as many nodes as the document
// lets it have.
const maxList = 1 << 30

// list returns the ids of the nodes that orchestratord lists.
func (u *Upstream) list(ctx context.Context) (map[nodeapi.NodeID]bool, error) {
	client, err := nodeapi.NewClient(u.URL.String(), nodeapi.WithHTTPClient(&http.Client{Transport: u.Transport}))
	if err != nil {
		return nil, err
	}
	answer, err := client.ListNodes(ctx, nil, u.authorize)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return nil, errors.New("the list was answered 401: state a token for it, or another")
	default:
		return nil, fmt.Errorf("the list was answered %d", answer.StatusCode)
	}
	return idsIn(answer.Body)
}

// idsIn returns the ids of the nodes in a list.
func idsIn(list io.Reader) (map[nodeapi.NodeID]bool, error) {
	listed := map[nodeapi.NodeID]bool{}
	err := nodelist.Read(list, maxList, func(node nodeapi.Node) { listed[node.NodeID] = true })
	if err != nil {
		return nil, fmt.Errorf("the list cannot be read: %w", err)
	}
	return listed, nil
}

// authorize addresses a request for the list, and adds the token for it.
func (u *Upstream) authorize(ctx context.Context, request *http.Request) error {
	request.Host = u.Host
	if u.Token == nil {
		return nil
	}
	token, err := u.Token(ctx)
	if err != nil {
		return fmt.Errorf("token for the list: %w", err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	return nil
}
