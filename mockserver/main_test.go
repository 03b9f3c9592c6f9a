package mockserver_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"
)

// TestMain has the machine in a time zone that is not UTC: nothing that the mock says may depend on it.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("elsewhere", 20_700) // 5:45 h
	goleak.VerifyTestMain(m)
}
