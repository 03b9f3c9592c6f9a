package main

import "runtime/debug"

// tuneCollector has garbage collected less often while there are few nodes, and keeps the
// heap small when there are many. It returns memory for main to hold on to.
//
// Go collects whenever the heap has doubled. The mock's is so small that under load this
// is a hundred times a second, and a third of what a heartbeat costs. Memory that nobody
// uses counts as heap, so that it is ten times; the system lends none for what is never
// written to, and an idle mock stays small. In return the heap grows by half only.
func tuneCollector() (unused []byte) {
	debug.SetGCPercent(50)
	return make([]byte, 64<<20)
}
