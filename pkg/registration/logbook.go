package registration

import (
	"log/slog"
	"time"
)

// logbook writes one line per change of state, so that a fleet that is well is
// quiet; what repeats is written at Debug. Belongs to the owner of the node.
type logbook struct {
	log     *slog.Logger
	online  bool    // the last attempt was an accepted heartbeat
	trouble verdict // what the last attempt came to
	since   time.Time
	fault   string // what is wrong with the status callback
	warned  bool   // of a weak token
}

func newLogbook(c Config) *logbook {
	return &logbook{log: c.Logger.With("node_id", c.NodeID, "machine_id", c.MachineID)}
}

// attempt notes an attempt and how long the next one is away.
func (l *logbook) attempt(op operation, o outcome, next time.Duration) {
	id := slog.String("correlation_id", o.correlationID)
	if o.weakToken && !l.warned {
		l.warned = true
		l.log.Warn("the API token is shorter than 32 bytes: it can be guessed")
	}
	changed := o.verdict != l.trouble
	if changed && l.trouble == accepted {
		l.since = time.Now()
	}
	switch {
	case o.verdict == accepted && op == registering:
		l.log.Info("registered with orchestratord", id, "next", next.Round(time.Millisecond))
		l.online = false
		return // only a heartbeat ends a trouble
	case o.verdict == accepted && !l.online:
		l.log.Info("online", id, "outage", l.outage())
	case o.verdict == accepted:
		l.log.Debug("heartbeat", id, "next", next.Round(time.Millisecond))
	case o.verdict == forgotten:
		l.log.Warn("orchestratord does not know this node: registering again", id, "next", next.Round(time.Millisecond))
	case changed:
		l.log.Warn(string(op)+" failed", id, "error", o.err, "next", next.Round(time.Millisecond))
	default:
		l.log.Debug(string(op)+" failed again", id, "error", o.err, "next", next.Round(time.Millisecond))
	}
	l.online = o.verdict == accepted
	l.trouble = o.verdict
}

// outage is how long a node that is online again was not.
func (l *logbook) outage() time.Duration {
	if l.trouble == accepted {
		return 0
	}
	return time.Since(l.since).Round(time.Millisecond)
}

// status notes what is wrong with the status callback, nil when nothing is.
func (l *logbook) status(err error) {
	fault := ""
	if err != nil {
		fault = err.Error()
	}
	switch {
	case fault == l.fault:
		return
	case fault != "":
		l.log.Warn("heartbeats carry the last known status", "error", err)
	default:
		l.log.Info("heartbeats carry fresh status again")
	}
	l.fault = fault
}

func (l *logbook) deregistered(o outcome) {
	l.log.Info("deregistered from orchestratord", "correlation_id", o.correlationID)
}
