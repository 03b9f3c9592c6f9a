package main

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"github.com/llama-orch/node-registration/pkg/registration"
)

// ready notifies systemd that the daemon serves. Without systemd it does nothing.
func ready() { daemon.SdNotify(false, daemon.SdNotifyReady) }

// stopping notifies systemd that the daemon is on its way out.
func stopping() { daemon.SdNotify(false, daemon.SdNotifyStopping) }

// report has `systemctl status` say how the node stands with orchestratord.
func report(e registration.Event) {
	if e.Type != registration.EventHeartbeat {
		daemon.SdNotify(false, "STATUS="+string(e.Type))
	}
}

// watchdog notifies systemd that the node is healthy, until ctx ends or it is not. Systemd
// restarts it then.
func watchdog(ctx context.Context, node *registration.Node) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return
	}
	every := time.NewTicker(interval / 3)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		if node.Healthy(interval) == nil {
			daemon.SdNotify(false, daemon.SdNotifyWatchdog)
		}
	}
}
