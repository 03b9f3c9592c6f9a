package fleet

// promise is one thing that a fleet and its orchestratord owe.
type promise struct {
	name   string
	breach string // empty while none is known
	unsaid bool   // only orchestratord could say, and it did not
}

// promises lists all of them, with their breaches.
func (r *Report) promises() []promise {
	unregistered := "nodes not registered"
	if r.Interrupted {
		unregistered = "nodes not registered when the fleet was interrupted"
	}
	o := r.Orchestratord
	unsaid, problem := o.Error != "", ""
	if unsaid {
		problem = "orchestratord could not be asked for its nodes: " + o.Error
	}
	return []promise{
		{"every node was registered", breach(int64(r.Unregistered), unregistered), false},
		{"no heartbeat was missed", breach(r.Beats.Missed, "heartbeats missed"), false},
		{"no heartbeat was late", breach(r.Beats.Late, "heartbeats late"), false},
		{"no node that was up is Offline", breach(int64(o.Offline), "nodes up, but Offline to orchestratord"), unsaid},
		{"no node that was up is Failed", breach(int64(o.Failed), "nodes up, but Failed to orchestratord"), unsaid},
		{"every node that was up is known", breach(int64(o.Absent), "nodes up, but unknown to orchestratord"), unsaid},
		{"no node was left on record", breach(int64(r.Left), "nodes left on record"), false},
		{"orchestratord could be asked", problem, false},
	}
}

// breach says how often something happened that should not, and nothing if it never did.
func breach(times int64, what string) string {
	if times <= 0 {
		return ""
	}
	return what + ": " + grouped(times)
}

// Broken returns the breaches of the promises that were broken, nil when all were kept.
func (r *Report) Broken() (broken []string) {
	for _, p := range r.promises() {
		if p.breach != "" {
			broken = append(broken, p.breach)
		}
	}
	return broken
}
