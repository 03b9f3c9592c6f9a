// Package nodelist reads the list of nodes that an orchestratord answers, without keeping it: it may
// hold a hundred thousand of them.
package nodelist

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/llama-orch/node-registration/internal/exactjson"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Read visits the nodes of a list of less than so many bytes, one by one. It passes over what a node
// has that is of another type than it should be. An object without nodes is no list. With a nil visit
// Read only looks whether nodes begin.
func Read(list io.Reader, most int64, visit func(nodeapi.Node)) error {
	limited := &io.LimitedReader{R: list, N: most}
	err := read(json.NewDecoder(limited), visit)
	if limited.N == 0 {
		return fmt.Errorf("it is longer than %d bytes", most)
	}
	return err
}

func read(decoder *json.Decoder, visit func(nodeapi.Node)) error {
	if err := expect(decoder, '{'); err != nil {
		return err
	}
	found := false
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
		if err := readNodes(decoder, visit); err != nil || visit == nil {
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
	if err := expect(decoder, '['); err != nil || visit == nil {
		return err
	}
	for decoder.More() {
		var text json.RawMessage
		if err := decoder.Decode(&text); err != nil {
			return err
		}
		var node nodeapi.Node
		_ = exactjson.Unmarshal(text, &node) // what has another type is passed over
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
