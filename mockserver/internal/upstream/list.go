package upstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

const listOperation = string(control.OperationListNodes)

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
	if err := readList(list, func(node nodeapi.Node) { listed[node.NodeID] = true }); err != nil {
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

// readList visits the nodes of a list, one by one, so that a long one takes no memory. What a node
// has that is of another type than it should be is passed over. An object without nodes is no list.
func readList(list io.Reader, visit func(nodeapi.Node)) error {
	decoder, found := json.NewDecoder(list), false
	if err := expect(decoder, '{'); err != nil {
		return err
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return err
		}
		if name != "nodes" {
			if err := decoder.Decode(new(json.RawMessage)); err != nil {
				return err
			}
			continue
		}
		if err := readNodes(decoder, visit); err != nil {
			return err
		}
		found = true
	}
	if err := expect(decoder, '}'); err != nil || found {
		return err
	}
	return errors.New("it has no nodes")
}

func readNodes(decoder *json.Decoder, visit func(nodeapi.Node)) error {
	if err := expect(decoder, '['); err != nil {
		return err
	}
	for decoder.More() {
		var node nodeapi.Node
		if err := decoder.Decode(&node); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
			return err
		}
		visit(node)
	}
	return expect(decoder, ']')
}

func expect(decoder *json.Decoder, want json.Delim) error {
	token, err := decoder.Token()
	if err == nil && token != want {
		err = fmt.Errorf("there is %v where %v should be", token, want)
	}
	return err
}
