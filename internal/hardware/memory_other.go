//go:build !darwin && !windows

package hardware

// systemMemory is for systems where a file states the memory, if anything does.
func systemMemory() int64 { return 0 }
