//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-orch/node-registration/mockserver/mocktest"
)

// TestDetect has nodesim ask a script in place of nvidia-smi.
func TestDetect(t *testing.T) {
	emptyEnvironment(t)
	t.Setenv("CUDA_VISIBLE_DEVICES", "")
	os.Unsetenv("CUDA_VISIBLE_DEVICES") // and set again after the test
	testdata, err := filepath.Abs("../../pkg/capabilities/testdata")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", testdata+":"+os.Getenv("PATH"))
	for answers, want := range map[string]struct{ gpu, said string }{
		"two":     {"NVIDIA H100 80GB HBM3", "this machine has gpus=2 vram_mb=111289 cuda=12.4 cores="},
		"rubbish": {"", "the hardware could not be read as a whole"},
	} {
		t.Run(answers, func(t *testing.T) {
			t.Setenv("SMI_ANSWERS", filepath.Join(testdata, "smi", answers))
			orchestratord := mocktest.Start(t)
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			log := watched{want: "online", seen: make(chan struct{})}
			done := make(chan int, 1)
			go func() {
				done <- run(ctx, []string{"run", "--detect", "--orchestratord-url", orchestratord.URL},
					new(bytes.Buffer), &log)
			}()
			<-log.seen
			node := orchestratord.Nodes()[0]
			if got := fmt.Sprint(*node.Registration.Capabilities.Gpus); !strings.Contains(got, want.gpu) {
				t.Errorf("GPUs are %s, want %q", got, want.gpu)
			}
			free, total := *node.Pools[0].VRAMFreeBytes, node.Registration.Capabilities.TotalVRAMMB
			if (free > 0) != (total > 0) {
				t.Errorf("%d bytes are free of %d MB", free, total)
			}
			stop()
			if status := <-done; status != 0 || !strings.Contains(log.String(), want.said) {
				t.Errorf("status %d, want %q in\n%s", status, want.said, log.String())
			}
		})
	}
}
