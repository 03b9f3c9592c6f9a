package exchange

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"

	"github.com/llama-orch/node-registration/mockserver/internal/spec"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// correlationID returns the correlation id of a request: its own, if it has one that fits the
// document and no other, or else a new one.
func correlationID(header http.Header) string {
	given := header[spec.Nodes().CorrelationHeader]
	if len(given) == 1 && nodeapi.ValidCorrelationID(given[0]) {
		return given[0]
	}
	return newCorrelationID()
}

// newCorrelationID returns an id that no other request has. It is no secret.
func newCorrelationID() string {
	var id [16]byte
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	return hex.EncodeToString(id[:])
}
