//go:build pact

package provider_test

import (
	"log"
	"os"
	"runtime"
	"testing"

	"github.com/llama-orch/node-registration/internal/stdout"
)

// TestMain keeps what the Pact library says of failures that are meant out of the log.
func TestMain(m *testing.M) {
	out, err := stdout.Take()
	if err != nil {
		log.Fatal(err)
	}
	null := os.Stdout
	os.Stdout = out
	m.Run()
	runtime.KeepAlive(null) // whose end would close it for the library
}
