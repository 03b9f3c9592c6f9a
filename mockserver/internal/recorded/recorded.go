// Package recorded turns a list of nodes that an orchestratord once answered, as JSON or in an HTTP
// archive, into nodes of the registry.
package recorded

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/internal/utf8text"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/har"
	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/mockserver/registry"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Nodes returns the nodes of a list as an orchestratord answers it, or of the last list in an HTTP
// archive (HAR). They must keep the document. Their times are moved by the same amount, so that
// the latest of them is now: when the list, which may be long, has been read.
func Nodes(
	text []byte, document *spec.Document, clock func() time.Time,
) (nodes []registry.Node, now time.Time, err error) {
	listed, err := read(text, document)
	if err != nil {
		return nil, time.Time{}, err
	}
	now = clock()
	var latest int64
	for _, node := range listed {
		latest = max(latest, node.RegisteredAtMs, optional.Or(node.LastHeartbeatMs, 0))
	}
	moved := func(ms int64) time.Time { return time.UnixMilli(max(ms+now.UnixMilli()-latest, 0)) }
	nodes = make([]registry.Node, len(listed))
	for i, node := range listed {
		nodes[i] = recalled(node)
		nodes[i].RegisteredAt = moved(node.RegisteredAtMs)
		if node.LastHeartbeatMs != nil {
			nodes[i].LastHeartbeat = moved(*node.LastHeartbeatMs)
		}
	}
	return nodes, now, nil
}

// read returns the nodes of a list, or of the last one in an archive, as they are.
func read(text []byte, document *spec.Document) ([]nodeapi.Node, error) {
	text = utf8text.Of(text)
	var file map[string]json.RawMessage // a struct would take Nodes for nodes
	err := json.Unmarshal(text, &file)
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, fmt.Errorf("this is neither a list of nodes nor an HTTP archive: "+
			"it is JSON of type %s, want an object with nodes or log", wrongType.Value)
	}
	if err != nil {
		return nil, fmt.Errorf("this is neither a list of nodes nor an HTTP archive: %w", err)
	}
	if file["log"] != nil {
		return readArchive(text, document)
	}
	var nodes []json.RawMessage
	err = json.Unmarshal(file["nodes"], &nodes)
	if wrongType, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return nil, fmt.Errorf("this is no list of nodes: /nodes is of type %s, want array", wrongType.Value)
	}
	if nodes == nil {
		return nil, errors.New("this is neither a list of nodes nor an HTTP archive: it has no nodes and no log")
	}
	return decode(nodes, document)
}

func readArchive(text []byte, document *spec.Document) ([]nodeapi.Node, error) {
	archive, err := har.Read(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	list, err := lastList(archive.Log.Entries, document)
	if err != nil {
		return nil, err
	}
	nodes, err := read(list, document)
	if err != nil {
		return nil, fmt.Errorf("the last list in it: %w", err)
	}
	return nodes, nil
}

// lastList returns the last list of nodes in recorded traffic.
func lastList(entries []har.Entry, document *spec.Document) ([]byte, error) {
	is := func(operation *spec.Operation) bool { return operation.ID == string(control.OperationListNodes) }
	path := document.Operations[slices.IndexFunc(document.Operations, is)].Pattern
	for _, entry := range slices.Backward(entries) {
		asked, err := url.Parse(entry.Request.URL)
		if err != nil || entry.Request.Method != http.MethodGet || entry.Response.Status != http.StatusOK ||
			!strings.HasSuffix(asked.Path, path) {
			continue
		}
		text, err := io.ReadAll(entry.HTTPResponse().Body)
		if err != nil {
			return nil, fmt.Errorf("the last list in it was not recorded whole: there are %d of %d bytes; "+
				"load what GET %s answers, saved as it is", len(text), entry.Response.Content.Size, path)
		}
		return text, nil
	}
	return nil, fmt.Errorf("no answer to GET %s is in it", path)
}

// decode decodes the nodes of a list. It fails for the first one that breaks the document, or has
// the id of another.
func decode(list []json.RawMessage, document *spec.Document) ([]nodeapi.Node, error) {
	nodes := make([]nodeapi.Node, len(list))
	ids := spec.NodeIDs{}
	for i, text := range list {
		if wrong := document.Check("Node", text); wrong != nil {
			return nil, fmt.Errorf("/nodes/%d%s: %s", i, wrong[0].Pointer, wrong[0].Detail)
		}
		if err := exactjson.Unmarshal(text, &nodes[i]); err != nil {
			return nil, fmt.Errorf("/nodes/%d: %w", i, err)
		}
		if wrong := ids.Add(i, nodes[i].NodeID); wrong != "" {
			return nil, fmt.Errorf("/nodes/%d/node_id: %s", i, wrong)
		}
	}
	return nodes, nil
}

// recalled returns a node of a list as the registry would know it, without its times.
func recalled(node nodeapi.Node) registry.Node {
	has := node.Capabilities
	return registry.Node{
		Registration: nodeapi.RegisterRequest{
			NodeID: node.NodeID, MachineID: node.MachineID, Address: node.Address, Pools: node.Pools,
			Version: node.Version,
			Capabilities: nodeapi.NodeCapabilities{
				GPUCount: optional.Or(has.GPUCount, 0), TotalVRAMMB: optional.Or(has.TotalVRAMMB, 0),
				CUDAVersion: optional.Or(has.CUDAVersion, ""), Gpus: has.Gpus,
				CPUCores: has.CPUCores, RAMTotalBytes: has.RAMTotalBytes,
			},
		},
		Stated: &has,
		Status: node.Status,
	}
}
