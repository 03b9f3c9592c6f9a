package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// limits are what the code sets of clients, servers and their connections besides how they are joined. All
// else is zero on purpose: it would cut off or refuse what a test on a quick machine never meets, such as an
// answer after ten seconds, the hundredth connection, or an older TLS.
const limits = `
bench/peers/register.go http.Transport MaxIdleConnsPerHost
cmd/internal/cli/trust.go tls.Config MinVersion
cmd/internal/fleet/transport.go http.Transport TLSHandshakeTimeout MaxConnsPerHost MaxIdleConnsPerHost IdleConnTimeout DisableCompression
cmd/internal/fleet/transport.go net.Dialer Timeout
cmd/mock-orchestratord/front.go tls.Config MinVersion
cmd/mock-orchestratord/serve.go http.Server ReadTimeout IdleTimeout MaxHeaderBytes DisableGeneralOptionsHandler
cmd/mock-orchestratord/tls.go tls.Config MinVersion
contracts/broker/broker.go http.Client Timeout CheckRedirect
contracts/conformance/prober.go tls.Config MinVersion
contracts/provider/gateway.go http.Server ReadHeaderTimeout
examples/pool-managerd/main.go http.Server ReadHeaderTimeout
mockserver/internal/upstream/transport.go http.Transport DisableCompression MaxIdleConnsPerHost IdleConnTimeout ExpectContinueTimeout
pkg/registration/tls.go tls.Config MinVersion
pkg/registration/transport.go http.HTTP2Config SendPingTimeout PingTimeout
pkg/registration/transport.go http.Transport TLSHandshakeTimeout ForceAttemptHTTP2 MaxIdleConnsPerHost IdleConnTimeout MaxResponseHeaderBytes
pkg/registration/transport.go net.Dialer Timeout
`

// joints are the fields that say how clients, servers and connections are joined, and bound nothing.
var joints = []string{
	"BaseContext", "DialContext", "DialTLSContext", "ErrorLog", "GetCertificate", "HTTP2", "Handler", "NetDialer",
	"Protocols", "Proxy", "RootCAs", "TLSConfig", "Transport",
}

// TestLimitsOfTheNetworkAreAsListed, so that none comes or goes by accident.
func TestLimitsOfTheNetworkAreAsListed(t *testing.T) {
	var found []string
	for _, file := range sources(t, ".go") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, file), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(code, func(node ast.Node) bool {
			if fields := networkLimits(node); fields != "" {
				found = append(found, filepath.ToSlash(file)+" "+fields)
			}
			return true
		})
	}
	want := strings.Split(strings.Trim(limits, "\n"), "\n")
	slices.Sort(found)
	for _, line := range found {
		if !slices.Contains(want, line) {
			t.Errorf("is in the code, and not on the list: %s", line)
		}
	}
	for _, line := range want {
		if !slices.Contains(found, line) {
			t.Errorf("is on the list, and not in the code: %s", line)
		}
	}
}

// networkLimits returns the type of a literal that is a client, a server or what either is made of, and which
// limits it sets. It returns "" for one without limits, and for what else there is.
func networkLimits(node ast.Node) string {
	literal, _ := node.(*ast.CompositeLit)
	if literal == nil || literal.Type == nil {
		return ""
	}
	kind := oneLine(literal.Type)
	switch kind {
	case "http.Server", "http.Transport", "http.Client", "http.HTTP2Config", "tls.Config", "tls.Dialer", "net.Dialer":
	default:
		return ""
	}
	set := ""
	for _, element := range literal.Elts {
		if name := oneLine(element.(*ast.KeyValueExpr).Key); !slices.Contains(joints, name) {
			set += " " + name
		}
	}
	if set == "" {
		return ""
	}
	return kind + set
}
