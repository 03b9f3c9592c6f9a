package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// contestant is a server to measure.
type contestant struct {
	name    string
	command func(port string) []string // that makes it listen on a port of 127.0.0.1
	env     []string
	nodes   int   // that are registered before the load and beat in turn, or 0
	missing error // why it cannot be measured here
}

const loopback = "127.0.0.1"

// The contestants log as they do by default, into a file, but for single requests where that
// can be switched off. They are set up as their makers say for load.

func mock(s settings, name string, flags ...string) contestant {
	return program(name, filepath.Join(s.bin, "mock-orchestratord"), flags...)
}

func bare(s settings, answer string) contestant {
	return program("net/http, constant answer", filepath.Join(s.bin, "bench", "bare"), "--answer", answer)
}

func twin(s settings) contestant {
	return program("chi, oapi-codegen, kin-openapi", filepath.Join(s.bin, "bench", "twin"))
}

func ogen(s settings) contestant {
	return program("ogen", filepath.Join(s.bin, "bench", "ogen"))
}

// program is one of ours.
func program(name, path string, flags ...string) contestant {
	return contestant{name: name, command: func(port string) []string {
		return append([]string{path, "--addr", loopback + ":" + port}, flags...)
	}}
}

// with returns c, loaded with the heartbeats of so many nodes.
func (c contestant) with(nodes int) contestant {
	c.nodes = nodes
	return c
}

// wireMock runs without its launcher, which would count as a second process.
func wireMock(s settings, variant, stubs string) contestant {
	version, err := npmVersion(s, "wiremock")
	if _, noJava := exec.LookPath("java"); noJava != nil {
		err = errors.New("java is missing; install a Java runtime, as with: apt-get install default-jre-headless")
	}
	jar := filepath.Join(s.home, "node_modules", "wiremock", "build", "wiremock-standalone-"+version+".jar")
	return contestant{
		name: "WireMock " + version + variant,
		command: func(port string) []string {
			return []string{
				"java", "-jar", jar, "--port", port, "--bind-address", loopback,
				"--root-dir", filepath.Join(s.home, "wiremock", stubs),
				"--no-request-journal", "--disable-request-logging", "--disable-banner",
			}
		},
		missing: err,
	}
}

func prism(s settings) contestant {
	const name = "@stoplight/prism-cli"
	version, err := npmVersion(s, name)
	script := filepath.Join(s.home, "node_modules", name, "dist", "index.js")
	document := filepath.Join(s.home, "..", "openapi", "nodes.yaml")
	return contestant{
		name: "Prism " + version,
		command: func(port string) []string {
			return []string{
				"node", script, "mock", "--host", loopback, "--port", port, "--verboseLevel", "error",
				document,
			}
		},
		env:     []string{"NODE_ENV=production"},
		missing: err,
	}
}

func mockoon(s settings) contestant {
	const name = "@mockoon/cli"
	version, err := npmVersion(s, name)
	script := filepath.Join(s.home, "node_modules", name, "bin", "run.js")
	return contestant{
		name: "Mockoon " + version,
		command: func(port string) []string {
			return []string{
				"node", script, "start", "--data", filepath.Join(s.home, "mockoon.json"), "--hostname", loopback,
				"--port", port, "--disable-log-to-file", "--disable-admin-api",
			}
		},
		missing: err,
	}
}

// npmVersion returns the version of an installed npm package.
func npmVersion(s settings, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.home, "node_modules", name, "package.json"))
	if err != nil {
		return "", fmt.Errorf("the npm packages are not installed: %w", err)
	}
	var manifest struct{ Version string }
	err = json.Unmarshal(text, &manifest)
	return manifest.Version, err
}
