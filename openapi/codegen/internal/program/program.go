// Package program is the command line of the generators: it reads a document, and writes what they make
// of it to a file.
package program

import (
	"bytes"
	"flag"
	"fmt"
	"go/format"
	"os"
	"text/template"

	"github.com/getkin/kin-openapi/openapi3"
)

// Main is Run for a generator that makes Go code of an OpenAPI document.
func Main(name string, generate func(*openapi3.T) ([]byte, error)) {
	Run(name, func(out, document string) error { return write(out, document, generate) })
}

// Run calls generate with the file to write, which the command line has after -o, and the document that it
// names. A failure ends the program with status 1 and a line that begins with its name.
func Run(name string, generate func(out, document string) error) {
	out := flag.String("o", "", "file to write")
	flag.Parse()
	if err := generate(*out, flag.Arg(0)); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
}

func write(out, document string, generate func(*openapi3.T) ([]byte, error)) error {
	doc, err := openapi3.NewLoader().LoadFromFile(document)
	if err != nil {
		return err
	}
	code, err := generate(doc)
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return os.WriteFile(out, code, 0o644)
}

// Execute returns the formatted Go code that a template makes of data.
func Execute(text string, data any) ([]byte, error) {
	parsed, err := template.New("").Parse(text)
	if err != nil {
		return nil, err
	}
	var code bytes.Buffer
	if err := parsed.Execute(&code, data); err != nil {
		return nil, err
	}
	return format.Source(code.Bytes())
}
