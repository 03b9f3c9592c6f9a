package shipped

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestDeployedProgramsStart runs what the compose file and the manifests of Kubernetes start, with
// --help behind it, which fails on a flag that there is not.
func TestDeployedProgramsStart(t *testing.T) {
	isShipped(t)
	commands := append(composed(t), inPods(t)...)
	slices.SortFunc(commands, slices.Compare)
	for _, command := range slices.CompactFunc(commands, slices.Equal) {
		folder := "./cmd/" + command[0]
		if !slices.Contains(programs, command[0]) {
			folder = "./examples/" + command[0]
		}
		args := append(append([]string{"run", folder}, command[1:]...), "--help")
		run := exec.CommandContext(t.Context(), "go", args...)
		run.Dir = root
		if out, err := run.CombinedOutput(); err != nil {
			t.Errorf("%q: %v\n%s", command, err, out)
		}
	}
}

// composed returns the programs of the compose file, each followed by its arguments.
func composed(t *testing.T) (commands [][]string) {
	t.Helper()
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
	if err := yaml.Unmarshal([]byte(readText(t, filepath.Join(root, "compose.yaml"))), &compose); err != nil {
		t.Fatal(err)
	}
	for _, service := range compose.Services {
		commands = append(commands, append([]string{service.Build.Args.Program}, service.Command...))
	}
	return commands
}

// inPods returns the programs of the manifests of Kubernetes, which are named like their images,
// each followed by its arguments.
func inPods(t *testing.T) (commands [][]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "deploy/kubernetes/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("manifests %q: %v", files, err)
	}
	for _, file := range files {
		for text := range strings.SplitSeq(readText(t, file), "\n---\n") {
			var manifest struct {
				Spec struct {
					Template struct {
						Spec struct {
							Containers []struct {
								Image string
								Args  []string
							}
						}
					}
				}
			}
			if err := yaml.Unmarshal([]byte(text), &manifest); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			for _, c := range manifest.Spec.Template.Spec.Containers {
				commands = append(commands, append([]string{c.Image}, c.Args...))
			}
		}
	}
	return commands
}
