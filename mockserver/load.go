package mockserver

import (
	"errors"
	"fmt"

	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/mockserver/internal/recorded"
)

// LoadNodes replaces all nodes by those of a list: what an orchestratord answered to GET /v2/nodes,
// or an HTTP archive (HAR), whose last list counts. What happened last to one of them has happened
// now. The nodes must keep the document of the dialect. An error says what is wrong with the list,
// and then nothing changes; in front of another orchestratord there is nothing to load.
func (s *Server) LoadNodes(list []byte) error {
	settings := s.settings.Load()
	if settings.InFront {
		return errors.New("in front of another orchestratord, nodes are those that register there")
	}
	nodes, now, err := recorded.Nodes(list, settings.Contract(), s.clock.Now)
	if err != nil {
		return err
	}
	if err := s.cluster.CheckLoad(len(nodes)); err != nil {
		return fmt.Errorf("/nodes: %w", err)
	}
	s.journal.Control(now, plural.Count(len(nodes), "node")+" loaded")
	s.cluster.Load(nodes, now)
	return nil
}
