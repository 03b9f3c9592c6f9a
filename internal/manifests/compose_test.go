package manifests

import (
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
)

// TestCompose_lint loads the compose file as docker compose does, which holds it to the schema of the
// Compose Specification.
func TestCompose_lint(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{filepath.Join(root, "compose.yaml")},
		cli.WithWorkingDirectory(root), cli.WithName("mock"))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if names := project.ServiceNames(); len(names) != 4 {
		t.Errorf("the services are %q, want the mock and three nodes", names)
	}
	for _, service := range project.Services {
		if service.Name != "mock" && service.Environment["ORCHESTRATORD_URL"] == nil {
			t.Errorf("%s has no orchestratord: %v", service.Name, service.Environment)
		}
	}
}
