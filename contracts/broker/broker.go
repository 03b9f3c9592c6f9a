// Package broker is a client of a Pact Broker. It fetches the pacts that a provider has to
// keep, and publishes the results of their verification.
//
//	b, err := broker.New("https://pacts.example.com", broker.Auth{Token: os.Getenv("PACT_BROKER_TOKEN")}, nil)
//	if err != nil {
//		return err
//	}
//	pacts, err := b.Pacts(ctx, "orchestratord", broker.Query{Branch: "main"})
//	for _, pact := range pacts {
//		...
//		err = b.Publish(ctx, pact, broker.Verification{Version: "1.2.3", Success: true})
//	}
//
// Credentials go only to the scheme, host and port of the broker. A link that leads
// elsewhere is followed without credentials, a redirect that leads elsewhere is an error.
//
// The package does not ask whether a version may be deployed (can-i-deploy): use the
// broker's own command line for that.
package broker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/llama-orch/node-registration/internal/weburl"
)

// Broker is a Pact Broker.
type Broker struct {
	base   *url.URL
	auth   Auth
	client *http.Client
}

// Auth says how to authenticate: by a bearer token, or by a name and a password. A token
// takes precedence. If all are empty, calls carry no credentials.
type Auth struct {
	Token    string
	Username string
	Password string
}

func (a Auth) set(r *http.Request) {
	switch {
	case a.Token != "":
		r.Header.Set("Authorization", "Bearer "+a.Token)
	case a.Username != "":
		r.SetBasicAuth(a.Username, a.Password)
	}
}

// answerTimeout is how long the broker may take for one answer.
const answerTimeout = 20 * time.Second

// maxAnswer bounds what is read of an answer; a pact takes some kilobytes.
const maxAnswer = 16 << 20

// New returns a broker at a base URL. A nil transport means http.DefaultTransport.
func New(base string, auth Auth, transport http.RoundTripper) (*Broker, error) {
	u, err := weburl.ParseBase(base)
	if err != nil {
		return nil, fmt.Errorf("the URL of the Pact Broker %w", err)
	}
	client := &http.Client{Transport: transport, Timeout: answerTimeout, CheckRedirect: checkRedirect}
	return &Broker{base: u, auth: auth, client: client}, nil
}

// maxRedirects bounds how often one call is redirected.
const maxRedirects = 5

// checkRedirect follows redirects within one origin that keep the method.
func checkRedirect(next *http.Request, earlier []*http.Request) error {
	first := earlier[0]
	switch {
	case origin(next.URL) != origin(first.URL):
		return fmt.Errorf(
			"it redirects to %s, where its credentials do not belong: give the URL that it is to be called by", origin(
				next.URL))
	case next.Method != first.Method:
		return fmt.Errorf("it redirects a %s to a %s", first.Method, next.Method)
	case len(earlier) > maxRedirects:
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	}
	return nil
}

// origin returns scheme, host and port of a URL.
func origin(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"http": "80", "https": "443"}[u.Scheme])
	return u.Scheme + "://" + u.Hostname() + ":" + port
}

// shown returns a URL without its user, query and fragment, which may be secret.
func shown(u *url.URL) string { return origin(u) + u.EscapedPath() }

// call makes one call. Credentials go to the broker alone, wherever its links lead.
func (b *Broker) call(ctx context.Context, method, where string, body, answer any) error {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, where, content)
	if err != nil {
		return fmt.Errorf("a link of the Pact Broker cannot be followed: %w", err)
	}
	request.Header.Set("Accept", "application/hal+json, application/json")
	request.Header.Set("Content-Type", "application/json")
	if origin(request.URL) == origin(b.base) {
		b.auth.set(request)
	}
	response, err := b.client.Do(request)
	if err != nil {
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err // without the URL
		}
		return fmt.Errorf("the Pact Broker does not answer %s %s: %w", method, shown(request.URL), err)
	}
	defer response.Body.Close()
	if response.StatusCode < 200 || response.StatusCode > 299 {
		return fmt.Errorf("the Pact Broker answers %s %s with %d", method, shown(request.URL), response.StatusCode)
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, maxAnswer)).Decode(answer); err != nil {
		return fmt.Errorf("the Pact Broker's answer to %s %s cannot be read: %w", method, shown(request.URL), err)
	}
	return nil
}
