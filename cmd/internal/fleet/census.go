package fleet

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/llama-orch/node-registration/internal/nodelist"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// census counts how orchestratord lists the nodes of a fleet that are up.
type census struct {
	Online      int `json:"online"`
	Draining    int `json:"draining"`
	Registering int `json:"registering"` // whose first heartbeat is to come; it may not list them
	Offline     int `json:"offline"`
	Failed      int `json:"failed"`
	Absent      int `json:"absent"` // had a good heartbeat, and are not on the list
	// Error says why orchestratord could not be asked, empty when it could.
	Error string `json:"error,omitempty"`
}

func (c *census) add(other census) {
	c.Online += other.Online
	c.Draining += other.Draining
	c.Registering += other.Registering
	c.Offline += other.Offline
	c.Failed += other.Failed
	c.Absent += other.Absent
	if c.Error == "" {
		c.Error = other.Error
	}
}

// listTimeout is how long the list of a hundred thousand nodes may take.
const listTimeout = 30 * time.Second

// Bounds of the list's length. It may contain the nodes of other fleets as well.
const (
	listBytes        = 512 << 20
	listBytesPerNode = 4 << 10
)

// census asks orchestratord for its nodes, and counts those of the fleet.
func (f *fleet) census(ctx context.Context) census {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	listed := make(map[int]nodeapi.NodeStatus, f.Nodes)
	err := f.list(ctx, func(node nodeapi.Node) {
		if index, ours := f.index(node.NodeID); ours {
			listed[index] = node.Status
		}
	})
	if err != nil {
		return census{Error: err.Error()}
	}
	var c census
	for _, l := range f.living() {
		switch status, known := listed[l.index]; {
		case !known && f.ledger.hasAnswer(&l.account):
			c.Absent++
		case !known, status == nodeapi.NodeStatusRegistering:
			c.Registering++
		case status == nodeapi.NodeStatusOnline:
			c.Online++
		case status == nodeapi.NodeStatusDraining:
			c.Draining++
		case status == nodeapi.NodeStatusOffline:
			c.Offline++
		default:
			c.Failed++
		}
	}
	return c
}

// ask checks that there is an orchestratord, and that it lists its nodes to the fleet.
func (f *fleet) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	return f.list(ctx, nil)
}

// list calls each with every node that orchestratord lists, one by one: the whole list may be
// larger than the fleet. With a nil each it only checks that there is a list.
func (f *fleet) list(ctx context.Context, each func(nodeapi.Node)) error {
	api, err := nodeapi.NewClient(f.Node.OrchestratordURL, nodeapi.WithHTTPClient(f.client))
	if err != nil {
		return err
	}
	correlation := rand.Text()
	response, err := api.ListNodes(ctx, &nodeapi.ListNodesParams{XCorrelationID: &correlation}, f.authorize)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %d (correlation id %s)", response.StatusCode, correlation)
	}
	if err := nodelist.Read(response.Body, listBytes+listBytesPerNode*int64(f.Nodes), each); err != nil {
		return fmt.Errorf("the list in the answer cannot be read: %w", err)
	}
	return nil
}

// authorize adds the token that nodes have, if they have one.
func (f *fleet) authorize(ctx context.Context, r *http.Request) error {
	if f.Node.APIToken == nil {
		return nil
	}
	token, err := f.Node.APIToken(ctx)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return err
}
