package house

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestOperationsExplainsEachLogLine, so that whoever reads a log can look it up.
func TestOperationsExplainsEachLogLine(t *testing.T) {
	page, found := operations(t), 0
	for _, dir := range []string{"pkg/registration", "mockserver", "cmd/mock-orchestratord"} {
		for _, line := range logLines(t, filepath.Join(root, dir)) {
			found++
			if !strings.Contains(page, line) {
				t.Errorf("docs/operations.md does not explain the line %q of %s", line, dir)
			}
		}
	}
	if found < 35 {
		t.Errorf("only %d log lines were found in the code", found)
	}
}

func operations(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", "operations.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// logged is which argument of a call is the message of a log line.
var logged = map[string]int{
	"Debug": 0, "Info": 0, "Warn": 0, "Error": 0, "LogAttrs": 2, "logNode": 1, "logRequest": 1,
}

// logLines returns the fixed parts of the log messages in the Go files of a folder.
func logLines(t *testing.T, dir string) (lines []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.Name() == "mocktest" { // which fails tests, and logs nothing
			return filepath.SkipDir
		}
		if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") ||
			strings.HasSuffix(path, ".gen.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok {
				lines = append(lines, messagesOf(function)...)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// messagesOf returns the messages that a function logs. One in a variable is any text that the
// function assigns to it.
func messagesOf(function *ast.FuncDecl) (messages []string) {
	variables := map[string]bool{}
	ast.Inspect(function, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		selector, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		at, isLog := logged[selector.Sel.Name]
		if !isLog || at >= len(call.Args) {
			return true
		}
		messages = append(messages, texts(call.Args[at])...)
		if name, ok := call.Args[at].(*ast.Ident); ok {
			variables[name.Name] = true
		}
		return true
	})
	ast.Inspect(function, func(node ast.Node) bool {
		assignment, ok := node.(*ast.AssignStmt)
		if !ok {
			return true
		}
		for i, left := range assignment.Lhs {
			if name, ok := left.(*ast.Ident); ok && variables[name.Name] && i < len(assignment.Rhs) {
				messages = append(messages, texts(assignment.Rhs[i])...)
			}
		}
		return true
	})
	return messages
}

// texts returns the string literals of an expression, up to their first verb or blank at an end.
func texts(expression ast.Expr) (found []string) {
	ast.Inspect(expression, func(node ast.Node) bool {
		if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value)
			text, _, _ = strings.Cut(text, "%")
			text, _, _ = strings.Cut(text, ": ") // what follows explains
			if text = strings.TrimSpace(text); len(text) > 2 {
				found = append(found, text)
			}
		}
		return true
	})
	return found
}

var metricName = regexp.MustCompile(`\b(orchd|node_registration)_[a-z_]+`)

// TestMetricsAreThoseOfTheCode compares the names in the code with those that operators see:
// in the page about operations, the alerts and the dashboard.
func TestMetricsAreThoseOfTheCode(t *testing.T) {
	made := metricsOfTheCode(t)
	page := operations(t)
	for _, name := range made {
		if !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/operations.md has no metric %s", name)
		}
	}
	for _, file := range []string{
		"docs/operations.md", "deploy/prometheus/rules.yaml", "deploy/prometheus/rules_test.yaml",
		"deploy/grafana/node-registration.json",
	} {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range metricName.FindAllString(string(text), -1) {
			for _, part := range []string{"_bucket", "_count", "_sum"} {
				name = strings.TrimSuffix(name, part)
			}
			if !slices.Contains(made, name) {
				t.Errorf("%s has a metric %s, which there is not", file, name)
			}
		}
	}
}

// metricsOfTheCode returns the names of the metrics as Prometheus has them.
func metricsOfTheCode(t *testing.T) (names []string) {
	t.Helper()
	mock, err := os.ReadFile(filepath.Join(root, "mockserver/internal/nodes/metrics.go"))
	if err != nil {
		t.Fatal(err)
	}
	names = metricName.FindAllString(string(mock), -1)
	client, err := os.ReadFile(filepath.Join(root, "pkg/registration/telemetry.go"))
	if err != nil {
		t.Fatal(err)
	}
	instrument := regexp.MustCompile(
		`(?s)(Counter|Gauge|Histogram)\("(node_registration\.[a-z.]+)",.{0,80}?WithUnit\("([^"]*)"\)`)
	for _, found := range instrument.FindAllStringSubmatch(string(client), -1) {
		name := strings.ReplaceAll(found[2], ".", "_")
		if found[3] == "s" {
			name += "_seconds"
		}
		if found[1] == "Counter" {
			name += "_total"
		}
		names = append(names, name)
	}
	if len(names) < 11 {
		t.Fatalf("only %d metrics were found in the code: %v", len(names), names)
	}
	return names
}

// promtool returns the program's path.
func promtool(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("promtool is missing: scripts/promtool.sh, or a package of Prometheus")
	}
	return path
}

// TestAlerts runs the tests of the alerts.
func TestAlerts(t *testing.T) {
	check := exec.CommandContext(t.Context(), promtool(t), "test", "rules", "rules_test.yaml")
	check.Dir = filepath.Join(root, "deploy/prometheus")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	rules, err := os.ReadFile(filepath.Join(check.Dir, "rules.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	tests, err := os.ReadFile(filepath.Join(check.Dir, "rules_test.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	page := operations(t)
	for _, alert := range regexp.MustCompile(`alert: (\w+)`).FindAllStringSubmatch(string(rules), -1) {
		if fires := regexp.MustCompile("alertname: " + alert[1] + "\n\\s+exp_alerts"); !fires.Match(tests) {
			t.Errorf("no test has %s fire", alert[1])
		}
		if !strings.Contains(page, "| `"+alert[1]+"` |") {
			t.Errorf("docs/operations.md does not explain %s", alert[1])
		}
	}
}

// TestDashboardOfGrafana has promtool parse each expression of the dashboard.
func TestDashboardOfGrafana(t *testing.T) {
	program := promtool(t)
	dashboard := readText(t, filepath.Join(root, "deploy/grafana/node-registration.json"))
	if !json.Valid([]byte(dashboard)) {
		t.Fatal("the dashboard is not JSON")
	}
	variables := strings.NewReplacer("$__rate_interval", "5m", "$__interval", "1m", "$__range", "1h", "$node", ".*")
	rules := "groups: [{name: dashboard, rules: [\n"
	found := regexp.MustCompile(`"expr": ("(?:[^"\\]|\\.)*")`).FindAllStringSubmatch(dashboard, -1)
	for i, expr := range found {
		rules += fmt.Sprintf("{record: panel:%d, expr: %s},\n", i, variables.Replace(expr[1]))
	}
	file := filepath.Join(t.TempDir(), "rules.yaml")
	if err := os.WriteFile(file, []byte(rules+"]}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), program, "check", "rules", file).CombinedOutput()
	if err != nil || len(found) < 10 {
		t.Errorf("%d expressions: %v\n%s", len(found), err, out)
	}
}
