package registration

import (
	"errors"
	"fmt"
	"slices"

	"github.com/llama-orch/node-registration/internal/optional"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

// Description is what a node says of itself when it registers, and may change while it
// runs. Its fields are those of Config.
type Description struct {
	Address      string
	Pools        []string
	Capabilities Capabilities
	Version      string
}

// description returns what a Config says of the node. It shares the memory of the Config.
func (c Config) description() Description {
	return Description{Address: c.Address, Pools: c.Pools, Capabilities: c.Capabilities, Version: c.Version}
}

func (d Description) clone() Description {
	d.Pools = slices.Clone(d.Pools)
	d.Capabilities.GPUs = slices.Clone(d.Capabilities.GPUs)
	return d
}

// request returns the registration of a node.
func (d Description) request(c settings) nodeapi.RegisterRequest {
	request := nodeapi.RegisterRequest{
		NodeID:       c.nodeID,
		MachineID:    c.machineID,
		Address:      d.Address,
		Pools:        append([]string{}, d.Pools...),
		Capabilities: d.Capabilities.wire(),
	}
	if d.Version != "" {
		request.Version = &d.Version
	}
	return request
}

// check returns everything that the contract does not allow in a registration.
func (d Description) check(c settings, from origin) error {
	var wrong []error
	for _, v := range d.request(c).Validate() {
		field := v.Pointer[1:]
		wrong = append(wrong, fmt.Errorf("%s%s %s", field, from.field(field), v.Detail))
	}
	return errors.Join(wrong...)
}

func (d Description) validate(c settings) error {
	if err := d.check(c, nowhere); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, joined{err})
	}
	return nil
}

// GPU is one GPU of a node.
type GPU = nodeapi.GPU

// Capabilities say what a node can do.
type Capabilities struct {
	// GPUCount is the number of GPUs.
	GPUCount int32
	// TotalVRAMMB is the memory of all GPUs together, in megabytes.
	TotalVRAMMB int64
	// CUDAVersion is the version that the driver offers, such as "12.1"; empty
	// where there is no CUDA.
	CUDAVersion string
	// GPUs are the GPUs one by one.
	GPUs []GPU
	// CPUCores is the number of CPU cores, 0 when unknown.
	CPUCores int32
	// RAMTotalBytes is the main memory, 0 when unknown.
	RAMTotalBytes int64
}

// wire states the GPUs even when there are none: an orchestratord in service
// refuses a registration without the list.
func (c Capabilities) wire() nodeapi.NodeCapabilities {
	gpus := append([]GPU{}, c.GPUs...)
	return nodeapi.NodeCapabilities{
		GPUCount:      c.GPUCount,
		TotalVRAMMB:   c.TotalVRAMMB,
		CUDAVersion:   c.CUDAVersion,
		Gpus:          &gpus,
		CPUCores:      optional.Stated(c.CPUCores),
		RAMTotalBytes: optional.Stated(c.RAMTotalBytes),
	}
}
