package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/llama-orch/node-registration/internal/atomicfile"
)

// Usage is the help text of the flag --report.
const Usage = "text, json, markdown, github or junit, each with =FILE or to standard output; repeat for more"

// Writers write a report, by the names of their formats. A program may replace one,
// such as the JSON that other programs read.
type Writers map[string]func(io.Writer) error

// Writers returns a writer for each format.
func (r *Report) Writers() Writers {
	return Writers{
		"text":     r.writeText,
		"json":     r.writeJSON,
		"markdown": r.writeMarkdown,
		"github":   r.writeGitHub,
		"junit":    r.writeJUnit,
	}
}

// Formats returns the names of the formats, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(new(Report).Writers())) }

// Flag is the value of a flag --report FORMAT[=FILE], which may be repeated. Without
// the flag there is text on standard output. It is a flag.Value.
type Flag struct{ targets []target }

// target is where a report goes, in one format.
type target struct {
	format string
	file   string // empty for standard output
	place  string // where links lead from the file; empty for a stream, which may take several reports
}

// aliases are names that formats had before.
var aliases = map[string]string{"human": "text", "table": "text"}

// Set adds a report. It fails at once for a file that cannot be written.
func (f *Flag) Set(value string) error {
	format, file, toFile := strings.Cut(value, "=")
	if known, isAlias := aliases[format]; isAlias {
		format = known
	}
	switch {
	case !slices.Contains(Formats(), format):
		return errors.New("there is no such format: choose from " + strings.Join(Formats(), ", "))
	case toFile && file == "":
		return errors.New("a file has to follow the =")
	}
	place, err := f.free(file)
	if err != nil {
		return err
	}
	f.targets = append(f.targets, target{format, file, place})
	return nil
}

// free returns the place of a report to a file. It fails if the file cannot be written, which would otherwise
// show only when the work is done, and if another report has the place.
func (f *Flag) free(file string) (place string, err error) {
	if file == "" {
		return "", nil
	}
	place, err = atomicfile.Check(file)
	if err == nil && f.isTaken(place) {
		return "", errors.New("another report goes to this file, which would keep the last one")
	}
	return place, err
}

// GoesTo reports whether one of the reports would replace this file, whatever links lead there.
func (f *Flag) GoesTo(file string) bool {
	place, err := atomicfile.Check(file)
	return err == nil && f.isTaken(place)
}

func (f *Flag) isTaken(place string) bool {
	return place != "" && slices.ContainsFunc(f.targets, func(t target) bool { return t.place == place })
}

// String returns the reports as they were set, with commas between.
func (f *Flag) String() string {
	var set []string
	for _, t := range f.all() {
		set = append(set, strings.TrimSuffix(t.format+"="+t.file, "="))
	}
	return strings.Join(set, ",")
}

// Type names the value in the help text.
func (f *Flag) Type() string { return "FORMAT[=FILE]" }

// Write writes each report that was asked for, even when another cannot be written.
// A file is replaced as a whole or stays as it is.
func (f *Flag) Write(stdout io.Writer, writers Writers) error {
	var failed error
	for _, t := range f.all() {
		var text bytes.Buffer
		err := writers[t.format](&text)
		switch {
		case err != nil:
		case t.file == "":
			_, err = stdout.Write(text.Bytes())
		default:
			err = atomicfile.Write(t.file, text.Bytes(), 0o644)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("report %s: %w", t.format, err))
		}
	}
	return failed
}

func (f *Flag) all() []target {
	if len(f.targets) == 0 {
		return []target{{format: "text"}}
	}
	return f.targets
}
