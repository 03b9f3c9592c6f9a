package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	startLimit = time.Minute
	stopGrace  = 3 * time.Second
)

// process is a running contestant. It leads a process group of its own, so that all that
// it starts is counted and ended with it.
type process struct {
	url   string
	group int
	log   *os.File
	ended chan struct{}
}

// start runs a contestant on a free port and waits for the first good answer to a
// request. It returns how long that took.
func start(ctx context.Context, c contestant, first *request) (*process, time.Duration, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, 0, err
	}
	log, err := os.CreateTemp("", "bench-*.log")
	if err != nil {
		return nil, 0, err
	}
	words := c.command(port)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, 0, errors.Join(err, log.Close(), os.Remove(log.Name()))
	}
	p := &process{
		url: "http://" + net.JoinHostPort(loopback, port), group: cmd.Process.Pid, log: log,
		ended: make(chan struct{}),
	}
	go func() {
		_ = cmd.Wait() // how it ends is of no interest: it was stopped
		close(p.ended)
	}()
	if err := p.await(ctx, first); err != nil {
		err = fmt.Errorf("%w; it logged: %s", err, p.tail())
		p.stop()
		return nil, 0, err
	}
	return p, time.Since(began), nil
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(ctx context.Context) (string, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", loopback+":0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(listener.Addr().String())
	return port, errors.Join(err, listener.Close())
}

// await asks again and again, until the answer is good.
func (p *process) await(ctx context.Context, first *request) error {
	const pause = time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		status, _, err := p.post(ctx, first.Path, string(first.Body))
		if status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no good answer: status %d, %w", status, errors.Join(err, ctx.Err()))
		case <-p.ended:
			return errors.New("it ended by itself")
		case <-time.After(pause):
		}
	}
}

// stop ends the process and all that it started, and waits for it.
func (p *process) stop() {
	_ = syscall.Kill(-p.group, syscall.SIGTERM) // it may have ended by itself
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
	}
	_ = syscall.Kill(-p.group, syscall.SIGKILL) // what is left of the group, or nothing
	<-p.ended
	_ = p.log.Close()
	_ = os.Remove(p.log.Name())
}

// tail returns the last that the process has logged.
func (p *process) tail() string {
	const enough = 1000
	text, _ := os.ReadFile(p.log.Name())
	return strings.TrimSpace(string(text[max(0, len(text)-enough):]))
}
