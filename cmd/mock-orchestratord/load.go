package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/mockserver"
)

// maxNodesFile is how many bytes a file of nodes may have: a list of a million has about 512 MiB.
const maxNodesFile = 1 << 30

// beginning is what the command line says of the nodes to begin with.
type beginning struct {
	file string
}

func (b *beginning) flags(flags *pflag.FlagSet) {
	flags.Var(cli.File(&b.file), "load",
		"`file` with the nodes to begin with: a list as an orchestratord answers it, or an HTTP archive (HAR), whose "+
			"last list counts")
}

// load has the mock begin with the nodes of the file, if there is one.
func (b *beginning) load(ctx context.Context, mock *mockserver.Server) error {
	if b.file == "" {
		return nil
	}
	list, err := regularfile.Read(ctx, b.file, maxNodesFile)
	if err != nil {
		return fmt.Errorf("--load: %w", err)
	}
	if err := mock.LoadNodes(list); err != nil {
		return fmt.Errorf("--load %s: %w", b.file, err)
	}
	return nil
}
