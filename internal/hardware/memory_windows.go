package hardware

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// systemMemory asks GlobalMemoryStatusEx.
func systemMemory() int64 {
	status := struct {
		length, load              uint32
		total, free               uint64
		totalPage, freePage       uint64
		totalVirtual, freeVirtual uint64
		freeExtended              uint64
	}{}
	status.length = uint32(unsafe.Sizeof(status))
	call := windows.NewLazySystemDLL("kernel32.dll").NewProc("GlobalMemoryStatusEx")
	if call.Find() != nil {
		return 0
	}
	if ok, _, _ := call.Call(uintptr(unsafe.Pointer(&status))); ok == 0 {
		return 0
	}
	return int64(status.total)
}
