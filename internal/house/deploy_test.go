package house

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestComposeStartsTheMockAndItsNodes runs the commands of the compose file with --help
// behind them, which fails on a flag that there is not.
func TestComposeStartsTheMockAndItsNodes(t *testing.T) {
	isShipped(t)
	content, err := os.ReadFile(filepath.Join(root, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var compose struct {
		Services map[string]struct {
			Build struct {
				Args struct {
					Program string `yaml:"PROGRAM"`
				}
			}
			Command []string
		}
	}
	if err := yaml.Unmarshal(content, &compose); err != nil {
		t.Fatal(err)
	}
	if len(compose.Services) != 4 {
		t.Errorf("there are %d services, want the mock and three nodes", len(compose.Services))
	}
	tried := map[string]bool{}
	for name, service := range compose.Services {
		program := service.Build.Args.Program
		if tried[program] {
			continue
		}
		tried[program] = true
		args := append([]string{"run", "./cmd/" + program}, service.Command...)
		command := exec.CommandContext(t.Context(), "go", append(args, "--help")...)
		command.Dir = root
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
