package breaking

import (
	"github.com/getkin/kin-openapi/openapi3"
)

// takeCalls moves the webhooks and callbacks of a document into the paths of a document of
// their own. api has neither afterwards. In the returned document orchestratord is the client,
// and nodes answer. oasdiff does not compare callbacks, and takes webhooks for calls in the
// usual direction.
func takeCalls(api *openapi3.T) *openapi3.T {
	calls := *api
	calls.Paths, calls.Webhooks = openapi3.NewPaths(), nil
	calls.Security = nil
	for name, item := range api.Webhooks {
		calls.Paths.Set("webhook "+name, item)
	}
	for path, item := range api.Paths.Map() {
		for method, operation := range item.Operations() {
			for name, callback := range operation.Callbacks {
				for expression, called := range callback.Value.Map() {
					calls.Paths.Set("callback "+name+" of "+method+" "+path+" to "+expression, called)
				}
			}
			operation.Callbacks = nil
		}
	}
	api.Webhooks = nil
	canonicalHeaders(&calls)
	return &calls
}
