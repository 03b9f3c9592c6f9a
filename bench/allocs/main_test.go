package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const output = `goos: linux
goarch: amd64
pkg: example.com/module/server
cpu: a CPU
BenchmarkServe/check=on 	     100	     21971 ns/op	   14150 B/op	      12 allocs/op
BenchmarkServe/check=on 	     100	     21971 ns/op	   14150 B/op	      11 allocs/op
PASS
ok  	example.com/module/server	0.021s
pkg: example.com/module/client
BenchmarkFleet 	     100	  38633960 ns/op	      8286 B/node	12221460 B/op	  100000 allocs/op
PASS
`

func TestCompare(t *testing.T) {
	const fleet = "client.BenchmarkFleet "
	const serve = "server.BenchmarkServe/check=on "
	for _, test := range []struct {
		name    string
		figures string
		fails   bool
		says    string
	}{
		{"the same", fleet + "100000\n" + serve + "11\n", false, "2 benchmarks allocate no more"},
		{"more by chance", fleet + "99600\n" + serve + "11\n", false, "2 benchmarks allocate no more"},
		{
			"more than by chance", fleet + "99400\n" + serve + "11\n", true,
			"MORE  " + fleet[:len(fleet)-1] + ": 100000 allocs/op, 99400 are allowed",
		},
		{
			"one more of few", fleet + "100000\n" + serve + "10\n", true,
			"MORE  " + serve[:len(serve)-1] + ": 11 allocs/op, 10 are allowed",
		},
		{"fewer", fleet + "100000\n" + serve + "12\n", false, "11 allocs/op, and the figure 12 could be lowered"},
		{"new", fleet + "100000\n", true, "NEW   " + serve[:len(serve)-1]},
		{"gone", fleet + "100000\n" + serve + "11\n" + "lost.BenchmarkLost 3\n", true, "GONE  lost.BenchmarkLost"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "allocations.txt")
			if err := os.WriteFile(file, []byte("# a comment\n\n"+test.figures), 0o600); err != nil {
				t.Fatal(err)
			}
			var said strings.Builder
			err := run(file, "example.com/module", false, strings.NewReader(output), &said)
			if (err != nil) != test.fails || !strings.Contains(said.String(), test.says) {
				t.Errorf("error %v, and it says:\n%s", err, &said)
			}
		})
	}
}

func TestUpdate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allocations.txt")
	if err := run(file, "example.com/module", true, strings.NewReader(output), nil); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if err := run(file, "example.com/module", false, strings.NewReader(output), &said); err != nil {
		t.Errorf("what was written does not pass: %v\n%s", err, &said)
	}
}

func TestUnreadable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "allocations.txt")
	if err := os.WriteFile(file, []byte("BenchmarkServe many\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, input := range []string{"", "PASS\n", output} {
		if err := run(file, "example.com/module", false, strings.NewReader(input), new(strings.Builder)); err == nil {
			t.Errorf("passes after %q", input)
		}
	}
}
