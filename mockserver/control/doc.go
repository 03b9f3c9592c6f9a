// Package control is the Go client of the mock orchestratord's control API, generated from
// its OpenAPI document. Tests and tools look into a mock with it, and make it misbehave.
//
//	mock, err := control.NewClientWithResponses("http://127.0.0.1:8080")
//	if err != nil {
//		return err
//	}
//	on := control.FaultSwitch{Enabled: true}
//	answer, err := mock.SwitchFaultWithResponse(ctx, "flaky", on)
//
// A mock with a control token requires it as a bearer token: pass WithRequestEditorFn to the
// constructor. In a Go test, package mocktest hands out a client that is ready to use.
package control
