//go:build pact

package provider

import (
	"context"
	"time"
)

// leaveTimeout is how long it may take to remove a node once nobody waits any more.
const leaveTimeout = 2 * time.Second

// state is a provider state that a pact may ask for.
type state struct {
	// enter sets up the state. It returns the function that ends the state, even if it
	// fails.
	enter func(ctx context.Context, params map[string]any) (leave func(), err error)
	// ofNode means that it is a state of the node in the parameter "node".
	ofNode bool
	// beyond is why the state cannot be set up at this provider, empty if it can.
	beyond string
}

// states returns all that a pact may ask for, by name.
func (v verification) states() map[string]state {
	states := map[string]state{
		"the node is not registered": v.ofNode(v.nodes.remove),
		"the node is registered":     v.ofNode(v.nodes.register),
		"the node is online":         v.ofNode(v.nodes.register, v.nodes.beat),

		"the token is not valid": v.tokenNotValid(),
		"no token is needed":     v.noToken(),

		"the cloud profile is switched off": {beyond: "no call switches it"},
		"there are too many requests":       {beyond: "how many are too many is not known"},
	}
	for name, arrange := range v.provider.Arrange {
		states[name] = state{enter: func(context.Context, map[string]any) (func(), error) {
			return arrange(), nil
		}}
	}
	return states
}

// ofNode is a state of one node. Its calls lead there from any state of the node.
func (v verification) ofNode(calls ...func(ctx context.Context, node string) error) state {
	return state{ofNode: true, enter: func(ctx context.Context, params map[string]any) (func(), error) {
		node := params["node"].(string) // one of the run's own: examine has seen to it
		// The error is ignored: the pact's own deregistrations show whether removal works. It has
		// to be tried even when ctx has ended.
		leave := func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
			defer cancel()
			_ = v.nodes.remove(ctx, node)
		}
		for _, call := range calls {
			if err := call(ctx, node); err != nil {
				return leave, err
			}
		}
		return leave, nil
	}}
}

// tokenNotValid lets the pact's own token through, which no provider knows. Whoever
// gives a token says that one is needed, so that this has to hold.
func (v verification) tokenNotValid() state {
	if v.provider.Token == "" {
		return state{beyond: "no token was given, so orchestratord may need none"}
	}
	return state{enter: func(context.Context, map[string]any) (func(), error) {
		v.gateway.keepToken.Store(true)
		return func() { v.gateway.keepToken.Store(false) }, nil
	}}
}

// noToken holds at a provider that answers calls without one.
func (v verification) noToken() state {
	if v.needsToken {
		return state{beyond: "orchestratord needs a token"}
	}
	return state{enter: func(context.Context, map[string]any) (func(), error) {
		return func() {}, nil
	}}
}
