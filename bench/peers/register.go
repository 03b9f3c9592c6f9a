package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

// register registers the nodes that load.lua sends heartbeats of.
func (p *process) register(ctx context.Context, scenario scenario, nodes, connections int) error {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
	defer client.CloseIdleConnections()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	numbers := make(chan int)
	var workers sync.WaitGroup
	for range connections {
		workers.Go(func() {
			for n := range numbers {
				if err := p.registerOne(ctx, client, scenario, n); err != nil {
					cancel(err)
				}
			}
		})
	}
	for n := 1; n <= nodes && ctx.Err() == nil; n++ {
		numbers <- n
	}
	close(numbers)
	workers.Wait()
	return context.Cause(ctx)
}

func (p *process) registerOne(ctx context.Context, client *http.Client, scenario scenario, n int) error {
	body := strings.ReplaceAll(string(scenario.Register.Body), scenario.Node, scenario.Node+"-"+strconv.Itoa(n))
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url+scenario.Register.Path, strings.NewReader(body))
	if err != nil {
		return err
	}
	status, answer, err := send(client, r)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("registering node %d is answered %d: %s", n, status, answer)
	}
	return err
}
