package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-orch/node-registration/cmd/internal/cli"
	"github.com/llama-orch/node-registration/internal/nearest"
	"github.com/llama-orch/node-registration/internal/regularfile"
	"github.com/llama-orch/node-registration/mockserver/control"
	"github.com/llama-orch/node-registration/mockserver/faults"
)

// misbehaviour is what the command line says of faults.
type misbehaviour struct {
	names []string // each perhaps with @ and a pattern of node ids
	file  string
	seed  seed // of the presets, if the flag is set

	set      *pflag.FlagSet
	contents contents // of the file when it was last taken
}

func (m *misbehaviour) flags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&m.names, "fault", nil,
		"`name` of a fault to switch on, a preset or one of the file; name@pattern for the nodes whose ids fit; "+
			"repeat for more")
	flags.Var(cli.File(&m.file), "faults-file", "`file` of faults, YAML or JSON, which is read again when it changes")
	flags.Var(&m.seed, "fault-seed",
		"`number` that the random draws of the presets begin from; the same gives the same faults (default theirs)")
	m.set = flags
}

// seed is a flag's value that says what it may be.
type seed uint32

func (s *seed) Set(text string) error {
	n, err := strconv.ParseUint(text, 0, 32)
	if err != nil {
		return fmt.Errorf("must be a whole number from 0 to %d", uint32(math.MaxUint32))
	}
	*s = seed(n)
	return nil
}

func (s *seed) String() string { return strconv.FormatUint(uint64(*s), 10) }

func (*seed) Type() string { return "uint32" }

// presetsHelp lists the presets for the help.
func presetsHelp() string {
	const indent = 17 // of what they do
	var text strings.Builder
	presets := faults.Presets()
	for _, name := range slices.Sorted(maps.Keys(presets)) {
		fmt.Fprintf(&text, "\n  %-*s%s", indent-2, name, cli.Wrap(*presets[name].Summary, indent))
	}
	return text.String()
}

// load reads the file and returns the faults that it and the flags state, the presets too.
// The error lists everything that is wrong with them.
func (m *misbehaviour) load(ctx context.Context) (map[string]control.FaultDefinition, error) {
	if m.file == "" {
		return m.stated(nil)
	}
	return m.take(read(ctx, m.file))
}

// take is load with what was read from the file. The contents are kept even if they are wrong, so that the same
// mistake is reported once.
func (m *misbehaviour) take(held contents) (map[string]control.FaultDefinition, error) {
	m.contents = held
	inFile, err := held.faults(m.file)
	if err != nil {
		return nil, fmt.Errorf("--faults-file: %w", err)
	}
	return m.stated(inFile)
}

// stated returns the presets and the faults of the file, with those switched on that the flags name.
func (m *misbehaviour) stated(inFile map[string]control.FaultDefinition) (map[string]control.FaultDefinition, error) {
	stated := faults.Presets()
	if m.set.Changed("fault-seed") {
		for name, preset := range stated {
			preset.Seed = new(int64(m.seed))
			stated[name] = preset
		}
	}
	maps.Copy(stated, inFile)
	chosen, err := m.chosen(stated)
	if err != nil {
		return nil, err
	}
	for name, rules := range chosen {
		fault := stated[name]
		fault.Enabled, fault.Rules = new(true), rules
		stated[name] = fault
	}
	return stated, nil
}

// chosen returns the rules of the faults that the flags choose, by name. One that is
// chosen several times, for different nodes, has rules for all of these.
func (m *misbehaviour) chosen(stated map[string]control.FaultDefinition) (map[string]control.FaultRules, error) {
	rules := map[string]control.FaultRules{}
	var wrong []error
	for _, flag := range m.names {
		name, nodes, narrowed := strings.Cut(flag, "@")
		fault, known := stated[name]
		if !known {
			wrong = append(wrong, fmt.Errorf("--fault is %q: %w", flag, unknown(name, stated)))
			continue
		}
		if narrowed && nodes == "" {
			wrong = append(wrong, fmt.Errorf("--fault is %q: a pattern of node ids is missing after the @", flag))
			continue
		}
		if narrowed {
			fault.Rules = forNodes(fault.Rules, nodes)
		}
		if err := checkRules(name, fault); err != nil {
			wrong = append(wrong, fmt.Errorf("--fault is %q: %w", flag, err))
		}
		rules[name] = slices.Concat(rules[name], fault.Rules)
	}
	return rules, errors.Join(wrong...)
}

// unknown returns the error of a name that no fault has. Of flaky:x@gpu-1 the program hides what may be
// credentials, so what is before the colon says which fault is meant.
func unknown(name string, stated map[string]control.FaultDefinition) error {
	known, near := slices.Sorted(maps.Keys(stated)), ""
	begin, _, _ := strings.Cut(name, ":")
	if meant := nearest.Name(begin, known); meant != "" {
		near = fmt.Sprintf(", perhaps %q is meant", meant)
	}
	return fmt.Errorf("there is no such fault%s: choose from %s", near, strings.Join(known, ", "))
}

// checkRules returns what is wrong with the first rule of a fault that is not valid. All of them
// have the same pattern of nodes, and one complaint about it is enough.
func checkRules(name string, fault control.FaultDefinition) error {
	for _, rule := range fault.Rules {
		single := fault
		single.Rules = control.FaultRules{rule}
		if err := faults.Check(name, single); err != nil {
			return err
		}
	}
	return nil
}

// forNodes limits rules to the nodes whose ids match the glob.
func forNodes(rules control.FaultRules, glob control.NodeGlob) control.FaultRules {
	narrowed := slices.Clone(rules)
	for i := range narrowed {
		var match control.FaultMatch
		if narrowed[i].Match != nil {
			match = *narrowed[i].Match
		}
		match.Node = &glob
		narrowed[i].Match = &match
	}
	return narrowed
}

// follow applies changes of the file, until the returned function is called. It ignores a
// broken file.
func (m *misbehaviour) follow(set *faults.Set, log *slog.Logger) (stop func()) {
	if m.file == "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	following.Go(func() { m.look(ctx, set, log) })
	return func() { cancel(); following.Wait() }
}

// look polls the file. Polling works however an editor replaces it.
func (m *misbehaviour) look(ctx context.Context, set *faults.Set, log *slog.Logger) {
	ticks := time.NewTicker(lookInterval)
	defer ticks.Stop()
	last := m.contents
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		// A file that has just changed may be incomplete.
		now := read(ctx, m.file)
		settled := now == last
		if last = now; settled && now != m.contents {
			m.reload(now, set, log)
		}
	}
}

// lookInterval is half the time after which a change of the file is taken up.
const lookInterval = 500 * time.Millisecond

func (m *misbehaviour) reload(held contents, set *faults.Set, log *slog.Logger) {
	stated, err := m.take(held)
	if err == nil {
		err = set.Load(stated)
	}
	if err != nil {
		log.Error("file of faults is broken, the faults stay as they were", "error", err)
		return
	}
	log.Info("file of faults read again", "file", m.file, "switched_on", set.Enabled())
}

// contents are what a file holds, or the reason why it cannot be read.
type contents struct{ text, broken string }

func read(ctx context.Context, file string) contents {
	text, err := regularfile.Read(ctx, file, faults.MaxFile)
	if err != nil {
		return contents{broken: err.Error()}
	}
	return contents{text: string(text)}
}

// faults returns those of a file with these contents, whose name is for the errors.
func (c contents) faults(file string) (map[string]control.FaultDefinition, error) {
	if c.broken != "" {
		return nil, errors.New(c.broken)
	}
	stated, err := faults.Parse([]byte(c.text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return stated, nil
}
