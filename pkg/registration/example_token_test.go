package registration_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// A token that is replaced while the node runs: each request reads the file anew.
func ExampleTokenFile() {
	dir, err := os.MkdirTemp("", "token")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "token") // a mounted secret, perhaps
	source := registration.TokenFile(file)
	_ = registration.Config{APIToken: source}

	for _, token := range []string{"the first one\n", "the next one\n"} {
		if err := os.WriteFile(file, []byte(token), 0o600); err != nil {
			fmt.Println(err)
			return
		}
		read, err := source(context.Background())
		fmt.Println(read, err)
	}
	// Output:
	// the first one <nil>
	// the next one <nil>
}
