//go:build pact

// Package provider verifies that an orchestratord keeps a pact. All it needs is the URL: it
// sets up the provider states of the pact by other calls of the same API.
//
//	report, err := provider.Verify(ctx, "contracts/pacts/pool-managerd-orchestratord.json", provider.Provider{
//		URL:   "http://192.168.1.1:8080",
//		Token: os.Getenv("LLORCH_API_TOKEN"),
//	})
//	if err != nil {
//		return err // it could not be decided
//	}
//	for _, interaction := range report.Interactions {
//		fmt.Println(interaction.Result, interaction.Description, interaction.Details)
//	}
//
// Some states cannot be set up by calls, such as a cloud profile that is switched off. Their
// interactions are skipped; the report lists each with the reason. All others have to run:
// a verification that ran none, or that met an unknown state, is an error.
//
// A verification registers and removes nodes of its own, and reports their pools as ready.
// Run it only against an orchestratord without real work. A pact names its nodes
// pact-node-…, and each run inserts a random part after that prefix, so that two runs do not
// interfere. A pact that names any other node, or calls anything but the API of nodes, is
// refused before a request is sent.
package provider

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/llama-orch/node-registration/contracts/internal/libpact"
	"github.com/llama-orch/node-registration/contracts/pactfile"
	"github.com/llama-orch/node-registration/contracts/results"
	"github.com/llama-orch/node-registration/internal/foreign"
	"github.com/llama-orch/node-registration/internal/plural"
	"github.com/llama-orch/node-registration/internal/regularfile"
)

// Provider is an orchestratord to verify.
type Provider struct {
	// URL is its base URL, http or https.
	URL string
	// Token is a token that it accepts. It replaces the pact's own token. Empty means that
	// calls need none.
	Token string
	// TLS is the configuration for an https URL. Nil trusts the system's authorities.
	TLS *tls.Config
	// AnswerTimeout is how long one answer and its body may take. Zero means 5 s, five
	// times what a node allows it (CLOUD-11002).
	AnswerTimeout time.Duration
	// Arrange sets up, by name, states that no call can, and returns the function that ends
	// them, which must not be nil. Only the owner of a provider can fill it in.
	Arrange map[string]func() (end func())
}

const defaultAnswerTimeout = 5 * time.Second

// Verify verifies the interactions of a pact file one by one, until ctx ends. The report
// says whether the pact is kept. Verify returns an error only if it could not decide.
func Verify(ctx context.Context, file string, p Provider) (*Report, error) {
	content, err := regularfile.ReadShort(file)
	if err != nil {
		return nil, err
	}
	report, err := VerifyContent(ctx, content, p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return report, nil
}

// VerifyContent verifies a pact as Verify does, given the content of its file.
func VerifyContent(ctx context.Context, content []byte, p Provider) (*Report, error) {
	ids := newIDs()
	content = ids.inject(content)
	pact, err := pactfile.Parse(content)
	if err != nil {
		return nil, err
	}
	pieces, err := split(content)
	if err != nil {
		return nil, err
	}
	p.AnswerTimeout = cmp.Or(p.AnswerTimeout, defaultAnswerTimeout)
	transport := newTransport(p.TLS)
	defer transport.CloseIdleConnections()
	v := verification{provider: p, ids: ids, line: &line{transport: transport, timeout: p.AnswerTimeout}}
	if v.nodes, err = newNodes(p, v.line); err != nil {
		return nil, err
	}
	guard, err := newGuard(ids)
	if err != nil {
		return nil, err
	}
	if err := v.examine(pact, guard); err != nil {
		return nil, err
	}
	if err := v.probe(ctx); err != nil {
		return nil, cmp.Or(v.line.broken(), err)
	}
	if v.gateway, err = openGateway(ctx, p, guard, v.line); err != nil {
		return nil, err
	}
	defer v.gateway.close()
	return v.run(ctx, pact, pieces)
}

// verification is the verification of one pact at one provider.
type verification struct {
	provider   Provider
	ids        ids
	line       *line
	nodes      *nodes
	gateway    *gateway
	needsToken bool // whether calls without a token are refused; false if none was given
}

// probe looks whether there is something to verify, and whether it needs a token.
func (v *verification) probe(ctx context.Context) error {
	err := v.nodes.probe(ctx)
	if err != nil || v.provider.Token == "" {
		return err
	}
	v.needsToken, err = v.nodes.needsToken(ctx)
	return err
}

// examine refuses a pact that asks for a state that nobody knows, or that could be
// about a node which is not the run's own.
func (v verification) examine(pact *pactfile.File, guard *guard) error {
	states := v.states()
	for _, i := range pact.Interactions {
		body, err := i.Request.Body.Bytes()
		if err == nil {
			nameNode(states, i.States, guard.named(i.Request.Method, i.Request.Path, body))
			err = v.examineStates(states, i.States, guard)
		}
		if err == nil {
			err = guard.check(i.Request.Method, i.Request.Path, body)
		}
		if err != nil {
			return fmt.Errorf("%q: %w", v.ids.restore(i.Description), err)
		}
	}
	return nil
}

// nameNode gives states without parameters, which those of specification 2 are, the one node that
// the request is about.
func nameNode(known map[string]state, states []pactfile.State, named []string) {
	slices.Sort(named)
	if named = slices.Compact(named); len(named) != 1 {
		return
	}
	for i := range states {
		if s := &states[i]; known[s.Name].ofNode && len(s.Params) == 0 {
			s.Params = map[string]any{"node": named[0]}
		}
	}
}

func (v verification) examineStates(known map[string]state, states []pactfile.State, guard *guard) error {
	for _, s := range states {
		if err := v.examineState(known, s, guard); err != nil {
			return err
		}
	}
	return nil
}

func (v verification) examineState(states map[string]state, s pactfile.State, guard *guard) error {
	wanted, known := states[s.Name]
	node, named := s.Params["node"]
	switch {
	case !known:
		return fmt.Errorf("nothing is known here of the provider state %q", v.ids.restore(s.Name))
	case named && !v.ids.own(fmt.Sprint(node)):
		return guard.refuse(fmt.Sprint(node))
	case wanted.ofNode && !named:
		return fmt.Errorf("the provider state %q does not name its node, as the parameter \"node\", "+
			"and neither does the request", s.Name)
	}
	return nil
}

func (v verification) run(ctx context.Context, pact *pactfile.File, pieces [][]byte) (*Report, error) {
	states := v.states()
	report := &Report{Consumer: pact.Consumer, Provider: pact.Provider, URL: v.provider.URL}
	ran := 0
	for i, interaction := range pact.Interactions {
		began := time.Now()
		done, err := v.interaction(ctx, states, interaction, pieces[i])
		done.Duration = time.Since(began)
		if err == nil {
			err = v.line.broken()
		}
		if err != nil {
			return nil, fmt.Errorf("%q: %w", done.Description, err)
		}
		if done.Result != results.Skipped {
			ran++
		}
		report.Interactions = append(report.Interactions, done)
	}
	if ran == 0 {
		return nil, fmt.Errorf("nothing was verified: %s, all of them skipped",
			plural.Count(len(report.Interactions), "interaction"))
	}
	return report, nil
}

// interaction brings about the states of an interaction, has it verified, and
// leaves the provider as it was.
func (v verification) interaction(
	ctx context.Context, states map[string]state, i pactfile.Interaction, piece []byte,
) (Interaction, error) {
	done := Interaction{Description: v.ids.restore(i.Description), Pending: i.Pending}
	for _, s := range i.States {
		done.States = append(done.States, s.Name)
	}
	for _, s := range i.States {
		if why := states[s.Name].beyond; why != "" {
			return done.ended(results.Skipped, fmt.Sprintf("%q: %s", s.Name, why)), nil
		}
	}
	for _, s := range i.States {
		leave, err := states[s.Name].enter(ctx, s.Params)
		defer leave()
		if err != nil {
			return done.ended(results.Failed,
				v.redacted(fmt.Sprintf("%q cannot be brought about: %v", s.Name, err))...), nil
		}
	}
	found, err := v.ask(piece)
	if err != nil {
		return done, err
	}
	if !found.Passed {
		return done.ended(results.Failed, v.redacted(v.explain(i, found.Mismatches)...)...), nil
	}
	return done.ended(results.Passed), nil
}

// ask has Pact make the request of a pact with one interaction.
func (v verification) ask(piece []byte) (libpact.Result, error) {
	file, err := os.CreateTemp("", "pact-*.json")
	if err != nil {
		return libpact.Result{}, err
	}
	defer os.Remove(file.Name())
	if _, err := file.Write(piece); err != nil {
		return libpact.Result{}, err
	}
	if err := file.Close(); err != nil {
		return libpact.Result{}, err
	}
	// Pact gives up later than the gateway, so that it gets an answer from there.
	v.gateway.reached.Store(false)
	found, err := libpact.Verify(file.Name(), v.gateway.addr, 2*v.provider.AnswerTimeout)
	switch {
	case err != nil:
		return libpact.Result{}, err
	case len(found) != 1:
		return libpact.Result{}, errors.New("the Pact library has not run it")
	case !v.gateway.reached.Load():
		return libpact.Result{}, fmt.Errorf("the Pact library has not sent the request: %s",
			strings.Join(found[0].Mismatches, "; "))
	}
	return found[0], nil
}

// redacted takes the token out of what a provider may have echoed (CLOUD-4013).
func (v verification) redacted(lines ...string) []string {
	var clean []string
	for _, line := range lines {
		clean = append(clean, foreign.Redact(line, v.provider.Token, math.MaxInt))
	}
	return clean
}
