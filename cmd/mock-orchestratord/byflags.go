package main

// flagOf returns the flags that state the options of a mock, by what New calls these.
func (s *settings) flagOf() map[string]string {
	return map[string]string{
		"token ":                  "--token ", // the first of several, say
		"tokens":                  "--token",
		"control token":           "--control-token",
		"control host":            "--control-host",
		"origin":                  "--cors-origin",
		"node timeout":            "--node-timeout",
		"heartbeat interval":      "--heartbeat-interval",
		"stale check interval":    "--stale-check-interval",
		"forget after":            "--forget-after",
		"max nodes":               "--max-nodes",
		"journal":                 "--journal",
		"validation":              "--validation",
		"dialect":                 "--dialect",
		"the URL of the upstream": "--upstream",
		"document":                "--document " + s.front.document,
	}
}
