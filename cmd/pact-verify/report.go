//go:build pact

package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/llama-orch/node-registration/contracts/provider"
)

// writer writes reports in some form.
type writer func(stdout io.Writer, reports []*provider.Report) error

// parseReports returns the writers that are asked for.
func parseReports(names []string) ([]writer, error) {
	var writers []writer
	for _, name := range names {
		file, toFile := strings.CutPrefix(name, "junit=")
		switch {
		case name == "human":
			writers = append(writers, each((*provider.Report).WriteText))
		case name == "github":
			writers = append(writers, each((*provider.Report).WriteGitHub))
		case toFile && file != "":
			writers = append(writers, junit(file))
		default:
			return nil, fmt.Errorf("unknown report %q: there are human, github and junit=FILE", name)
		}
	}
	return writers, nil
}

func each(write func(*provider.Report, io.Writer) error) writer {
	return func(stdout io.Writer, reports []*provider.Report) error {
		for _, report := range reports {
			if err := write(report, stdout); err != nil {
				return err
			}
		}
		return nil
	}
}

func junit(path string) writer {
	return func(_ io.Writer, reports []*provider.Report) error {
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		if err := provider.WriteJUnit(file, reports...); err != nil {
			file.Close()
			return err
		}
		return file.Close()
	}
}

// resultsFile writes the results of the only report.
func resultsFile(path string) writer {
	return func(_ io.Writer, reports []*provider.Report) error {
		return reports[0].Results().Write(path)
	}
}
