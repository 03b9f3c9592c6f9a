package capabilities_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	for _, variable := range []string{"CUDA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES"} {
		os.Unsetenv(variable) // the machine of the tests may have GPUs of its own
	}
	goleak.VerifyTestMain(m)
}
